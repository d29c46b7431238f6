"""Hindi as it is spoken on the telephone, in Devanagari and in Latin letters, with the English that its speakers mix in.

The tables are in Devanagari; the Latin spellings that people type are made from them, and irregular ones stand beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.redaction.devanagari import romanised
from gateway.redaction.vocabulary import Vocabulary, listed, phrases, words

_LONG = (("aa", "a"), ("ee", "i"), ("oo", "u"))


def typed(said: str) -> set[str]:
    """The ways in which people type a phrase in Latin letters: long vowels doubled, short, or short at the end of words only."""
    full = " ".join(romanised(word) for word in said.split())
    short, ends = full, f"{full} "
    for long, brief in _LONG:
        short = short.replace(long, brief)
        ends = ends.replace(f"{long} ", f"{brief} ")
    ways = {full, short, ends.strip()}
    ways |= {way.replace("v", "w") for way in ways}
    return ways | {way.replace("chh", "ch") for way in ways}


def _with_typed(table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for said, meant in table.items():
        for way in sorted(typed(said)):
            yield way, meant


def _numbers(table: Mapping[str, int]) -> dict[str, int]:
    return {way: number for said, number in table.items() for way in sorted(typed(said))}


_NUMBERS = listed("""
    शून्य|ज़ीरो|जीरो एक दो तीन चार पाँच|पांच|पान्च छह|छः|छे|छै सात आठ नौ
    दस ग्यारह बारह तेरह चौदह पंद्रह|पन्द्रह सोलह सत्रह अठारह|अट्ठारह उन्नीस
    बीस इक्कीस बाईस|बाइस तेईस|तेइस चौबीस पच्चीस|पचीस छब्बीस सत्ताईस|सत्ताइस अट्ठाईस|अठाईस|अट्ठाइस|अठ्ठाईस उनतीस|उन्तीस
    तीस इकतीस|इकत्तीस बत्तीस तैंतीस|तेतीस चौंतीस|चौतीस पैंतीस|पैतीस छत्तीस सैंतीस अड़तीस उनतालीस|उन्तालीस
    चालीस इकतालीस बयालीस|ब्यालीस तैंतालीस|तिरतालीस चौवालीस|चवालीस|चौंवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास|उन्चास
    पचास इक्यावन बावन तिरपन|तिरेपन चौवन|चव्वन पचपन छप्पन सत्तावन अट्ठावन|अठावन उनसठ
    साठ इकसठ बासठ तिरसठ|तिरेसठ चौंसठ|चौसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर|उनहतर
    सत्तर इकहत्तर|इकहतर बहत्तर|बहतर तिहत्तर|तिहतर चौहत्तर|चौहतर पचहत्तर|पचहतर छिहत्तर|छियत्तर सतहत्तर अठहत्तर उन्यासी|उनासी
    अस्सी इक्यासी बयासी|ब्यासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी|अठासी नवासी
    नब्बे इक्यानवे|इक्यानबे बानवे|बानबे तिरानवे|तिरानबे चौरानवे|चौरानबे पंचानवे|पचानवे|पंचानबे|पचानबे
    छियानवे|छियानबे सत्तानवे|सत्तानबे अट्ठानवे|अठानवे|अट्ठानबे निन्यानवे|निन्यानबे
