"""Things, actions and qualities that nobody is called: where a name is looked for without a word that announces one.

They do not stand among the words of sentences (``gateway.redaction.english``), for a password or a user name is made of them.
"""

from __future__ import annotations

from gateway.redaction.english import COMMON_WORDS
from gateway.redaction.tables import words

NO_NAMES = COMMON_WORDS | words(
    """
    able abroad absent absolute abuse accurate ache aches achieve acid acting action actions adapter additional adjusting
    administration adopt ads adult adults advance advantage adverts advice affect affected agents aging agreeing airline
    airport aisle alarms album alert alerts alive allowance alternate altogether aluminium ambulance amounts ankle
    announcement anxious apartments appeal appear appliance appliances applications applying aquarium arm arms army arrears
    arrest arrow ashamed aside asleep aspirin assembly asset attending attic attitude audience audio aunt authority autopay
    awake award aware awkward babies baby backed background backorder backup backwards badge badly baked bakery balcony ball
    balloon band bandage bang bare barely bargain bargains bark barrier basement basin basis bath bathroom bathtub bats
    beach bean beard beating beautiful bed bedrooms beds beef beer begins behalf behave behaviour belt bench bend bent bike
    bikes bin bins birds bite bitten bitter blade blame blank blanket bleach bleeding blend blender blew blind blinds
    blinking blister blow blown boat boats boil boiled boiler bolt bolts bomb bone bonus boots bore bored boring borrow
    borrowed bothered bothering boundary bowl bra brain brake brakes branch branches brave bread breathe breathing brick
    bricks briefly broadcast bruise brush bubble bucket bugs builder builders bulb bulbs bump bumper buns burn burned
    burning burnt burst bushes businesses butter buttons buyers buzzing cab cabinet cables cafe cages cakes calculate
    calculator calm campsite campus canal canceled candle candles cane canned canoe capable capacity caps caravan carbon
    cardboard cardigan cards career careful carefully careless carpet carried carrier carry carrying cars cart carton
    cartoon casual cats cattle cave ceiling celebrate cellar cement central ceremony chain chair chairs challenge champagne
    chapter chart charts chasing cheaply cheated checkup cheese chemical chemist chest chew chicken chief chimney chips
    chocolate choking cholesterol chop choppy chronic cigarette cinema circuit circus cited citizen civil claimed clash
    classes classic claw cleaned cleaner cleared clearly clever climate climb clinics clip clockwise cloth cloudy clown clue
    coach coal coast coat cod coil coincidence coins college collide colours column comb combine comfort comfortable comic
    comments commission commit committed committee commute compact companies comparison compete competition complaining
    complaints complex complicated composed compost compressor concept concert concrete conference confidence conflict
    confusing confusion congratulations connections connector conscious consent consistent constant constantly construction
    consult contacts contents contest context contribute convert convinced cooked cooker cooking cooling copied copper cord
    core corn corners corporate correctly corridor cough coughing council counselling count counted counting couples courses
    cousins cow cows crack cracked craft crawl crazy cream creature crew cries crime crisp crisps critical crop crossing
    crowd crowded crown cruise crushed cry crying cubic cucumber culture cup cups cure cures curious curl currency curtain
    curtains curve cushion custom customs cycle cycling dairy damp dampness dancing danger dangerous dare darker dealer
    dealers dearest dears death debate debt debts decent deck decorate decorating deduct deducted deed default defect
    defective defend define definite degree degrees delicate delicious delighted delivery dent dented dentist departing
    departure depend depending depends deposited deposits depressed depth deserve design desktop dessert destroy destroyed
    detached detail detect detergent determine develop developed diabetes diabetic diagnosed diagram diaper diarrhea diary
    dictionary diesel dig digging digital dip dirt dirty disabled disappear disappointed disappointing disaster disc
    discharge disconnecting discounted discover discovered disease disgrace disgraceful disgusting dish dishes dismissed
    distress district disturb dive divided diving dizzy docks dogs doll dolls domestic donate donation doorbell doorstep
    dose doses dots doubled doubtful downstairs drag dragging drain drained drains drama drank drawer drawers drawing drawn
    dreadful dream dress dressed dresses dried drill drinks drip dripping drivers drops drought drove drugs drum drunk dryer
    duck ducks dumb dump dumped duplicate durable duration duvet dye dying eager earn earned earring earrings earth ease
    eastern eaten eating ecstatic edge edges editing edition educate education eggs elbow elderly elect electrical
    electrician elegant element eleventh embarrassed embarrassing embassy employed employees employment emptied enclosed
    encounter endless enemy energy engaged engagement engine engineers engines enjoyed enjoying enormous enquire enrol
    enroll enrolled ensure enterprise entertainment enthusiastic entirely entitled entries environment epic episode equal
    equally era eraser errand errors essay essential establish estate etc ethernet evidence evil exams exceed exceeded
    excess excessive exchanging exciting excluded exercise exhausted exhibit exit exits expand expecting expense expenses
    experienced expert experts explanation exploded export expose exposed expression extending extensions extent exterior
    external extremely fabric fabulous factor factory facts fade faded fading failing fails failure faint fainted faithful
    fake falling falls fame fan fancy fans fare fares farm farms fashion faster fastest fat fatal faucet favourable feature
    features fed feed feedback feeding feels fellow female fence fences festival fetch fiber fibre fiction fictional fierce
    fifth fight fighting finger fingers finish finishes finishing fireplace fires firm firmly fishing fitness fitting fixes
    fizzy flag flags flash flashed flashes flashing flavour flaw fled flexible flicker flickering flip flipped float flooded
    flooding floors flour flow fluid flush flushing foam focus foggy fold folded folding fond foods foolish football
    footpath footwear forbid force forced forecast foreign forged forgive fork formal format former formula forth fortnight
    fortune forty forwarded forwarding forwards foul fountain fractured fragile frame frames fraud fraudulent freezer
    freezing freight frequency frequent frequently freshly fridges fried frightened frosted frosty fruit fruits frustrated
    frustrating frustration fry fuels fulfil fumes functional funding funeral funnel furious furnace fuse fuses fuss fuzzy
    gadget gain gained gallery gallon gallons games gaming garages gardening garlic garment gateway gauge gearbox geese
    generate generator generous gentle gently genuine genuinely giant gifts gig girlfriend glasses glitch glitched globe
    gloomy gloves glow glue goal goat goats gorgeous gossip governor gown grab graded gradually graduate grain grams grand
    grandchildren grandparents grands grape grapes graphics grass grateful gravel gravy grayed greasy greatly greenhouse
    greyed grid grill grilled grip groan grocery gross grounded groups growing grows growth guard guards guests guidance
    guided guidelines guilty guitar gums gun gutter gutters habit habits hail haircut hairy halfway hallway halt ham
    hammered hamster handbag handicap handset handwriting handyman hangs happier happily harbour hardback harder hardware
    harm harmful harmless harsh harvest hat hated hats haunted hazard headaches headed header heading headlight headlights
    headphones headset heal heap hears heater heaters heats heavier heavily hedges heel heels heights helmet helpfully
    helpless hens herbs heritage hero hesitate hide hiding highlight highlights highly hike hiking hills hinge hinges hint
    hip hips hire hired historic hits hob hobby hockey hoist hole holes hollow homeless homemade homeowner homes homework
    honesty hook hooked hooks horizon horn horror horse horses hose hosepipe hospitality host hostile hosting hosts hotels
    hourly housework hover hullo human humans humid humorous humour hunting hurting hurts hut hydrant hygiene ice iced icon
    icons identical identity idle ignore ignored ignoring illegal illness image images imagination imagined import
    importance imported impressed impression impressive improved improvement improvements improving inaccurate inbox inch
    inches incident inclined incoming incomplete inconvenience inconvenient independent index indoor indoors industrial
    industry infant infants infected inform informal infrastructure ingredients inhaler inherited initially initials
    injection injections ink inner input inquire inquiries insect insects insert inserted insisted inspected inspector
    installer installers installments instalments instrument insulation insult insulted insulting insurer intact intel
    intended intense intention interactive interesting interfere interim interior internal internally interpret interpreter
    interrupt interrupted introduced introduction invalid invention invest investigate investigated investigating
    investigation investment invitation invitations invite invited irregular irresponsible irritated irritating island
    isolate isolated itchy item itinerary jail jam jammed jams jar jars jaw jaws jealous jeans jets jewellery jewelry
    jogging joined joints jokes joking journal journeys joyful jug juice juicy jumped jumper jumping jumps junction jungle
    junk jury keyboard keyhole keypad kick kicked kicking kidding kidney kidneys kill killed killing kilometers kilometres
    kilos kindly kindness kinds kiosk kiss kitchens kits kitten kittens kneel knees knife knives knob knobs knocked knocking
    knot knots knowledge labels labour lacking ladders lads lag lagging laid lakes lamps landing landmark lands landscape
    lanes language languages lap laps laptops largely laser lasted lasting lasts latch laugh laughed laughing laughter
    launch launched laundromat lawn lawns lawsuit lawyers lay layer layers laying layout lays laziness lazy leaflet leaflets
    leak leaked leaking leaks leaky leaning leap learned learning learnt lease leash leather lectures leftover legally
    leggings legs leisure lemon lemonade lemons lender lenders lending lens lenses lesson lessons lethal lettuce levels
    liable liar library licences licensed licensing lick lid lids lie lies lifeline lifetime lifted lifting lighter lighting
    lightly lightning likes likewise lime limestone limits linen liner lining lips liquid liquor listened listens literature
    litre litres litter liver livestock loading loads loaf loans lobby locally locate locating locations lockers locking
    locks loft logs lonely longest lookup loosely loosen lords lorries loser losing lottery loudly loudspeaker lounge lousy
    lover lovers loving lowered lowest loyal loyalty lump lumps lumpy lunches lung lungs luxury lying lyrics machines mad
    madness magazines magical magnet magnets maid mailing mailman maintained majority makeup male malfunction malfunctioning
    mall management managers managing mandatory manners manual manually manufacture manufacturer maps marathon margin
    marketing markets marking marriage marriages marry mask masks mass massage massive matched matches matching materials
    maternity mates maths mats matters mattresses mature mayonnaise meaning meaningful meantime meanwhile measured
    measurement measurements measuring mechanic mechanical mechanism medal meetings mega melt melted melting memories mend
    mental mentally mentioning mercury merely mess messaging messed messenger messing messy metals meters metre metres
    microphone microwave midweek mighty mild mildew mileage military minds minimal mining ministry minority miracle mirror
    mirrors miserable misery misleading misplaced mispronounced misread misspelled misspelt mist mistaken mistakes
    misunderstanding misunderstood mixed mixer mixing mixture moan moaning mobiles mobility moderate modest moisture mold
    moldy monitoring monitors monkey monster monsters mood moods moped moral mortgages mosquito moths motion motions
    motorbike motorcycle motorist motors motorway mould mouldy mountain mountains mounted mourning mover movers moves movie
    movies mower mowing muddle muddled muddy muffin mug mugs multi muscle muscles museum mushroom mushrooms musical musician
    mute muted mutual mystery nails naked nanny nap napkin napkins nappies nappy nasty nation natural naturally nature
    naughty nausea nauseous navigation navy neat needle needles negotiate neighbors neighbourhood neighbours nephew nerve
    nerves nest net nets neutral newborn newest newly newsletter newspaper newspapers nickname nightmare nights noisy
    nominated non nonsense noodles noon nor northern nose nosebleed nosy notebook notepad noting notion novel nowadays
    nowhere nozzle nuclear nuisance numb numbness numerous nursery nurses nursing nuts nylon oars obey objection objects
    obligation obliged observe obstacle obtain occasional occasionally occupation occupied occupy odd oddly odds odour
    offence offended offense offensive officers officially offset oil oils oily ointment olives onion onions onto onward
    onwards oops opened opener opens operated operating operation operations operators opinions opportunity opposed opposing
    optical optician optimistic oranges orchestra organic organisation organization organized orientation origin originated
    ornament outdoor outdoors outer outfit outfits outgoing outlets outline output outrageous outsourced oven ovens
    overcharge overcharging overcooked overdraft overdrawn overflow overflowing overhead overlap overlooked overseas
    overtime overturned overview overwhelmed owes owing owners ownership owns oxygen packaging packing pad padded padlock
    pads painful painkiller painkillers painted painting paintings paints pairs pajamas pale palm pancake panels panic
    panicking pans pants paperback paperwork parade paralysed parcels parental parliament parrot passcode passive pasta
    pastry patch patches paths patio pattern patterns paused pavement payable paycheck payday payments payroll peace
    peaceful peaches peanut peanuts peas pedal pedals pedestrian peel peeled peeling penalties pencil pencils pension
    pensioner pensioners pensions peppers perfectly perform performance performed perfume periods permissions permits
    persist personnel persuade petrol pharmacies pharmacists phase phoned phoning photocopy photograph photographer
    photographs phrase physically physician piano pickle pickles pickup picky picnic pie pies pig pigeon pigs pile piled
    piles pillow pillows pilot pinch pine pink pint pints pipes pirate pit pitch pixel pizza pizzas plain plainly plants
    plaster plates platforms platter played players playground playlist pleasant pleased pliers plot plots plugged plugs
    plumbing plums plunger plus pockets pod podcast pods poem poet pointed pointing pointless points poison poisoned pole
    poles police policeman polish polite politely politics pollen pollution pony pools poorly pop popped popping pops porch
    pork portable portion portions portrait posh positions positively possess possession possibilities postage poster
    posters posting postman posts pot potato potatoes potentially pots pour poured pouring poverty powdered powered powerful
    practical practically practise prank prawns pray prayer precaution preferably preference preferences prefix premises
    premiums preparation preparing presence presentation presented presently preserve presumably pretend prevented prevents
    prey priced pricey pricing pride primarily primary principal print printers printing prints priority prison privacy
    prizes probe problematic procedures proceeded producing production profession professor profit profitable profits
    prohibited project projector projects prominent promises promising prompt prompted promptly prompts pronounce pronounced
    proofs properties proportion proposal propose proposed prosecute prospect protected protecting proudly proven providers
    province provision provisional pub publicly publish published pubs pudding puff pulling pulls pulse pump pumped pumping
    pumpkin pumps punch punched puncture punctured punish punished pupil puppies puppy purchaser purchasing purely purify
    pursuit push pushes puzzle puzzled pyjamas quarrel quarterly queries query quest questioned questionnaire questions
    queues quickest quid quilt quit quits quiz quota quotation quotes quoting rabbit rabbits race races racing rack racket
    racks radiator radiators radical radios rag rage rail rails railway rainfall raining rains rainy raising rally ramp
    random randomly ranges rank rapid rapidly rare rarely rashes rat ration rats rattle rattling raw razor reaches reaching
    react reacted reacting readable readings reads realising realistic rear reasonable reasonably reasons reassurance
    reassure reassuring rebate rebates rebook rebooked rebooking rebooting rebuild recall recalled recalls recipe recipes
    recipient reckless reckon reclaim recliner recognised recognition recommendation recommendations recommending reconnect
    reconnected reconsider recorder recordings recovered recovering recreation recruit rectify recurring recycle recycled
    recycling redecorate redeemed redelivery redirect redirected redo reduces reducing reduction redundant reel referring
    refers refilled refilling reflection reform refresh refreshed refreshing refreshments refrigerator refuel refugee
    refundable refunding refurbished refusal refuses refusing regardless regards regime regional regions registers
    registrations regret regrets regularly regulated regulation regulations regulator reinstall reinstalled reinstate
    rejecting relate relates relating relations relative relatively relatives relax relaxed relaxing relay relieved
    religious relocate relocated relocating reluctant rely remained remark remarkable remedies remedy remembered remembering
    remembers reminded reminders reminding remortgage removal removals removing renovate renovated renovating renovation
    renowned rented renting rents reopen reopened reopening reorder repaid repairing repairman repay repayment repayments
    repeatedly repeating repeats replacements replacing replies replying reporting reports represented republic reputable
    reputation requesting requires requiring rescue resent reserves reserving resets resetting residential residents resign
    resist resolution resolving resort resources respect responded responding responses responsibility responsible rested
    resting restless restoring restrict restricted restriction restrictions resubmit resulted retailer retailers retain
    retire retirement retrieve retrieved retry returnable reusable reveal revealed revenue reverse reversed reversing
    reviewing revised revision reward rewards rib ribbon ribs ridden ridiculous ridiculously rightly rights rigid rinse rip
    ripe ripped rise risen rising risks risky roads roast robbed robbery robot robots rocket rocks rods roll rolled roller
    rolling rolls romantic roofing roofs rooms root roots rope ropes rotate rotten rough roughly rounded routers routes
    routine routinely rows rub rubbed rubber rubbing rubbish rudely rug rugs ruin ruined rumour rung runner runny rural
    rushed rushing rust rusted sack sacked saddle sadly safely safer safest sail sailing salad salads salaries salty sand
    sandals sandwich sandwiches sat satellite satisfaction satisfactory satisfying sauce sauces sausage sausages saves
    savings sawn scaffolding scale scales scalp scam scammed scammer scammers scams scanning scans scar scare scarf scary
    scattered scene scenes scent scheduling schemes scholarship schools science scientific scientist scissors scooter scope
    scorched scored scores scrap scraped scratch scratched scratches scratching scream screaming screens screw screwdriver
    screwed screws script scroll scrub sealed seals searched searches searching season seasonal seasons seated seating
    secondary secondly seconds secrecy secretary secretly sections sector secured securely seeds seeing seek seeking sees
    seized seldom selection self selfish selling sells semi seminar sends senses sentence sentences sentimental separated
    separation sequence serially series serve served serving servings sessions sets severely sew sewage sewing sex sexual
    shadow shaken shakes shaking shall shame shampoo shapes shares sharp sharply shattered shave shaved shaver shed sheds
    sheep sheer sheets shell shelter shelves shield shifts shine shines shiny shipments shirts shock shocked shocking shoe
    shoot shooting shops shore shorter shortest shortly shorts shot shots shoulders shouted shouting shovel showed shower
    showers showing shown showroom shredded shrink shrug shrunk shuts shutters shutting shuttles shy sibling siblings
    sickness sidewalk sideways sight sights signals significant significantly signing signup silence silk silly similarly
    simpler simplest simplify sin sincere sincerely singing singles sinks sinus sip sirens sisters sites sits situated
    situations sizes skating sketch ski skiing skill skills skinny skipping skirt skirts slab slack slam slammed slap slate
    sledge sleeper sleeps sleepy sleet sleeve sleeves slept slice sliced slices slid slide slides sliding slight slip
    slipped slippers slippery slipping slips slogan slope slopes slots slowed slowing slowly slows smaller smallest smash
    smashed smear smell smelled smelling smells smelly smile smiled smiles smoked smoothly smudged snack snacks snag snail
    snake snakes snap snapped snapping sneeze sneezing snoring snowed snowing snowy soak soaked soaking soap soccer socket
    sockets socks soda sofas soften softly soil solar solely solicitors solid solo solutions solving sometime song songs
    soreness sorted sorting soul soup sour sources southern souvenir spaces spacious spade spam spanner sparkling spat
    speaker speakers specialists specially species specification specified specify spectacles spectacular speeding speeds
    spending spends spices spicy spider spiders spill spilled spilling spills spilt spinach spinal spine spinning spins
    spiral spirit spit split splits splitting spoiled spoilt sponge sponsor sponsored spoon spoons sport sports sporty spots
    spotted spouses sprain sprained spray sprayed spraying spread spreading sprinkler squad squash squashed squeak squeaking
    squeeze squeezed squirrel stab stability stables stack stacked stacks stadium staffed staffing stages staggering stain
    stained stains stair staircase stake stale stalled stamps standards stands staple stapled stapler staring starter
    starters starve starving statements states static stationary stationery statistics statue stays steadily steady steak
    stealing steam steaming steep steering stem stepped stereo sterile sticking sticks sticky stiff stiffness sting stinging
    stings stink stinks stir stitched stitches stocked stocking stocks stomachache stool stools stores stories storms stove
    strain strand stranded strap straps straw strawberries strawberry stream streaming streams streets strength stress
    stressed stressful stretch stretched stretcher strict strictly strike strikes striking string strings strip striped
    stripes stroke strokes stroller structure struggle struggled struggling stuffed stuffy stumbled stumped stunning
    stupidly sub subject subjects submission submitting subscribers subscriptions subsequent substance substantial
    substitute subtitles subtle subtract suburb subway succeed success successful successfully sudden suffer suffered
    suffering sufficient suffix suggestion suggestions suggests suicide suite suites suits sums sunburn sunglasses sunlight
    sunrise sunset super superb supermarket supermarkets supper supplement supplements supplied suppliers supporting
    supports suppose surcharge surface surfaces surge surgeries surgical surplus surprise surprises surprising surprisingly
    surrounded surroundings surveyor surveys survive survived suspect suspected suspension suspicious sustain swallowed
    swallowing swapped swapping swear sweat sweater sweating sweep sweeping sweets swelled swelling swept swiftly swim
    swimming swing swipe swiped swiping switches switching symbol symbols sympathetic sympathy symptom syringe syrup
    systematic tabs tackle tags tail tailor takeaway takeout tale talent talks tan tangled tanks tap taped tapes tapped
    tapping taps tar targets tariffs tasks taste tasted tastes tasty tatty taxable taxed teachers teaching teams tear
    tearing tears teaspoon tech technically technicians technique technology teenage teenager teenagers teens teeth telly
    template temples tempted tenancy tenants tendency tender tense tension tent tents terminals terminated termination
    terribly terrific terrified territory terror terrorism tester textbook textile texting texture thanked thankful
    thankfully thanking theater theatre theme theory thereafter thermal thermometer thermostat thicker thief thieves thinks
    thinner thirst thirsty thirteen thirteenth thorough thoroughly thoughtful thoughts thread threaten threatened
    threatening threats thrilled throughout throwing thrown throws thumb thunder thunderstorm ticked ticking tide tidied
    tidy tie tied tier tiers ties tighten tightened tighter tightly tile tiled tiles timely timeout timer timers times
    timetable timing timings tin tinned tins tint tips tires tiring tissue tissues title titles toast toasted toaster
    tobacco toddler toddlers toe toes toiletries toilets token tokens tolerate toll tolls tomato tomatoes ton tones tongue
    tonne tonnes tons tonsils tools toothache toothbrush toothpaste topics topped topping tops torch tore torn tornado
    tortoise totally totals touched touches touching tough toured tourist tourists tours tow towards towed towel towels
    tower towing townhouse towns toxic toy toys traced traces tracks tracksuit tractor traded trader traders traditional
    tragedy tragic trailers trails trained trainee trainer trainers training tram trams transcript transferable transferring
    transfers transformed transit transition translation translator transmission transparent transported trap trapped traps
    trauma traveled traveler travelled traveller travellers tray trays treadmill treasure treatments treats tree tremendous
    trend trends trespass trespassing trials triangle tribe tricked tricky triggered trim trimmed trips trivial trolley
    troops tropical troubled troubles troubleshooting trousers trucks truly trunk trusted trusting trusts tub tubes tumble
    tumour tuna tuned tunnel turkey turning turnover tutor tutorial tweak twelfth twentieth twin twins twist twisted
    twisting typically typo tyre tyres ulcer ultimate ultimately umbrella unacceptable unanswered unauthorised unauthorized
    unaware unbelievable uncertain uncomfortable unconscious uncover underground underneath understandable understandably
    understands underway underwear undo undone unexpected unexpectedly unfinished unfold unfortunate unfriendly unhelpful
    unimportant unique universal universe university unlikely unlocking unlucky unnecessary unpaid unplug unplugged
    unplugging unprofessional unreadable unreasonable unreliable unsafe unsatisfactory unsecured unsolicited unsubscribe
    unsuitable unsure untidy unused unusually unwanted unwell upfront upgrades upgrading uphill upload uploading upsetting
    upside upstate upwards urban urge urgency urine usable useable utilities utter utterly vacancies vacancy vacant vacuum
    vacuuming vaguely validate validated validity valley valuable valuables valuation value valued values valve valves
    vandalised vandalism vanilla vanish vanished variable variation varied varies varnish vary vast vault vegan vegetable
    vegetables vehicles veil vein velvet vending vent ventilation vents venture venue verbal verbally verdict verge vermin
    versions versus vertical vessel veteran veterinary vets viable vibrate vibrating vibration vicious victim victims videos
    viewing views village villages violation violence violent viral virtual virtually virus viruses visa visas visibility
    vision visual vital vitamin vitamins vivid vocabulary voicemails void volcano volt voltage volunteer volunteering vomit
    vomited vomiting vote voted voting vulnerable waist waiter waiters waitress waive waived waiving wake wakes waking
    wander war wardrobe wardrobes warmer warmth warn warned warns warranties wars wash washable washed washes wasp wasps
    waste wasted wasting watched watches watered watering waterproof waves wax weakness wealth weapon wear wearing wears
    weary weaving webcam wedding weddings weed weeds weekday weigh weighed weighing weighs weights welding welfare wellness
    western wetter wheelchair wheels whilst whistle whistling wholesale wholly wicked widely wider widow widower width wig
    wildlife willingly windscreen windshield windy wing wings wipe wiped wipers wipes wiping wired wiring wisdom wisely
    withdrawals withdrawing withheld withhold witnessed witnesses wobbling wobbly woodwork wool woollen workout workplace
    workshops worktop worm worms worrying worsen worsening worship worthless worthwhile wounded wounds wrapped wrapping
    wraps wreck wrecked wrist wrists writes yacht yards yarn yawn yeast yell yelled yelling yoga yogurt youth youths zeros
    zipped zipper zone zones zoo zoom
    """
)
"""Lower case. Words that are also common given names, surnames or towns do not stand here."""
