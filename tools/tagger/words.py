"""Words that values are made of, written down by hand. Given names and surnames here are common ones; Faker adds rare ones."""

from __future__ import annotations


def _words(table: str) -> list[str]:
    return table.split()


def _phrases(table: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in table.split(",")]


GIVEN_COMMON = _words("""
    James Robert Michael David William Richard Joseph Charles Christopher Daniel Matthew Anthony Steven Paul Andrew Joshua
    Kenneth Kevin Brian George Timothy Ronald Edward Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry
    Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Raymond Jack Dennis Jerry Tyler Aaron Jose Adam Nathan
    Henry Zachary Douglas Peter Kyle Noah Ethan Jeremy Walter Christian Keith Roger Terry Austin Sean Gerald Carl Dylan
    Harold Jordan Jesse Bryan Lawrence Arthur Gabriel Bruce Logan Billy Joe Alan Juan Elijah Willie Albert Wayne Randy
    Mason Vincent Liam Roy Bobby Caleb Bradley Russell Lucas Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Karen
    Sarah Lisa Nancy Sandra Betty Ashley Emily Kimberly Margaret Donna Michelle Carol Amanda Melissa Deborah Stephanie
    Rebecca Sharon Laura Cynthia Dorothy Amy Kathleen Angela Shirley Emma Brenda Pamela Nicole Anna Samantha Katherine
    Christine Helen Debra Rachel Carolyn Janet Maria Catherine Heather Diane Olivia Julie Joyce Victoria Ruth Virginia
    Lauren Kelly Christina Joan Evelyn Judith Andrea Hannah Megan Cheryl Jacqueline Martha Madison Teresa Gloria Sara
    Janice Ann Kathryn Abigail Sophia Frances Jean Alice Judy Isabella Julia Denise Amber Beverly Danielle Marilyn
    Charlotte Natalie Theresa Diana Brittany Doris Kayla Alexis Lori Marie Oliver Harry Alfie Charlie Freddie Archie Theo
    Oscar Poppy Freya Imogen Florence Gareth Nigel Graham Colin Trevor Duncan Fiona Gemma Hayley Siobhan Niamh Aoife Eoin
    Rhys Angus Hamish Callum
    """)
