"""More everyday words of calls, so that a rule which looks for names and values knows what is neither.

Words that are also common given names, surnames or towns do not stand here.
"""

from __future__ import annotations

from gateway.redaction.tables import words

EVERYDAY = words(
    """
    accept accepted access accident accordingly activate activated activation actual added adjust adjusted admit admitted advise
    advised afford agreed agreement aid alarm allergic allergies allergy allow allowed alternative annoyed annual answered
    anytime apart apologies apologise apologize app apparently appeared applied apply appointments appreciate approve approved
    area arrange arranged arrival arrive arrived arrives arriving article assist assistance assume attach attached attempt
    attempted attempts authorize authorized automatic average avoid awful
    baggage bags bank's banking based basic basket batch battery became become bedroom began begin beside bet beyond bills bit
    blocked blood blue board body booked bookings bottle bottom bought box brand break breakfast breaks bridge bright
    broadband broke browser budget bundle bus busy button
    cabin cable cake calendar camera campaign cancellation cancelled cancelling cannot capital captain car cash cashier catch
    category caught cause caused center centre certain certificate chance changes changing channel charger charges charging chat
    cheap cheaper checked checking checkout cheque child children choice choose chose chosen claims clarify class clean
    cleaning clerk click clicked client clinic clock closed closer closing clothes coffee cold collect collected collection
    colour color comes comment common compare compared compensation complain complained complaint completed completely
    computer concern concerned concerning condition conditions confirming confirms confused connect connected connecting
    connection consider contacted contain contains content continue contract control convenient conversation cook copies copy
    corner costs couch counter couple courier course cover covered crash crashed create created cupboard current currently
    customers cut
    damage damaged dark data dates daytime dead deadline deal dealing dealt decide decided decision declined deductible deep
    delay delayed delays delete deleted deliver deliveries delivering demand dental deposit describe described desk despite
    details device diagnosis dial dialled did died diet difference difficult difficulty dinner direct directly disappeared
    disconnect disconnected discount discuss discussed dishwasher disk display dispute distance document documents dog dollar
    doors double doubt download downloaded downstairs dozen draft drink drive driving drop dropped dry due dust duty
    ear earlier easily east easy eat economy effect effective either electric electricity electronic elevator eligible else
    emailed emails employee employer empty enable enabled engineer enjoy enquiries enquiry entered entering entire entrance
    entry envelope equipment error escalate especially estimate euro euros even evenings event eventually exact exam example
    excellent except exchange exchanged existing expect expected expensive experience expires explain explained explore
    express extend extended extension eye eyes
    faced facility failed fair fall false familiar far fault faulty favour favorite fault fees feeling fees feet fell felt
    fever few figure filed fill filled filling final finally finance financial finding finished fire fit fitted fixed fixing
    flat flew flights flood floor flu fly flying folder followed follows food foot forever forget forgetting forgot form forms
    fourth freeze fresh fridge front frozen fuel full fully function fund funds funny furniture further future
    gap garage garden gas gates gather gear general generally gets gift giving glad glass global gold goods google graph
    groceries ground group grow grew guarantee guess guest guide gym
    hair hall handed handle handled handles handy hanging happening happens hardly hate headache health healthcare hearing
    heart heat heating heavy height hello helped helpful helping helps hence hidden high higher highest himself herself
    hiring history hit hold holiday holidays honest hoping horrible hot hotel household housing huge hundred hurry hurt
    idea ideal identify ill imagine immediate immediately importantly improve include included includes including income
    incorrect increase increased indicate individual infection informed initial injured injury inquiry inspect inspection
    install installation installed installing instance instant instructions insulin insured intend interest international
    interview introduce inventory invoice invoices involved issued issues items
    jacket joining joint joke judge jump junior
    keeping keeps key keys kids kilometer kitchen knee knew knock knowing known knows
    label lab laboratory lack ladder landed landline laptop large larger largest lately latest laundry law lawyer lead
    learn leaves leaving led leg legal lend length lesser letting letters level liability lift lights liked likely limit
    limited lines link linked links listed listening load loan loaded local location lock locker logged logging login logo
    longer looked looks loose loss lots loud low lower luck luggage lunch
    machine magazine mailbox mailed main mainly maintain maintenance major manage managed manager map marked market master match
    material math mattress maximum meal meals means measure meat media medication medications medicine meeting membership
    memory mention mentioned menu merchant messages metal meter method midday midnight migrate mile milk million minimum
    minor minus missing mistake mix mobile mode model modem modern modify monitor monthly mortgage mostly motor mouse mouth
    multiple music
    narrow national nearby nearest nearly neck necessary negative neighbour neighbor neither nervous network networks nineteen
    noise normal normally north note notes notice noticed notification notifications notify notifying nurse nut
    object obvious obviously occasion occur occurred offered offering offers officer offline older ones ongoing operate
    operator opinion opposite optional options orange ordering orders ordinary organise organize original originally others
    otherwise ought outage outcome outlet outstanding overall overcharged overdue overnight owe owed owned owner
    pack packages packed packet page pages pain paint pair panel paper papers paragraph paramedic parcel parents park parked
    parking partial particular particularly partly partner parts party passed passenger passengers passing past paste path
    patience patients pause pays peak pen pending penalty per percent percentage period permanent permission permit personal
    pet phones photo photos physical pick picked picking picture piece pieces pill pills pipe placed places plane planned
    planning plans plastic plate platform play playing pleasure plenty plug plumber pocket policies pool poor popular
    portal position positive possibility possibly post postage posted potential pounds powder power practice precise
    preferred pregnancy pregnant premium prepaid prepare prepared prescribed prescribes prescribing prescriptions present
    press pressed pressing pressure pretty prevent previous previously prices printed printer prior private prize procedure
    proceed process processed processing product products professional program programme progress promise promised promotion
    proof proper properly property protect protection proud prove provide provided provider provides public pull pulled
    purchase purchased purchases purple purpose purse pushed putting
    qualify quality quantity quarter queue quicker quiet quote quoted
    radio rain raise raised ran rang range rash rate rates reach reached reaction reader reading realise realised realize
    reboot rebooted receipt receipts receiving recent reception recharge recognise recognize recommend recommended recommends
    recorded recording records recover recovery red redeem reduce reduced referral referred refill refills reflect refunded
    refunds refuse refused regard regarding region registered registering registration regular reject rejected related
    relationship release released relevant reliable relief remain remaining remains remind reminder remote removed remove
    renewal renewed renewing rent rental repair repaired repairs repeated replaced replacement replied reported represent
    request requested requests require required requirement requirements reschedule rescheduled reservation reservations
    reserve reserved residence resident resolve resolved respond response rest restart restarted restaurant restore result
    results resume retail retired returned returning returns review reviewed rid ride ring ringing rings risk road roaming
    roof roommate round router row rude rule rules run running runs rush
    sad safe safety salary sales sample satisfied save saved saving scan scanned scanner scared schedule scheduled scheme
    school score screen search seat seats secret section secure security seem seemed seems selected select sell seller
    sender senior sense sensitive separate separately serial serious seriously server serves services session setting
    settings settle settled setup several severe shall shape share shared sharing sheet shelf shift shipment shipping
    ships shirt shoes shopping short shoulder shout shut shuttle sick side signal signature signed signs silent silver
    similar simply single sink site sitting situation size skin skipped sleep sleeping slightly slot slower smart smartphone
    smoke smoking smooth sofa soft software sold solution solve solved somehow sometimes somewhat somewhere sooner sore
    sort sound source south space spare special specialist specific specifically speed spend spent spoke spoken spot square
    stable staff stage stairs stamp stand standard standing star starting starts station status stayed staying steal step
    steps stick sticker stolen stomach stood stopped stopping stops storage stored storm story straight strange stranger
    strong stuck studio study stuff stupid style submit submitted subscribe subscribed suddenly suggest suggested suit
    suitcase suitable sum summary supplier supplies supply supported surely surgery surprised survey suspend suspended
    swap switch switched swollen symptoms system systems
    table tablet tablets tablets takes tall tank tape target tariff task taught tax taxes taxi tea teach team technical
    technician telephone television temperature temporarily temporary tend terms terrible test tested testing tests
    texted texts thank theft themselves therapist therapy therefore thick thin thinking thousand threat threw throat throw
    tight tiny tip tire toilet tone tool tooth top topic total touch tour towards town track tracked tracking trade
    traffic train trains transaction transactions transferred translate transport trash traveling travelling travels treat
    treatment trial trick tries trip troubleshoot truck true trust truth tube turned turns twelve twenty twice type typed
    types typical typing
    misspelled misspelt
    ugly unable unavailable unclear understanding understood unfair unhappy unit units unknown unless unlimited unlock
    unlocked unusual upcoming updated updates updating upgrade upgraded uploaded upper upstairs urgent urgently usage
    useful useless user users uses utility
    vacation vaccine vague van variety various vegetarian vehicle vendor verified verify verifying version via video view
    viewed visible visited visiting visitor visits voice voicemail volume voucher vouchers
    wages waited walk walked walking wall wallet warehouse warm warning warranty washing washer watch watching water weak
    weather website weekdays weekly weight weird welcome west wet whatever wheel whenever wherever whether whichever
    whoever whole wide wifi wi-fi willing win window windows wine winter wire wireless wish wished withdraw withdrawal
    withdrawn witness won wonder wondering wooden word words worked worker works workshop world worried worry worse worst
    worth wound wrap writing written wrongly
    x-ray yard yearly yellow yet younger yourselves
    he'll she'll they'll it'll that'll there'll we'd they'd he'd she'd it'd you'd who'd weren't hadn't mustn't shouldn't
    needn't they've should've could've would've might've must've who've y'all gonna gotta wanna kinda lemme ok'd
    mister missus everyone anybody nobody's folks mate buddy darling sweetheart love pal dude thanks bud champ cheers
    hundredth thousandth half halves third thirds quarter quarters dozen
    monday's today's tomorrow's tonight's yesterday's week's
    pharmacist receptionist landlord landlady accountant advisor adviser operator dispatcher salesman
    born aged old-fashioned brand-new part-time full-time follow-up check-in check-out pick-up drop-off sign-up log-in
    aadhaar ssn iban nhs pan pin cvv otp vat gst gdpr usb sim esim gps hdmi pdf
    """
)
"""Lower case."""