""")
_TYPED_NUMBERS = listed("""
    shunya|zero ek do teen char|chaar panch|paanch chhe|chheh|che|cheh|chah saat aath|aat nau
    das gyarah|gyaara|gyara barah|baarah|bara terah|tera chaudah|choudah pandrah|pandra solah|sola
    satrah|satra atharah|athara|attharah unnis|unnees
    bees|bis ikkis|ikkees bais|baais teis|teyis chaubis|chobis pachis|pachees|pachchis chhabbis|chabbis
    sattais athais|atthais|attais untis|unatis|unnatis
    tees|tis iktis|ikatis|ikattis battis|battees tentis|taintis|tetis chauntis|chautis paintis|paitis
    chhattis|chattis saintis|saitis adtis|artis|adatis untalis|unchalis
    chalis|chaalis iktalis|ikatalis bayalis|byalis tentalis|taintalis chavalis|chauvalis|chawalis
    paintalis|paitalis chiyalis|chhiyalis saintalis|saitalis adtalis|artalis unchas|unchaas
    pachas|pachaas ikyavan|ikyawan|ikavan bavan|bawan|baavan tirpan|tirepan chauvan|chauwan|chovan
    pachpan|pachapan chhappan|chappan sattavan|sattawan atthavan|athavan|atthawan unsath
    saath|sath iksath|iksat basath|baasath tirsath|tiresath chaunsath|chausath painsath|paisath
    chhiyasath|chiyasath sadsath|sarsath adsath|arsath unhattar|unahattar
    sattar ikhattar|ikahattar bahattar tihattar chauhattar pachhattar|pachahattar
    chhihattar|chihattar|chiyattar sathattar|satattar athhattar|athattar unyasi|unasi
    assi ikyasi|ikasi bayasi|byasi tirasi chaurasi pachasi chhiyasi|chiyasi sattasi|satasi atthasi|athasi navasi|nawasi
    nabbe ikyanve|ikyanbe|ikanve baanve|banve|banbe|bayanve tiranve|tiranbe chauranve|chauranbe
    pachanve|panchanve|pachanbe chhiyanve|chiyanve|chiyanbe sattanve|satanve|sattanbe
    atthanve|athanve|atthanbe ninyanve|ninanve|ninyanbe