GIVEN = _words("""
    Aarav Aditya Akash Amit Anil Anita Anjali Ankit Arjun Aruna Asha Ashok Bhavna Chandra Deepa Deepak Dinesh Divya Gaurav
    Geeta Gopal Harish Hemant Indira Ishaan Jaya Jyoti Kamal Karan Kavita Kiran Krishna Lakshmi Lalita Madhu Mahesh Manish
    Manoj Meena Meera Mohan Mukesh Naveen Neha Nikhil Nisha Padma Pankaj Pooja Prakash Prasad Pradeep Preeti Priya Radha
    Rahul Raj Rajesh Rakesh Ramesh Rani Ravi Rekha Rohan Rohit Sachin Sandeep Sangeeta Sanjay Sarita Shanti Shilpa Shreya
    Siddharth Sita Sneha Sunil Sunita Suresh Swati Tanvi Uma Usha Vandana Varun Vidya Vijay Vikram Vinod Vishal Yash
    Venkatesh Subramaniam Thirumal Gurpreet Harpreet Manpreet Jaspreet Mohammed Ahmed Ali Hassan Hussein Omar Khalid
    Ibrahim Yusuf Tariq Bilal Faisal Hamza Imran Jamal Mustafa Nasser Rashid Saeed Samir Walid Zaid Fatima Aisha Khadija
    Layla Mariam Noor Salma Yasmin Zainab Huda Amina Rania Dina Hanan Nadia Samira Leila Farah Abdullah Abdulrahman
    Mahmoud Ayman Sherif Tamer Wael Ziad Rami Bassam Reem Dalal Ghada Lubna Maha Sahar Soraya Parisa Reza Farhad Shirin
    Daryush Wei Ming Jing Li Xin Yan Hui Ying Mei Xiu Fang Jun Lei Qiang Tao Hao Chen Yu Zhi Xiaoming Xiaoli Jianguo Yifan
    Zihan Haoran Ruolan Hiroshi Kenji Takashi Yuki Sakura Haruto Aiko Naoko Satoshi Kazuki Emi Keiko Yoko Makoto Ryota
    Minji Jisoo Hyunwoo Seojun Jiwoo Eunji Sunghoon Minho Yejin Haeun Dongwook Nguyen Linh Minh Thuy Tuan Huong Dung
    Phuong Thanh Quang Somchai Siriporn Nattapong Budi Siti Dewi Putri Agus Wayan Jose Maria Rizal Maricel Jun-Jun Luis
    Carlos Javier Miguel Alejandro Fernando Rafael Diego Pablo Sergio Raul Ricardo Eduardo Roberto Manuel Francisco
    Antonio Guadalupe Carmen Lucia Isabel Rosa Elena Pilar Dolores Mercedes Ximena Valeria Camilo Mateo Santiago Ignacio
    Joaquin Esteban Rocio Consuelo Beatriz Soledad Hans Klaus Jurgen Wolfgang Dieter Uwe Matthias Stefan Andreas Ulrike
    Sabine Petra Monika Heike Birgit Anke Katrin Heinrich Gunther Lukas Felix Jonas Leon Finn Pierre Jacques Francois
    Michel Philippe Laurent Thierry Nathalie Sylvie Isabelle Veronique Camille Margaux Giovanni Giuseppe Luigi Marco
    Alessandro Francesca Chiara Giulia Paolo Matteo Lorenzo Olga Natasha Dmitri Sergei Vladimir Igor Tatiana Svetlana
    Anastasia Yelena Mikhail Oleksandr Oksana Bogdan Agnieszka Katarzyna Wojciech Krzysztof Zbigniew Malgorzata Piotr
    Chukwuemeka Ngozi Adaeze Oluwaseun Folake Babatunde Kwame Kofi Ama Abena Thabo Sipho Nomvula Lerato Wanjiru Kamau
    Achieng Otieno Chidi Emeka Ifeoma Tunde Yetunde Amara Zola Ayodele Mehmet Emre Ayse Zeynep Elif Burak Murat Joao Tiago
    Fernanda Thiago Larissa Gustavo Astrid Ingrid Lars Bjorn Sven Freja Mikkel Soren Aino Eero
    """)
FAMILY_COMMON = _words("""
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Wilson Anderson Thomas
    Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen
    King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts
    Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez
    Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood James
    Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez Powell Jenkins
    Perry Russell Sullivan Bell Coleman Butler Henderson Barnes Fisher Simmons Graham Hamilton Reynolds Griffin Wallace
    West Cole Hayes Bryant Gibson Ellis Stevens Murray Ford Marshall Owens McDonald Harrison Kennedy Wells Alexander Woods
    Fletcher Hudson Whitfield Ashworth Barraclough Cholmondeley Featherstone Pemberton Sutcliffe Thornton Wainwright
    Loughborough
    """)
