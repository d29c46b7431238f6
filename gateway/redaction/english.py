"""English as it is spoken on the telephone: number words, letter names, months, and the words that no name is made of.

A language is one value of :class:`gateway.redaction.lexemes.SpokenLanguage`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.redaction.everyday import EVERYDAY
from gateway.redaction.lexemes import SpokenLanguage


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest that fits. What words begin with alike is looked at once."""
    roots: dict[str, list[str]] = {}
    for word in dict.fromkeys(words):
        roots.setdefault(word[:1], []).append(word[1:])
    ways = [f"{re.escape(first)}{_rest(rests)}" for first, rests in sorted(roots.items()) if first]
    # The end of a word is tried last.
    return "|".join([*ways, ""] if "" in roots else ways)


def _rest(rests: list[str]) -> str:
    return re.escape(rests[0]) if len(rests) == 1 else f"(?:{any_of(rests)})"


def _words(table: str) -> list[str]:
    return table.split()


def _phrases(table: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in table.split(",")]


_UNITS = dict(zip(_words("one two three four five six seven eight nine"), range(1, 10), strict=True))
_TEENS = dict(
    zip(_words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"), range(10, 20), strict=True)
)
_TENS = dict(zip(_words("twenty thirty forty fifty sixty seventy eighty ninety"), range(20, 100, 10), strict=True))
_ORDINALS = dict(
    zip(
        _words("""
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
    """),
        range(1, 21),
        strict=True,
    )
) | {"thirtieth": 30}

ENGLISH = SpokenLanguage(
    code="en",
    zeros=frozenset({"zero", "nought", "naught"}),
    soft_zeros=frozenset({"oh", "o", "o'", "o’", "ou", "owe"}),
    units=_UNITS,
    teens=_TEENS,
    tens=_TENS | {"fourty": 40},
    hundreds=frozenset({"hundred"}),
    thousands=frozenset({"thousand"}),
    conjunction="and",
    ordinals=_ORDINALS,
    repeats={"double": 2, "triple": 3, "treble": 3, "quadruple": 4},
    fillers=frozenset({"dash", "hyphen", "space"}),
    pauses=frozenset({"uh", "um", "er", "erm", "ah", "hmm", "mm", "mhm"}),
    homophones={
        "for": 4,
        "fore": 4,
        "to": 2,
        "too": 2,
        "ate": 8,
        "a": 8,
        "won": 1,
        "or": 4,
        "i": 9,
        "by": 5,
        "free": 3,
        "tree": 3,
    },
    articles=frozenset({"a"}),
    moments=frozenset({"sec", "second", "moment", "mo", "minute", "min", "tick"}),
)

MONTHS = _words("""
    january february march april may june july august september october november december jan feb mar apr jun
    jul aug sept sep oct nov dec
    """)

NATO = _words("""
    alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar
    papa quebec romeo sierra tango uniform victor whiskey whisky xray x-ray yankee zulu
    """)

ABBREVIATIONS = frozenset(
    _words("iban ifsc ssn dob mrn nhs nhi cvv cvc otp pin uid usa url www aba bsb atm gps vpn faq pdf hdmi usb sim")
)
"""Letters that are said one by one and name nobody."""

LETTER_NAMES = _words("""
    bee cee dee gee aitch haitch jay kay ell em en pee tee vee zed zee ex ess ef eff kew queue
    """)
"""Names of letters that a recogniser writes out, and that are no everyday words."""

TOP_LEVEL_DOMAINS = _words("""
    com org net edu gov info biz io dev app ai co me tv shop online uk de fr es it nl pl in us ca au eu ch at
    be se no dk ie
    """)

MAIL_HOSTS = _words("gmail hotmail outlook yahoo icloud protonmail proton gmx aol googlemail fastmail zoho")

STREET_WORDS = _words("""
    street st road rd avenue ave lane ln drive dr court ct boulevard blvd way place pl square terrace close
    crescent highway parkway circle trail alley row gardens grove mews hill marg nagar path walk loop plaza
    """)

REGIONS = frozenset(
    _phrases("""
    alabama, alaska, arizona, arkansas, california, colorado, connecticut, delaware, florida, hawaii, idaho,
    illinois, indiana, iowa, kansas, kentucky, louisiana, maine, maryland, massachusetts, michigan, minnesota,
    mississippi, missouri, montana, nebraska, nevada, new hampshire, new jersey, new mexico, new york, north
    carolina, north dakota, ohio, oklahoma, oregon, pennsylvania, rhode island, south carolina, south dakota,
    tennessee, texas, utah, vermont, virginia, west virginia, wisconsin, wyoming, england, scotland, wales,
    northern ireland, ireland, united kingdom, united states, canada, australia, new zealand, india, pakistan,
    bangladesh, sri lanka, nepal, germany, france, spain, italy, portugal, netherlands, belgium, switzerland,
    austria, poland, czech republic, hungary, romania, greece, sweden, norway, denmark, finland, russia,
    ukraine, china, japan, south korea, vietnam, thailand, philippines, indonesia, malaysia, singapore,
    mexico, brazil, argentina, colombia, chile, peru, nigeria, kenya, ghana, egypt, morocco, south africa,
    israel, iran, iraq, syria, lebanon, saudi arabia, united arab emirates, qatar, maharashtra, karnataka,
    tamil nadu, kerala, gujarat, punjab, rajasthan, bihar, uttar pradesh, west bengal, telangana, andhra
    pradesh, haryana, assam, odisha, goa, mumbai, delhi, bangalore, bengaluru, chennai, kolkata, hyderabad,
    pune, london, manchester, birmingham, glasgow, edinburgh, dublin, paris, berlin, madrid, rome, toronto,
    vancouver, montreal, sydney, melbourne, chicago, houston, phoenix, philadelphia, san antonio, san diego,
    dallas, san jose, boston, seattle, denver, los angeles, san francisco, las vegas, miami, atlanta, detroit
    """)
)

COMMON_WORDS = EVERYDAY | frozenset(
    _words("""
    a about above account accounts across actually add address after afternoon again agent ago ahead all
    almost alone alright also although always am amount an and another answer any anyone anything anyway
    apartment appointment are aren't around as ask asked asking at available away back bad balance bank be
    because been before behind being below best better between big bill billing birth book booking both bring
    broken building business but buy by bye call called caller calling calls came can can't cancel card care
    case cell certainly change changed charge charged check checking city claim clear close code come coming
    company complete confirm confirmed contact correct cost could couldn't country coverage credit customer
    daily date daughter day days dear debit delivered delivery department details did didn't different digit
    digits do doctor does doesn't doing don't done dot down driver due during e-mail each early else email
    emergency end ending enough enter error evening ever every everything exactly excuse expired expiry extra
    fact family fast father fee feel few file fill find fine first five fix flight follow following for form
    forward found four free friday friend from front full further game gate gave get getting give given go
    goes going gone good goodbye got great guess had half hang happen happened happy hard has have haven't
    having he hear heard hello help her here hers hey hi him his hold holder holding home hope hour hours
    house how however husband i i'd i'll i'm i've id if important in information inside instead insurance
    interested internet into invoice is isn't issue it it's its itself job just keep kind know last late later
    least leave left less let let's letter license like line list listen little live lives living locked log
    long look looking lost lot love ma'am made mail make making manager many married matter may maybe me mean
    meant medical meet member message middle might mind mine minute minutes miss missed mom moment monday
    money month months more morning most mother move moved moving much must my myself name name's named names
    near need needed needs never new next nice night nine no nobody none not nothing now number numbers of off
    offer office often oh ok okay old on once one online only open opening or order ordered other our out
    outside over own owner package paid pardon parcel part passport password pay paying payment people perfect
    perhaps person phone pick pin place plan please point policy possible postcode prefer prescription price
    probably problem profile put question quick quickly quite rather read ready real really reason receive
    received recently record reference refund register registered remember renew repeat replace reply report
    reset return right room routing said same saturday say saying says second see seen send sending sent
    service set seven she ship shipped should show shows sign simple since sir sister six slow small so social
    some somebody someone something son soon sorry sort sounds speak speaking spell spelled spelling spouse
    start started state statement stay still stop street student subscription such sunday support supposed
    sure surname system take taken taking talk tell ten text than thank thanks that that's the their them then
    there there's these they they're thing things think third this those though three through thursday ticket
    till time to today together told tomorrow tonight too took total transfer travel tried trouble true try
    trying tuesday turn two under understand until up update upon upset us use used user username using usual
    valid verification very visit wait waiting want wanted wants was wasn't way we we'll we're we've web
    website wednesday week weekend weeks welcome well went were what what's when where which while who whole
    who's why wife will with within without won't wonderful work working would wouldn't write wrong year years
    yeah yep yes yesterday yet you you'll you're you've young your yours yourself zero zip everybody afraid
    able hungry tired worried confused moment's excited supervisor assistant representative patient nurse
    pharmacy store shop hospital absolutely certainly definitely precisely indeed gladly honestly unfortunately
    basically literally forgotten forgot anyways lovely awesome brilliant cool fantastic amazing cheers goodness
    man men woman women guy guys lady ladies whatever gotcha understood noted done ready nope nah hmm huh alrighty
    """)
)
"""No name is made of these. (A person called Will or May is found by spaCy, or stays: the models of the next step know more.)"""

LEADS = frozenset(
    _words("""
    sure yes yeah yep yup ok okay so well right alright and then next after that it it's its is that's this the
    rest of i i'm no nope sorry oh actually meant mean said was should be make just my here goes again um uh er
    erm hmm mm followed by got thanks thank you perfect great good whole thing let me read back to have you've
    i've confirm repeat correct would last first second part bit one name name's number on course certainly
    absolutely exactly precisely definitely indeed now all together yours check
    """)
)
"""What people say before they answer, go on, or read back: "sure, it's", "and then", "so the whole thing is"."""

NAMES_OF_KINDS = frozenset(
    _words("""
    e email e-mail mail address name names 1st full middle maiden family surname user username login log in handle
    password passphrase pass word number numbers digits card phone telephone mobile cell account sort routing code
    date of birth birthday street house city town state county country post zip postcode website web site page url
    domain policy member membership id security social expiry expiration plate registration passport licence license
    driver's pin cvv ip my the our his her their would will on for
    """)
)
"""What an answer calls its value before it gives it: "my e-mail address is"."""

CORRECTIONS = frozenset(_words("no wait sorry not instead rather actually meant mean correction scratch"))
"""Words by which a speaker takes back what was just said."""

SMALL_WORDS = frozenset(_words("i of that it's it was and then is make oh pardon me my so a the"))
"""Words that may stand between the parts of an answer."""

JOINS = frozenset(_words("dot at underscore dash hyphen slash plus point period @ . _ - / + :"))
"""Signs, and signs in words, that hold an address or a code together."""

CODE_WORDS = frozenset(_words("double triple capital letter area code extension as in for like plus minus"))
"""Words that may stand inside a code."""

ADDRESS_WORDS = frozenset(STREET_WORDS) | frozenset(
    _words("""
    apartment flat unit suite number house floor building new old first second third north south east west saint
    upper lower city
    """)
)
"""Everyday words that addresses are made of too."""

TOWN_WORDS = frozenset(
    _words("new old north south east west saint upper lower little great long high fort port mount falls beach springs")
)
"""Everyday words that towns are named with."""

SENTENCE_WORDS = frozenset(
    _words("""
    i i'm i've i'd i'll you you're you'd your he she they them we we're us what what's when where why how who
    which is are was were do does did don't didn't can can't could would will won't need want have haven't has
    had know think because if about but there here call calling help please find forgot remember sure question
    order account delivered today tomorrow yesterday nothing anything something else problem only just also
    maybe much many more very not isn't really mind wrong never
    """)
)
"""Words that make a sentence of what might have been a user name."""

SURNAMES_TOO = frozenset(
    _words("""
    park cook strong love bright bridge flood star storm smart glass short long small little best power price page day hill
    street book house case church good english french new field woods waters banks rivers stone moon sharp sweet speed lock
    west north south east lane law winter summer worth fields gates marks parks knight castle
    """)
)
"""Surnames that are everyday words: names behind a given name alone."""

AMBIGUOUS_NAMES = frozenset(
    _words("""
    mark bear will bill grant frank rob hope joy faith grace rose lily daisy iris ivy hazel olive ruby amber pearl
    jade ginger dawn eve summer autumn april may june august angel art chip chuck drew gene guy harry jack josh
    miles nick pat pierce ray rich rusty skip sue wade ward chase dash pace reed rock van victor bob dick john
    jimmy carol sandy misty melody harmony christian earl baron duke king prince bishop young long short brown
    green white black gray grey cook baker carter butler mason page price rice bush field hill lake wood woods
    """)
)
"""Names that are everyday words too."""