""")
_SOFT = ("do", "das", "tera", "bara", "sola", "che", "char", "saath", "sath", "artis", "tis", "bis", "nau")

_PHRASES = dict(
    _with_typed(
        phrases("""
    और, तथा, एवं = and
    या = or
    लेकिन, मगर, पर = but
    मेरा, मेरी, मेरे, हमारा, हमारी, अपना, अपनी = my
    आपका, आपकी, आपके, तुम्हारा = your
    मैं = i
    हाँ, हां, जी हाँ, हाँ जी, जी = yes
    नहीं, जी नहीं = no
    ठीक, ठीक है, अच्छा, ओके, चलो, चलिए = ok
    ज़रूर, बिल्कुल, बिलकुल = sure
    धन्यवाद, शुक्रिया, थैंक यू = thanks
    कृपया, प्लीज़, प्लीज = please
    नमस्ते, नमस्कार, हेलो, हैलो = hello
    तो = so
    फिर, उसके बाद = then
    सही, सही है = correct
    क्या है, क्या = what is
    कौन = who
    कब = when
    कहाँ = where
    कैसे = how
    बताइए, बताइये, बता दीजिए, बताएं, दीजिए, दे दीजिए, बता सकते हैं, बता सकती हैं = could you give me
    चाहिए = i need
    उह, अम, एक मिनट, एक सेकंड, रुकिए, ज़रा रुकिए, देखता हूँ, देखती हूँ, एक मिनट रुकिए, मतलब =
    माफ़ कीजिए, माफ कीजिए, सॉरी, नहीं नहीं, गलत = sorry

    मेरा नाम, मेरा नाम है, मेरा पूरा नाम, मेरा पूरा नाम है, मेरा शुभ नाम = my name is
    उनका नाम, उसका नाम, इनका नाम, का नाम, का नाम है = name is
    बोल रहा हूँ, बोल रही हूँ, बोल रहा हूं, बोल रही हूं, बात कर रहा हूँ, बात कर रही हूँ = speaking here
    साल की है, साल का है, साल के हैं, साल का हूँ, साल की हूँ = years old
    नाम, पूरा नाम, शुभ नाम = name
    उपनाम, सरनेम = surname
    आपका नाम क्या है, आपका शुभ नाम, कौन बोल रहा है, कौन बोल रहे हैं = what is your name
    के नाम पर, के नाम से = in the name of
    स्पेलिंग, वर्तनी = spelled
    श्री, श्रीमती, सुश्री, मिस्टर, मिसेज = mr
    डॉक्टर, डॉ = doctor
    पति = husband
    पत्नी, बीवी = wife
    बेटा, बेटे = son
    बेटी = daughter
    पिता, पापा, पिताजी = father
    माता, माँ, मम्मी = mother
    भाई = brother
    बहन = sister
    दोस्त = friend

    कार्ड, क्रेडिट कार्ड, डेबिट कार्ड, एटीएम कार्ड = card
    कार्ड नंबर, कार्ड का नंबर, कार्ड नम्बर, क्रेडिट कार्ड नंबर, डेबिट कार्ड नंबर, क्रेडिट कार्ड का नंबर = card number
    डेबिट कार्ड का नंबर = card number
    आखिरी चार अंक, आख़िरी चार अंक, अंतिम चार अंक = card ending in
    सीवीवी, सी वी वी, सिक्योरिटी कोड, सुरक्षा कोड, कार्ड के पीछे, पीछे लिखा = security code
    एक्सपायरी, एक्सपायरी डेट, वैधता, समाप्ति तिथि = expiry
    नंबर, नम्बर, संख्या = number
    अंक = digits
    अक्षर = letter
    फ़ोन, फोन, फ़ोन नंबर, फोन नंबर, टेलीफोन, दूरभाष, व्हाट्सएप = phone number
    मोबाइल, मोबाइल नंबर, मोबाईल, मोबाईल नंबर = mobile number
    मुझे कॉल कीजिए, मुझे फ़ोन कीजिए, कॉल बैक = call me
    खाता, अकाउंट, बैंक खाता, बैंक अकाउंट, खाते = account
    खाता संख्या, खाता नंबर, अकाउंट नंबर, खाते का नंबर = account number
    आईएफएससी = ifsc
    जन्म तिथि, जन्मतिथि, जन्म तारीख, जन्म की तारीख, डेट ऑफ बर्थ, जन्मदिन = date of birth
    जन्म, पैदा हुआ, पैदा हुई = born
    उम्र, आयु = age is
    पिन कोड, पिनकोड, डाक कोड = pin code
    पासपोर्ट, पासपोर्ट नंबर, पासपोर्ट संख्या = passport number
    ड्राइविंग लाइसेंस, ड्राइविंग लाइसेंस नंबर, लाइसेंस नंबर = driving licence number
    आधार, आधार नंबर, आधार कार्ड, आधार कार्ड नंबर, आधार संख्या = aadhaar number
    पैन कार्ड, पैन नंबर, पैन कार्ड नंबर, पैन = pan card
    पहचान पत्र, वोटर आईडी, मतदाता पहचान पत्र = identity number
    मरीज नंबर, मरीज़ आईडी, रोगी संख्या = patient number
    सदस्य संख्या, मेंबर आईडी, सदस्यता संख्या, ग्राहक संख्या = member number
    पॉलिसी, पॉलिसी नंबर, बीमा पॉलिसी = policy number
    गाड़ी नंबर, गाड़ी का नंबर, नंबर प्लेट = license plate
    पिन, पिन नंबर = pin
    कोड = code
    ओटीपी, ओ टी पी, वेरिफिकेशन कोड, सत्यापन कोड = otp
    पासवर्ड = password
    यूज़रनेम, यूजरनेम, यूज़र नेम, यूजर आईडी, यूज़र आईडी = username
    ईमेल, ई मेल, ईमेल आईडी, ईमेल पता, इमेल, मेल आईडी = email
    वेबसाइट = website
    ऑर्डर, ऑर्डर नंबर = order number
    बुकिंग, बुकिंग नंबर, पीएनआर = booking
    शिकायत नंबर, शिकायत संख्या, टिकट नंबर = ticket number
    बिल, बिल नंबर = invoice
    फ्लाइट, फ़्लाइट, फ्लाइट नंबर = flight
    गेट = gate
    कमरा = room
    विकल्प = option
    एक्सटेंशन = extension

    पता, एड्रेस, घर का पता = address
    मकान नंबर, मकान संख्या, घर नंबर = house number
    मकान, घर = house
    फ्लैट, फ्लैट नंबर, फ़्लैट = flat
    सड़क, रोड = road
    गली, गली नंबर = lane
    मार्ग = marg
    नगर = nagar
    सेक्टर = sector
    मंज़िल, मंजिल = floor
    में रहता हूँ, में रहती हूँ, में रहता हूं, में रहती हूं, में रहते हैं, में रहता है, का रहने वाला हूँ = living here
    की रहने वाली हूँ, से बोल रहा हूँ, से बोल रही हूँ = living here
    शहर = city
    राज्य = state
    भारत = india
    दिल्ली, नई दिल्ली = delhi
    मुंबई = mumbai
    कोलकाता = kolkata
    चेन्नई = chennai
    बेंगलुरु = bengaluru
    हैदराबाद = hyderabad
    पुणे = pune

    एट, ऐट, एट द रेट, ऐट द रेट, ऐट दी रेट = at
    डॉट, बिंदु = dot
    अंडरस्कोर, अंडर स्कोर = underscore
    डैश, हाइफ़न, हाइफन = dash
    स्लैश = slash
    प्लस = plus
    डबल, दो बार = double
    ट्रिपल, तीन बार = triple
    कैपिटल, बड़ा = capital
    जीमेल, जी मेल = gmail
    याहू = yahoo
    हॉटमेल = hotmail
    आउटलुक = outlook
    रेडिफ़मेल, रेडिफमेल = rediffmail
    कॉम = com
    इन = in
    नेट = net
    ऑर्ग = org
    को = co

    जनवरी = january
    फ़रवरी, फरवरी = february
    मार्च = march
    अप्रैल = april
    मई = may
    जून = june
    जुलाई = july
    अगस्त = august
    सितंबर, सितम्बर = september
    अक्टूबर, अक्तूबर = october
    नवंबर, नवम्बर = november
    दिसंबर, दिसम्बर = december

    वन = one
    टू = two
    थ्री = three
    फोर, फ़ोर = four
    फाइव, फ़ाइव = five
    सिक्स = six
    सेवन = seven
    नाइन = nine
    टेन = ten

    रुपये, रुपए, रूपये, रुपया = rupees
    पैसे = cents
    प्रतिशत, परसेंट = percent
    मिनट = minutes
    घंटे, घंटा, बजे = hours
    दिन, दिनों = days
    हफ्ते, हफ़्ते, सप्ताह = weeks
    महीने, महीना, महीनों = months
    साल, सालों, वर्ष = years
    सेकंड = seconds
    लाख = lakhs
    करोड़ = crores
    लोग, लोगों = people
    किलो = kilos
    किलोमीटर = km