FAMILY = _words("""
    Sharma Verma Gupta Singh Kumar Agarwal Reddy Rao Nair Menon Iyer Iyengar Pillai Mukherjee Banerjee Chatterjee Bose
    Ghosh Sen Das Roy Joshi Kulkarni Deshpande Patil Shah Mehta Desai Trivedi Pandey Mishra Tiwari Dubey Yadav Chauhan
    Thakur Malhotra Kapoor Khanna Chopra Bhatia Arora Sethi Gill Sidhu Dhillon Sandhu Grewal Krishnan Raman Subramanian
    Venkataraman Balakrishnan Naidu Chowdhury Bhattacharya Jain Agrawal Bhatt Parikh Gokhale Rathore Shetty Hegde Gowda
    Khan Ahmed Hussain Malik Sheikh Qureshi Siddiqui Ansari Mirza Baig Farooqi Hassan Haddad Nasser Saleh Aziz Rahman
    Karimi Hosseini Rostami Tehrani Sabbagh Darwish Shehadeh Barakat Awad Mahfouz Najjar Khalil Hamdan Zayed Mubarak
    Suleiman Othman Fayed Sharif Zhang Wang Liu Zhao Huang Zhou Wu Xu Sun Ma Zhu Hu Guo He Lin Luo Gao Zheng Liang Xie
    Tang Feng Deng Cao Peng Tian Jiang Cheng Yuan Shen Pan Cai Wong Chan Leung Cheung Lau Yip Tanaka Suzuki Sato Watanabe
    Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada Sasaki Matsumoto Inoue Kimura Hayashi Shimizu Fujiwara Park Choi
    Jung Kang Yoon Jang Lim Han Oh Seo Shin Kwon Hwang Tran Pham Hoang Phan Vo Dang Bui Ngo Duong Ly Santos Reyes Bautista
    Villanueva Mendoza Aquino Magsaysay Wijaya Santoso Hidayat Fernandez Gonzalez Vargas Castro Romero Herrera Medina
    Aguilar Guzman Salazar Delgado Vega Rojas Navarro Molina Espinoza Contreras Sandoval Fuentes Cervantes Ibarra Zamora
    Villarreal Echeverria Etxeberria Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer
    Richter Klein Wolf Schroeder Neumann Schwarz Zimmermann Braun Kruger Hartmann Lange Werner Krause Lehmann Kohler
    Dubois Bernard Moreau Lefebvre Leroy Roux Fournier Girard Bonnet Lambert Rousseau Rossi Russo Ferrari Esposito Bianchi
    Romano Colombo Ricci Marino Greco Conti Ivanov Petrov Sidorov Volkov Kuznetsov Popov Shevchenko Kovalenko Bondarenko
    Kowalski Nowak Wisniewski Wojcik Kaminski Lewandowski Szymanski Okafor Okonkwo Adeyemi Adebayo Balogun Ogunleye Nwosu
    Eze Mensah Owusu Boateng Asante Mwangi Kariuki Njoroge Ochieng Dlamini Nkosi Ndlovu Mokoena Yilmaz Demir Kaya Celik
    Silva Oliveira Souza Pereira Costa Almeida Carvalho Johansson Andersson Nilsson Hansen Larsen Olsen Nielsen Virtanen
    Korhonen Papadopoulos Georgiou Stavropoulos Murphy O'Brien O'Connor O'Sullivan MacLeod McAllister Gallagher Fitzgerald
    Llewellyn
    """)
AMBIGUOUS_GIVEN = _words("""
    Mark Bill Will Grant Frank Rob Hope Joy Faith Grace Rose Lily Daisy Iris Ivy Hazel Olive Ruby Pearl Jade Dawn Eve
    Summer Autumn April May June August Angel Art Chuck Drew Gene Guy Miles Nick Pat Ray Rich Rusty Sue Chase Reed Rock
    Van Victor Carol Christian Duke Earl Major Dean Chip Skip Penny Sunny Robin Jay Wade Bishop Max Ace Clay Cliff Heath
    Glen Forrest Destiny Harmony Charity Mercy Patience
    """)
AMBIGUOUS_FAMILY = _words("""
    Long Short White Black Green Brown Gray Rice Bush Field Hill Lake Wood Woods Stone Banks Bridges Church Cross Day
    Early Fish Fox Frost Good Hand Head Holiday House Hunt Key Knight Lane Law Little Love Marsh Mayor Mills Moody Noble
    Park Parks Pepper Person Place Pond Power Price Rich Rivers Sharp Speed Star Street Strong Swift Temple Waters Weeks
    West Winter Wise Wolf Young Best Booth Branch Chance Cash Cotton Couch Crisp Curry Drinkwater Farmer Freeman Friend
    Gates Glass Golden Gold Judge Kitchen March Monday Salmon Savage Small
    """)

