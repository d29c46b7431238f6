"""Larger towns of the countries whose callers speak English most, and the great cities of the others, as they are said.

A town whose name is an everyday word ("reading", "mobile") is left to the words around it.
"""

from __future__ import annotations

from gateway.redaction.tables import phrases

CITIES = phrases(
    """
    aberdeen, aberystwyth, accra, addis ababa, agra, ahmedabad, ajmer, albuquerque, algiers, aligarh, allahabad, allentown,
    amarillo, amravati, amritsar, amsterdam, anaheim, anchorage, ankara, ann arbor, antwerp, arlington, asansol, asheville,
    athens, auckland, augusta, aurangabad, aurora, austin, baghdad, bakersfield, baltimore, bangkok, barcelona, bareilly,
    barnsley, basildon, basingstoke, baton rouge, beaumont, bedford, beijing, beirut, belfast, belgaum, belgrade, bellevue,
    berkshire, bhilai, bhopal, bhubaneswar, bikaner, billings, birkenhead, birmingham, blackburn, blackpool, bogota, boise,
    bolton, bordeaux, boulder, bournemouth, bradford, bratislava, bridgeport, brighton, brisbane, bristol, brooklyn,
    brownsville, brussels, bucharest, budapest, buenos aires, buffalo, burlington, burnley, cairo, calgary, cambridge,
    cape coral, cape town, caracas, cardiff, carlisle, casablanca, cedar rapids, chandigarh, chandler, charleston, charlotte,
    chattanooga, chelmsford, cheltenham, chesapeake, cheshire, chester, chesterfield, christchurch, chula vista, cincinnati,
    clarksville, clearwater, cleveland, coimbatore, colchester, cologne, colorado springs, columbia, columbus, copenhagen,
    cornwall, corpus christi, coventry, crawley, croydon, cumbria, cuttack, dakar, damascus, darlington, dayton, dehradun,
    des moines, devon, dhaka, dhanbad, doha, doncaster, dorset, dubai, dudley, dundee, durban, durgapur, durham, dusseldorf,
    eastbourne, edmonton, el paso, elk grove, escondido, essex, eugene, evansville, exeter, faridabad, fayetteville,
    flagstaff, florence, fort collins, fort lauderdale, fort wayne, fort worth, frankfurt, fremont, fresno, frisco,
    fullerton, gainesville, galway, gandhinagar, garland, gateshead, geneva, ghaziabad, gilbert, gillingham, glendale,
    gloucester, goa, gorakhpur, grand rapids, green bay, greensboro, grimsby, guadalajara, guangzhou, guildford, gulbarga,
    guntur, gurgaon, gurugram, guwahati, gwalior, halifax, hamburg, hampshire, hampton, hanoi, harlow, harrisburg, harrogate,
    hartford, hartlepool, hastings, havana, helsinki, hemel hempstead, henderson, hereford, hertfordshire, hialeah,
    high wycombe, ho chi minh city, hollywood, hong kong, honolulu, howrah, hubli, huddersfield, huntington beach,
    huntsville, indianapolis, indore, inverness, ipswich, irvine, irving, istanbul, jabalpur, jackson, jacksonville, jaipur,
    jakarta, jalandhar, jammu, jamnagar, jamshedpur, jeddah, jersey city, jerusalem, jhansi, jodhpur, johannesburg, kakinada,
    kampala, kanpur, kansas city, karachi, kathmandu, kent, kettering, kidderminster, kiev, killeen, knoxville, kochi,
    kolhapur, kozhikode, krakow, kuala lumpur, kurnool, kuwait, kyoto, lafayette, lagos, lahore, lakewood, lancashire,
    lancaster, lansing, laredo, leeds, leicester, leipzig, lexington, lima, limerick, lincoln, lisbon, little rock,
    liverpool, ljubljana, londonderry, long beach, long island, louisville, lowestoft, lubbock, lucknow, ludhiana, luton,
    luxembourg, lyon, macon, madison, madurai, maidstone, malaga, mangalore, mangaluru, manhattan, manila, mansfield,
    marrakesh, marseille, meerut, memphis, mesquite, mexico city, middlesbrough, milan, milton keynes, milwaukee,
    minneapolis, modesto, monterrey, montevideo, montgomery, moradabad, moscow, munich, murfreesboro, mysore, mysuru, nagpur,
    nairobi, nanded, naperville, naples, nashik, nashville, navi mumbai, nellore, new delhi, new haven, new orleans,
    new york city, newark, newcastle, newport, newport news, nicosia, noida, norfolk, north las vegas, northampton, norwalk,
    norwich, nottingham, nuneaton, oakland, oceanside, oklahoma city, olathe, oldham, omaha, ontario, orlando, osaka, oslo,
    ottawa, overland park, oxford, oxnard, paisley, palm bay, palmdale, pasadena, paterson, patiala, patna, pensacola,
    peoria, peterborough, pittsburgh, plano, plymouth, pomona, pondicherry, portland, porto, portsmouth, prague, prayagraj,
    preston, princeton, provo, pueblo, quebec, quito, raipur, rajkot, raleigh, ranchi, redditch, reno, richmond, riga,
    rio de janeiro, riverside, riyadh, roanoke, rochdale, rochester, rockford, roseville, rotherham, rotterdam, rourkela,
    sacramento, saint louis, saint paul, salem, salford, salinas, salisbury, salt lake city, san bernardino, san francisco,
    santa ana, santa clara, santa fe, santa monica, santa rosa, santiago, sao paulo, savannah, scarborough, scottsdale,
    scranton, scunthorpe, secunderabad, seoul, seville, shanghai, sheffield, shenzhen, shimla, shreveport, shrewsbury,
    siliguri, sioux falls, slough, sofia, solapur, solihull, somerset, southampton, southend, southport, spokane,
    springfield, srinagar, st albans, st louis, st paul, stafford, stamford, stevenage, stirling, stockholm, stockport,
    stockton, stoke, stuttgart, suffolk, sunderland, sunnyvale, surat, surrey, sussex, sutton coldfield, swansea, swindon,
    syracuse, tacoma, taipei, tallahassee, tallinn, tampa, taunton, tbilisi, tehran, tel aviv, telford, tempe, thane,
    the hague, thiruvananthapuram, thornton, thrissur, tiruchirappalli, tirunelveli, tirupati, tokyo, toledo, topeka,
    torquay, torrance, trenton, trichy, trivandrum, truro, tucson, tulsa, tunbridge wells, tunis, turin, udaipur, ujjain,
    utrecht, vadodara, valencia, vallejo, varanasi, ventura, vienna, vijayawada, vilnius, virginia beach, visakhapatnam,
    vizag, waco, wakefield, walsall, warangal, warren, warrington, warsaw, waterbury, watford, wellington, weymouth, wichita,
    wigan, wilmington, winchester, windsor, winnipeg, winston salem, woking, wolverhampton, worcester, worthing, wrexham,
    yeovil, yokohama, yonkers, york, yorkshire, youngstown, zagreb, zurich
    """
)
"""Lower case."""