""")
    )
)
_PHRASES |= phrases("""
    mera number, mere number = my number
    mera phone number, mobile number, phone number, mera mobile number, mera mobile = phone number
    card number, card ka number, mera card number, card ke number = card number
    mera naam hai, mera naam, mera name, mera pura naam, mera poora naam = my name is
    account number, khata number, khaate ka number = account number
    aadhar, aadhaar, adhar, adhaar, aadhar number, aadhaar number, aadhar card number, aadhar card = aadhaar number
    adhar card = aadhaar number
    pan card, pan number = pan card
    janam tithi, janm tithi, janm tarikh, janam tarikh, dob = date of birth
    janam, janm, paida hua, paida hui = born
    umar, umra, umr, age = age is
    email id, mail id, email = email
    pata, address, ghar ka pata = address
    at the rate, at the rate of = at
    pin code, pincode = pin code
    pin, pin number = pin
    otp, o t p = otp
    haan, haanji, ji haan, ji = yes
    nahi, nahin = no
    theek hai, thik hai, theek, thik, accha, acha, achha = ok
    aur = and
    ya = or
    lekin, magar = but
    main = i
    kya hai, kya = what is
    bataiye, bataye, batao, bata dijiye, dijiye = could you give me
    aapka naam kya hai, aapka shubh naam, kaun bol raha hai = what is your name
    ek minute, ek second, ek min, rukiye, rukiyega, ruko, dekhta hoon, dekhti hoon, matlab =
    rupaye, rupay, rupee, rupees, rs = rupees
    me rehta hu, mein rehta hoon, me rehti hu, mein rehti hoon, mein rehte hain, me rahta hu, mein rahta hun = living here
    mein rahti hun = living here
    makan number, makaan number, ghar number = house number
    saal, sal = years
    saal ki hai, saal ka hai, saal ke hain, saal ka hoon, saal ki hoon = years old
    bol raha hoon, bol rahi hoon, bol raha hu, bol rahi hu, bol raha hun, bol rahi hun = speaking here
    ka naam, ka naam hai, ka name = name is
    baje = hours
    security code, cvv = security code