COUNTRY_CODES = frozenset(_words("US GB IN CA AU DE ES MX FR IT IE NZ ZA AE NG PK CN JP BR AR CO PL NL SE TR EG KE PH VN"))
CITIES = _phrases("""
    New York, Los Angeles, Chicago, Houston, Philadelphia, San Antonio, San Diego, Dallas, Austin, Jacksonville, Columbus,
    Charlotte, Indianapolis, San Francisco, Seattle, Denver, Boston, Nashville, Detroit, Portland, Las Vegas, Memphis,
    Louisville, Baltimore, Milwaukee, Albuquerque, Tucson, Fresno, Sacramento, Kansas City, Atlanta, Omaha, Colorado
    Springs, Raleigh, Miami, Oakland, Minneapolis, Tulsa, Tampa, New Orleans, Cleveland, Honolulu, Anaheim, Lexington,
    Orlando, Pittsburgh, Cincinnati, St Louis, Boise, Richmond, Spokane, Salem, Eugene, Savannah, Charleston, Asheville,
    Santa Fe, Salt Lake City, Grand Rapids, Baton Rouge, Little Rock, Des Moines, Cedar Rapids, London, Manchester,
    Birmingham, Leeds, Glasgow, Liverpool, Newcastle, Sheffield, Bristol, Edinburgh, Leicester, Coventry, Bradford,
    Cardiff, Belfast, Nottingham, Hull, Plymouth, Southampton, Reading, Derby, Dundee, Aberdeen, York, Oxford, Cambridge,
    Bath, Norwich, Exeter, Brighton, Bournemouth, Milton Keynes, Stoke on Trent, Newcastle upon Tyne, Dublin, Cork,
    Galway, Limerick, Mumbai, Delhi, Bangalore, Hyderabad, Ahmedabad, Chennai, Kolkata, Surat, Pune, Jaipur, Lucknow,
    Kanpur, Nagpur, Indore, Thane, Bhopal, Patna, Vadodara, Ghaziabad, Ludhiana, Agra, Nashik, Faridabad, Meerut, Rajkot,
    Varanasi, Srinagar, Amritsar, Coimbatore, Madurai, Mysore, Gurgaon, Noida, Chandigarh, Visakhapatnam,
    Thiruvananthapuram, Toronto, Montreal, Vancouver, Calgary, Ottawa, Sydney, Melbourne, Brisbane, Perth, Adelaide,
    Auckland, Berlin, Hamburg, Munich, Cologne, Frankfurt, Stuttgart, Dusseldorf, Leipzig, Madrid, Barcelona, Valencia,
    Seville, Mexico City, Guadalajara, Monterrey, Paris, Lyon, Marseille, Rome, Milan, Lisbon, Lagos, Nairobi, Cape Town,
    Dubai, Cairo, Istanbul, Karachi, Lahore
    """)
STATES = _phrases("""
    Alabama, Alaska, Arizona, Arkansas, California, Colorado, Connecticut, Delaware, Florida, Georgia, Hawaii, Idaho,
    Illinois, Indiana, Iowa, Kansas, Kentucky, Louisiana, Maine, Maryland, Massachusetts, Michigan, Minnesota,
    Mississippi, Missouri, Montana, Nebraska, Nevada, New Hampshire, New Jersey, New Mexico, North Carolina, North Dakota,
    Ohio, Oklahoma, Oregon, Pennsylvania, Rhode Island, South Carolina, South Dakota, Tennessee, Texas, Utah, Vermont,
    Virginia, Washington, West Virginia, Wisconsin, Wyoming, Maharashtra, Karnataka, Tamil Nadu, Kerala, Gujarat, Punjab,
    Rajasthan, Bihar, Uttar Pradesh, West Bengal, Telangana, Ontario, Quebec, British Columbia, Alberta, Queensland,
    Victoria, Bavaria, Saxony, Andalusia, Catalonia, Yorkshire, Kent, Surrey, Essex, Lancashire, Cornwall, Devon, Norfolk,
    Sussex
    """)
COUNTRIES = _phrases("""
    Germany, France, Spain, Italy, Portugal, Ireland, Scotland, Wales, England, India, Pakistan, China, Japan, Korea,
    Vietnam, Thailand, Mexico, Brazil, Argentina, Colombia, Peru, Chile, Canada, Australia, New Zealand, Nigeria, Ghana,
    Kenya, Egypt, Morocco, South Africa, Poland, Ukraine, Romania, Greece, Turkey, Sweden, Norway, Denmark, Finland,
    Belgium, Austria, Switzerland, Bangladesh, Nepal, Singapore
    """)

STREET_NAMES = _phrases("""
    Main, Oak, Pine, Cedar, Elm, Walnut, Washington, Lake, Hill, Park, Spring, North, Ridge, Church, Willow, Mill, Sunset,
    Jefferson, Cherry, Center, Railroad, Highland, Forest, Jackson, River, Meadow, Chestnut, Franklin, Lincoln, Dogwood,
    Hickory, Birch, Spruce, Magnolia, Poplar, Adams, Madison, Monroe, Broad, High, Market, Station, Victoria, Albert,
    Queen, King, George, Manor, Grange, Kingsway, Windsor, Richmond, York, Stanley, New, Green, Mill Lane, Chapel, School,
    Abbey, Castle, Bridge, Orchard, Garden, Rose, Beech, Ash, Sycamore, Hawthorn, Heather, Holly, Juniper, Laurel, Maple,
    Mulberry, Primrose, Gandhi, Nehru, Mahatma Gandhi, Linking, Brigade, Residency, Race Course, Temple, Lajpat Rai, Ring,
    Mission, Canal, Valley View, Pleasant, Prospect, Fairview, Lakeview, Harbor, Ocean, Bay, Canyon, Desert, Cactus,
    Sierra, Mesa, Camino Real, El Dorado, San Pedro, Santa Rosa, Los Olivos, Martin Luther King, Industrial, Commerce,
    Liberty, Union, College, University
    """)
STREET_FIRST = _words("""
    Silver Golden Stone Rock Wood River Lake Spring Fox Deer Eagle Hawk Crow Swan Bear Wolf Oak Elm Ash Maple Fair
    Pleasant Summer Winter North South East West Bright Clear Cold Copper Iron Glen Hazel Heath Hunter Kings Queens Bishop
    Abbots Marsh Meadow Mill Moor Orchard Haw Black
    """)
STREET_SECOND = _words("""
    field wood brook ridge dale view crest ford side ton bury hurst land stead worth well leigh mere gate bridge stone
    hill mont haven port
    """)
STREETS = _words("""
    Street Street Street Street Road Road Road Road Avenue Avenue Avenue Lane Lane Drive Drive Court Court Boulevard Way
    Place Square Terrace Close Crescent Highway Parkway Circle Trail Row Gardens Grove Mews Hill Marg Nagar Path Walk Loop
    Alley
    """)

MAIL_HOSTS = _words("""
    gmail.com gmail.com gmail.com gmail.com yahoo.com yahoo.com hotmail.com hotmail.com outlook.com outlook.com icloud.com
    aol.com live.com msn.com proton.me protonmail.com comcast.net verizon.net sky.com virginmedia.com talktalk.net
    hotmail.co.uk yahoo.co.uk yahoo.co.in rediffmail.com gmx.de web.de t-online.de yahoo.es orange.fr me.com zoho.com
    mail.com fastmail.com gmail.com
    """)