""")

_COMMON = """
    है हैं हूँ हूं था थी थे हो होगा होगी होता होती होते का की के को से में पर तक ने ही भी यह ये वह वो इस उस इन उन इसका उसका
    इनका उनका मुझे मुझको हमें हम आप आपको तुम तू कि जो जब तब अब अभी आज कल परसों यहाँ वहाँ कुछ कोई सब सभी बहुत ज्यादा ज़्यादा कम
    थोड़ा थोड़ी बोल रहा रही रहे रहता रहती कर करना करनी करने करता करती करते किया की कीजिए कर दो दीजिए देना दे दिया दी दिए लेना
    ले लिया लगता लगा जाना जा गया गई गए आना आया आई आए जाता जाती होना हुआ हुई हुए मिला मिली मिले मिलना पता चाहता चाहती चाहते
    चाहूंगा चाहूंगी बात समस्या परेशानी मदद सहायता सेवा ग्राहक खरीदा बुक बंद चालू शुरू खत्म रद्द कैंसिल वापस रिफंड भुगतान
    पेमेंट पैसा पैसों राशि शेष बैलेंस समय तारीख सोमवार मंगलवार बुधवार गुरुवार शुक्रवार शनिवार रविवार सुबह शाम दोपहर रात सर
    मैडम साहब जी भैया दीदी लिए साथ बाद पहले पहला दूसरा तीसरा अगला पिछला नया नई पुराना बड़ा छोटा सिर्फ केवल क्योंकि इसलिए अगर
    तो ना न मत वाला वाली वाले भेजा भेजना भेजिए भेजो सामान ऑनलाइन इंटरनेट बैंक लोन किस्त बीमा अस्पताल दवा दवाई अपॉइंटमेंट
    डिलीवरी पार्सल शहर गाँव देश काम घर दुकान कंपनी सवाल जवाब लिख लिखिए सुनिए सुनो देखिए समझ समझा कितना कितने कितनी क्यों किस
    किसी किसने किसको कौनसा मान लीजिए याद भूल पूछना बताना खो चोरी टूट खराब
"""
_TYPED_COMMON = """
    hai hain hoon hun hu tha thi the ho hoga hogi hota hoti ka ki ke ko se me mein par tak ne hi bhi yeh ye yah vah wo woh is
    us iska uska inka unka mujhe mujhko hamen hume hum ham aap aapko tum tu ki jo jab tab ab abhi aaj kal yahan wahan kuch
    kuchh koi sab sabhi bahut zyada jyada kam thoda bol raha rahi rahe rehta rehti kar karna karni karne karta karti karte
    kiya kijiye karo dena de diya di diye lena le liya lagta laga jana ja gaya gayi gaye aana aaya aayi aaye jata jati hona
    hua hui hue mila mili mile milna chahta chahti chahte chahiye baat samasya pareshani dikkat madad sewa seva khareeda band
    chalu shuru khatam wapas vapas paisa paise samay tarikh somwar mangalwar budhwar guruwar shukrawar shaniwar raviwar subah
    shaam dopahar raat sir madam sahab bhaiya didi liye saath baad pehle pahle dusra teesra agla pichla naya nayi purana sirf
    keval kyunki isliye agar toh to na mat wala wali wale bheja bhejna bhejiye saman kaam ghar dukan sawal jawab likh likhiye
    suniye suno dekhiye samajh samjha kitna kitne kitni kyun kis kisi kisne kaunsa maan lijiye yaad bhool puchna batana kho
    chori toot kharab apna apni bola raha-hoon karunga karungi lunga lungi dunga dungi jaldi der theek sahi galat achha bolo
    boliye sunai
"""

HINDI = Vocabulary(
    small=_numbers(_NUMBERS) | {word: value for word, value in _TYPED_NUMBERS.items() if word not in _SOFT},
    soft={word: value for word, value in _TYPED_NUMBERS.items() if word in _SOFT},
    hundreds={"सौ": 100, "sau": 100, "hundred": 100},
    multiplies=True,
    thousands=frozenset({"हज़ार", "हजार", "hazaar", "hazar", "hajar"}),
    conjunctions=frozenset(),
    ordinals={},
    phrases=_PHRASES,
    common=frozenset(words(_COMMON)) | frozenset(words(_TYPED_COMMON)),
    letters=dict(
        zip(
            words("ए बी सी डी ई एफ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई ज़ेड जेड"),
            words("a b c d e f g h i j k l m n o p q r s t u v w x y z z"),
            strict=True,
        )
    ),
    soft_letters=frozenset(words("ए ई जी के डी सी बी एस पी ओ a i")),
    like=("जैसे", "फॉर", "फ़ॉर", "से", "as in", "for", "jaise", "se"),
    particles=frozenset(),
)