ENDINGS = _words("""
    com com com com net org org co.uk de info io us dev shop online edu
    """)
HOST_FIRST = _words("""
    blue sunny bright north pacific alpine urban rapid happy lucky little royal grand prime smart fresh pure simple modern
    classic crystal diamond emerald sapphire coral amber cobalt crimson indigo maple birch willow cactus clover lotus
    tulip orchid falcon raven otter badger panda koala salmon cedar summit valley prairie canyon harbour island lagoon
    desert glacier meadow thunder breeze comet lunar solar stellar
    """)
HOST_SECOND = _words("""
    works media design studio kitchen garden bakery coffee books travel tours fitness dental legal homes plumbing roofing
    motors bikes toys pets photos music films market trade supply tools labs tech soft data cloud systems group partners
    consulting academy school clinic care health
    """)
PAGES = _words("""
    login account profile orders photos gallery contact shop booking tickets support invoice dashboard settings home help
    news blog
    """)
HANDLE_FIRST = _words("""
    purple orange silver golden happy sleepy angry crazy lazy tiny giant cosmic electric frozen hidden jolly lucky magic
    mighty noisy quiet rapid royal secret silent spicy stormy super turbo velvet wild yellow banana biscuit butter cherry
    coconut cookie dragon eagle falcon guitar hunter jungle kitten lemon mango monkey ninja panther pickle pirate pizza
    potato rabbit rocket salmon shadow soccer sparrow spider sunshine thunder tiger tomato trumpet turtle umbrella violet
    wizard zebra bluebird football hockey tennis winter autumn freedom charlie buddy princess
    """)
HANDLE_SECOND = _words("""
    moon star river mountain forest ocean garden castle bridge tower runner rider dancer singer painter reader gamer baker
    driver fisher walker lover hunter master captain doctor queen king boy girl mom dad dog cat fox wolf lion bear owl
    whale horse bird bee rose leaf apple berry peach bean rice bread cake pie train truck boat plane car bike lamp table
    chair window pencil paper book wagon button pocket candle mirror
    """)

COMPANIES = _phrases("""
    Amazon, Netflix, Apple, Google, Microsoft, Samsung, Walmart, Target, Costco, Best Buy, Home Depot, PayPal, Visa,
    Mastercard, Verizon, Vodafone, T-Mobile, AT&T, Comcast, British Gas, Tesco, Aldi, Lidl, Ikea, Uber, Lyft, Airbnb,
    Delta, United, Lufthansa, Ryanair, EasyJet, FedEx, UPS, DHL, Royal Mail, Chase, Wells Fargo, Bank of America,
    Barclays, Santander, HSBC, Lloyds, Halifax, Aetna, Cigna, Humana, Allstate, Geico, Progressive, Dell, Lenovo, Sony,
    Nintendo, Spotify, YouTube, Facebook, Instagram, WhatsApp, Zoom, Venmo, Hertz, Avis, Marriott, Hilton
    """)
PRODUCTS = _phrases("""
    washing machine, dishwasher, laptop, toaster, vacuum cleaner, coffee machine, winter coat, running shoes, office
    chair, phone case, kettle, headphones, dining table, mattress, microwave, fridge, router, modem, printer, keyboard,
    monitor, tablet, speaker, television, blender, dress, jacket, jeans, sweater, backpack, suitcase, lamp, bookshelf,
    sofa, curtains, air fryer, iron, hair dryer, camera, watch, bicycle
    """)
MODELS = _phrases("""
    iPhone fourteen, iPhone fifteen pro, Galaxy S twenty three, Pixel eight, Windows ten, Windows eleven, PlayStation
    five, Xbox series X, MacBook Air, ThinkPad T fourteen, Surface Pro nine, Echo Dot, Fire Stick, Model three, Fiesta,
    Corolla, Civic, Golf, F one fifty, Kindle, Airpods, Dyson V eleven, version four point two, model X five hundred, HP
    LaserJet two hundred, Chromecast, Roku, Apple TV, Office three sixty five
    """)
FILLERS = _words("""
    about after again all always another around away back because before better big both bring bring busy call came change
    clear close come could day different down each early easy end enough even every far fast few find first food free from
    full game get give go good great green half hand happy hard have head hear heavy help here high hold home hope house
    how idea job just keep kind know large last late learn leave left less let life light like line little live long look
    lot love low make man many mean meet men mind money month more morning most mother move much name near need never new
    next night none north note nothing now number off office often old on once only open order other our out over own page
    pay people place plan play point pretty push put quick quite rain read ready real red rest rich right ring road room
    run said sale same say school sea see seem sell send set she shop short show side simple sit six sleep slow small so
    some soon sound stand star start state stay step still stop store street strong such sun sure table take talk tall tea
    tell ten than thank that the them then there these they thing think this those three time to today together too top
    town tree true try turn two under until up us use very visit wait walk wall want warm was wash watch water way we week
    well went were west what wheel when where which while white who why wide will win wind with woman wood word work world
    would write wrong year yes yet you young your oh are in an and ash bar bay bell bow bus can car cat cell chart cone
    corn den dean ear elm fan fee fern fin gem gym hall ham hen jam jar jet key kin kit lamb lane law lee lid loo mall mar
    may mere mill moo nap net nor nun oak oar pan pat paw pea pen pin rag ram ran ray roe row sad sam sew sham she sin son
    sue tan tar tee ton van vow war wren yen zen
    """)

VERBS = _words("""
    add allow answer arrive ask attach avoid begin block book borrow break bring build buy call cancel carry catch change
    charge check choose clean click close collect come compare complain connect cook count cover create cross cut damage
    decide deduct delay delete deliver describe disable discuss download draw drink drive drop eat edit empty enable end
    enter exchange expect explain explore extend fail fall fasten fetch fill find finish fit fix fly fold follow forget
    forward freeze get give go grow hang hear help hide hire hold hurt ignore improve include increase inform insert
    inspect install join jump keep kick knock land laugh launch lead learn leave lend lift like list listen load lock look
    lose lower maintain make manage mark match mean measure meet mention merge mix move need notice offer open order pack
    paint park pass paste pause pay peel phone pick plan play plug point post pour prefer prepare press print process
    promise provide pull pump push put raise read receive recharge recommend record reduce refill refuse reject relax
    remind remove rent repair replace reply report request reserve resolve restart return review ring rise run sail save
    scan schedule search see sell send separate set settle shake share shift ship show shut sign sing sit skip sleep slide
    slip solve sort speak spend split spread stand start stay steal stick stop store stretch submit suggest supply support
    swap sweep swim switch take talk taste teach tear tell test think throw tie touch tow track trade train transfer
    translate travel treat trim trust try turn type unlock unplug update upgrade upload use verify view visit wait wake
    walk want warm warn wash waste watch wear weigh whisper win wipe wonder work worry wrap write
    """)
NOUNS = _words("""
    adapter airline alarm antenna apple apron arm attachment attic aisle baby bag baggage ball bandage bank basement
    basket bath battery beach bed belt bench bill blanket blister blood board boat boiler bolt bone book boot bottle bowl
    box bracelet brake branch bread breakfast brick bridge broadband brochure brush bucket building bulb bumper burner bus
    butter button cabin cabinet cable cake calendar camera candle capsule car carpet cart carton case cash cat ceiling
    centimetre chain chair channel charger cheese chest chicken child chip clinic clock cloth clothes cloud club coat code
    coffee coin collar colour comma compartment complaint computer concert connection connector contract copy cord corner
    corridor cost cot cotton cough coupon courier cover cream crown cup cupboard curtain cushion customer damage date deal
    deck degree delay deposit desk dessert detergent device diet dinner discount dish disk display dock dog door dose
    dozen drawer dress drill drink driver drop dryer dust duty ear egg elbow elevator engine engineer entrance envelope
    error estimate evening exam exit extension eye fabric faucet fan fare fault feature fee fence fever fibre file film
    filter finger fire flag flash floor flour flower flu folder food foot fork form formula frame freezer fruit fuel
    furniture fuse game garage garden gas gate gift gig glass glove glue goods grain gram grass group guest guide gym hair
    hallway hammer hand handle hat head headache heater hinge hole holiday hook horn hose hospital hour house ice ink
    insect insurance interest invoice item jar jacket juice jump kettle key kid kilo kilometre kitchen knee knife label
    ladder lamp landing language laptop law lawn leak leather leg lemon lens lesson lid light lime limit line lining link
    list litre loaf loan lobby lock lorry luggage lunch machine magazine manual map mat match meal meat medicine medium
    meeting memory menu message meter metre middle mile milk milligram minute mirror model module moment monitor month mop
    motor mouse mouth movie mug muscle music nail napkin neck necklace needle network newspaper night noise noodle nose
    note notice number nurse nut offer office oil onion operator option orange order oven overdraft oxygen package packet
    page pain paint pair pallet pan panel paper parking part partner party passenger paste patch path patient payment
    peach pedal pencil pension pepper period permit pet petrol phone photo picture piece pill pillow pipe pizza plan plane
    plant plaster plate platform plug plumber pocket point police polish pool port porter portion post pot potato pound
    powder pram premium price printer prize problem program promotion protein pump puppy purse quantity quarter queue
    quote radiator radio rail rain ramp range rash rate ration ray razor reader rebate receipt recipe record refund region
    reminder remote rent repair report request rice ring roof room rope route row rubber rug rule salad salt sample
    sandwich sauce scale scarf schedule school scooter score screen screw seal season seat second section sensor service
    session shade shampoo share shed sheet shelf shelter shift ship shirt shoe shop shoulder shower shutter side sign
    signal signature silk sink sister site size skin sleeve slice slot smoke snack snow soap sock socket sofa software
    sole song sound soup spare speaker speed spoon spot spray spring staff stage stair stamp stand state statement station
    steam step sticker stomach stool store storm story strap stream strip stroller student sugar suit summer sun
    supplement surgery sweater swelling switch symptom system tab table tablet tag tail tank tap tape target tariff tax
    taxi tea team tent term test theatre ticket tile timer tin tip tire tissue toast toe toilet tomato tongue tool tooth
    top tour towel tower town toy track trailer train transfer transport tray treatment tree trial trip trolley truck tube
    tunnel tyre umbrella unit update upgrade usage vaccine valve van vegetable vehicle vent version video view visa visit
    visitor vitamin voice voltage voucher wage waist wall wallet wardrobe warning washer waste watch water weather wedding
    weight wheel window windshield wine winter wire wood wool word worker wrist yard year zip zone
    """)
ADJECTIVES = _words("""
    actual additional angry annual automatic available basic big black blue brand-new broken brown busy cheap clean clear
    cold common complete correct cracked current daily damp dark dead deep different difficult dirty double dry early easy
    electric empty exact expensive extra faint fair false familiar fast faulty final fine flat free fresh full general
    good great green grey half happy hard heavy high hot huge important incorrect large last late latest leaky left light
    little local long loose lost loud low lucky main medium minor missing monthly narrow nearest new next nice noisy
    normal odd old older only open opposite orange original pale particular pink plain plastic polite poor possible
    previous proper purple quick quiet rare ready recent red regular rich right rude rusty safe second separate serious
    severe sharp short silver similar simple single slight slow small smart smooth soft solid sore spare special square
    standard steep sticky strange strong stuck sudden sweet swollen tall tight tiny tired top total unusual upper urgent
    usual weak weekly weird wet white whole wide wireless wooden wrong yearly yellow young
    """)
