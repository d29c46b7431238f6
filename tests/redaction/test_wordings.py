"""How people say what is private, kind by kind: what stands in [brackets] is masked, and nothing else is.

Wordings, not sentences, are what the rules know; so each kind has many, clean and as recognisers write them.
"""

from __future__ import annotations

import re

import pytest

from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard
from gateway.redaction.spans import resolve

WORDINGS = {
    "CREDIT_CARD": """
        my visa's [four seven one six double two one nine oh four four six seven eight nine two]
        the card i want to use is [5 5 0 9 3 8 4 4 1 2 0 7 6 6 3 1]
        Charge the amex, [three seven eight two. Eight two two four, six three one triple oh five].
        it's the card ending [nine oh double four]
        the debit card ends in [seven seven one two]
        Long number is [4539-1488-0343-6467].
        my card goes [four five three nine, uh, one four eight eight oh three four three six four six seven]
        the card number again, [forty five thirty nine fourteen eighty eight oh three forty three sixty four sixty seven]
        put it on card [4539 1488 0343 6467] please
        Mastercard number. [Five, five, zero, nine. Three, eight, for, four, one, two, zero, seven, six, six, three, one.]
        take it off the card that ends with [one one nine six]
        last four on the card are [3 3 0 8]
        the number on the front reads [4539148803436467]
        My card is [four, five, three, nine, one, for, eight, eight, oh, three, four, three, six, four, six, seven].
        credit card [45 39 14 88 03 43 64 67]
    """,
    "CVV": """
        and the c v v [four one nine]
        security code, [double two eight]
        the three digits on the reverse are [nine oh seven]
        Card verification value is [3 1 6].
        on the signature strip it says [five five two]
        The CVV is [4-1-9].
        my security number's [seven three uh one]
        CVC [908]
        verification value [six one oh]
        at the back, [two four six]
        the 3 digits are [one oh oh]
        c v v two is [three nine eight]
        the security digits are [six six one]
        Cvv. [Two, five, for.]
        the four digit security code is [one two oh nine]
    """,
    "CARD_EXPIRY": """
        expiry [oh seven twenty nine]
        it expires [november twenty twenty eight]
        exp date [04/28]
        valid thru [zero two slash thirty]
        good until [march twenty twenty seven]
        the expiration's [eleven twenty six]
        Expiring [08 27].
        the card runs out [may twenty thirty]
        expires on the [ninth of twenty nine]
        expiry date, [ten, twenty seven]
        valid until [oh three thirty one]
        Expiry is [one two two eight].
        valid to [june twenty twenty nine]
    """,
    "US_SSN": """
        social is [two one nine, oh nine, nine double nine nine]
        my social security [219-09-9999]
        S S N is [two one nine zero nine nine nine nine nine]
        the last four of my social are [six one oh two]
        Social Security number. [Five, one, eight, six, to, two, nine, zero, three.]
        the social on file should be [518 62 2903]
        yes the social's [five eighteen sixty two twenty nine oh three]
        ssn [518622903]
        last 4 of the social [2 9 0 3]
        his social security number ends with [two nine oh three]
        my social number, hold on, is [five one eight sixty two twenty nine zero three]
        Social security, [five, one, eight. Six, two. Two, nine, zero, three].
        it's under social [five one eight uh six two two nine oh three]
        the s s n would be [518-62-2903]
        social security is [5 1 8 6 2 2 9 0 3]
    """,
    "BANK_ACCOUNT": """
        account [eight one double six two oh nine four]
        sort code [forty twenty eight sixteen]
        routing number is [oh two one zero zero zero zero two one]
        it's paid into account number [8166 2094]
        Account number. [Eight, one, six, six, two, oh, nine, for.]
        savings account [three three nine one oh oh two seven]
        the i b a n is [g b two nine n w b k six oh one six one three three one nine two six eight one nine]
        IBAN [DE89 3704 0044 0532 0130 00]
        the aba is [122105155]
        my account ends [four four oh nine]
        the money left account [seven oh double one five five nine]
        i f s c code and account [five oh one double oh two three nine eight eight one]
        transit number [oh oh four one two]
        account no is [81662094]
        checking, number [one nine oh two double seven three eight]
    """,
    "PHONE_NUMBER": """
        mobile's [oh seven nine one two three four five six seven eight]
        you can ring us on [020 7946 0958]
        best to call [four one five, five five five, oh one nine two]
        whatsapp me on [plus nine one nine eight two oh oh one two three four five]
        My cell is [(415) 555-0192].
        the landline, [oh one six one, four nine six oh one four three]
        fax number [212 555 0147]
        call back on [five five five, oh one double four]
        text it to [415.555.0192]
        his work number is [eight hundred five five five oh one nine nine]
        dial [area code two one two five five five oh one four seven]
        Phone number. [Four, one, five, five, five. Five, zero, won, nine, to.]
        if we get cut off it's [four fifteen five five five zero one nine two]
        reach me at [+44 7700 900123]
        the number on file is [5 5 5 0 1 9 2]
    """,
    "EMAIL_ADDRESS": """
        my email's [rosa dot quill at g mail dot com]
        mail it to [r quill sixty one at outlook dot com]
        it's [rosa_quill@example.org]
        e-mail address is [rosa.quill at gmail.com]
        Send it to [Rosa Dot Quill At Example Dot Net].
        my address is [info at quill bakery dot co dot uk]
        write to us under [hello at quill dash bakery dot de]
        you can email [quills at yahoo dot com]
        my e mail is [rosa underscore q at hotmail]
        the login is [rosaquill@gmail.com]
        Email. [R O S A dot Q at icloud dot com.]
        it's all one word [rosaquill at proton mail dot com]
        Forward it to [Rose quill Hotmail Dock com].
        my gmail is [rosa dot quill at gmail]
        registered to [r s quill plus shop at fast mail dot com]
    """,
    "DATE_OF_BIRTH": """
        born [the second of june nineteen seventy nine]
        my birthday is [june second seventy nine]
        date of birth [02/06/1979]
        d o b is [oh two oh six seventy nine]
        DOB. [June 2nd, 1979.]
        i was born on [two six seventy nine]
        her date of birth, [june the second nineteen seventy nine]
        Date of birth is [the second of June. Nineteen seventy nine.]
        birth date [second june seventy nine]
        my son was born [august ninth twenty twelve]
        Born in [nineteen sixty four].
        her birthday's [december thirty first two thousand and one]
        date of birth is [1979-06-02]
        he came into the world on [march fourth nineteen fifty]
        the patient was born [9th of May 1948]
    """,
    "AGE": """
        i'm [sixty three] years old
        she is a [forty] year old teacher
        aged [seventy one]
        he turned [eighteen] last week
        my mother is [eighty two] and lives with us
        I'm [63].
        a [five] month old baby
        he's [nine], and allergic to nuts
        my dad is [77] years of age
        she'll be [thirty] next week
        i am [fifty 4]
        at age [sixty one] you get a discount
        we have a [12]-year-old
        turning [forty five] in may
        who is [nineteen] years old
    """,
    "PASSPORT": """
        passport [p a one two three four five six seven]
        my passport number's [X as in xray four four nine oh one two six]
        the passport says [533380006]
        passport no [C zero one two double five seven one]
        Passport number is [N 4 7 7 1 0 2 9].
        Passport, [Kilo. Three, nine, nine, zero, two, one, for].
        my new passport is [l m eight eight four four two one oh]
        she travels on passport [five three three three eight oh oh oh six]
    """,
    "DRIVER_LICENSE": """
        driver's license is [d one two oh oh four four one]
        driving licence number [quill six oh six oh two nine r s nine i j]
        licence number, [w four two six, five four five, three oh, seven one five]
        My license number is [Pick six. Six, seven, two, five, zero, nine].
        the d l number [B as in boy 5 5 3 0 1 9 2]
        drivers licence [MORGA657054SM9IJ]
    """,
    "IDENTITY": """
        aadhaar [two nine five five, one three one oh, four four one two]
        my aadhar card is [2955 1310 4412]
        the pan is [a b c p quebec one two three four k]
        pan card [BNZPM2501F]
        n h s number [nine four three four seven six five nine one nine]
        My NHS number is [943 476 5919].
        national insurance [q q twelve thirty four fifty six c]
        ni number [QQ123456C]
        n i number is [queen queen. One, two, three, four, five, six, see].
        my national insurance number's [Q, Q, 12, 34, 56, C]
        Pan number [A B C P Q 1 2 3 4 K].
        the uid is [two nine five five one three one oh four four one two]
    """,
    "RECORDS": """
        member i d [h c l double four oh nine one]
        membership number [882 104 55]
        my policy's [h o nine nine oh four one two]
        policy number [POL 448 201]
        it's under policy [m as in mike t eight eight zero one two three]
        the m r n is [seven oh four four one nine]
        patient id [K 33 90 12]
        Subscriber number is [X Y Z. One, zero, zero, two, double three].
        group number [five five oh one two]
        chart number, [oh oh seven four one nine]
        My medical record is [En as in Nancy, triple three. Four, zero].
        insurance id [w two oh oh, one four four, nine eight]
    """,
    "VEHICLE_PLATE": """
        plate [l m one nine k x p]
        the registration is [LM19 KXP]
        License plate [Seven T R X zero four four].
        my reg is [lima mike nineteen kilo x-ray papa]
        number plate, [m h twelve a b one two three four]
        it's a red mazda registration [b d five one s m r]
        the tag number is [KTR 8841]
        plate number [k t r double eight four one]
    """,
    "USERNAME": """
        my username is [quill underscore rosa]
        user name [rosa dot q seventy nine]
        i log in as [rosaquill79]
        the user id is [r q u i l l]
        My handle is [blue otter 44].
        login is [rosa dash quill]
        logged in as [r quill nine]
        screen name's [night owl underscore seven]
        user id, [rquill_79]
        my login name is [otterly]
    """,
    "PASSWORD": """
        the password is [marmalade forty four]
        my password's [capital otter nine nine exclamation mark]
        password [Otter99!]
        the temporary password is [teapot seven seven hash]
        i set the password to [copper kettle 12]
        passphrase is [seven green kettles]
        with the password [kettle double oh at sign]
        My memorable word is [marmalade].
        the pass word was [o t t e r one two]
    """,
    "PIN": """
        pin [four four one nine]
        my pin is [oh seven two three]
        the pin code's [eight two double six]
        I changed my pin to [1 9 4 4].
        P I N [double nine one two]
        type [five oh five one] on your keypad
        my new pen is [4 4 1 9]
        the card's pin number is [nine one seven six]
    """,
    "ONE_TIME_CODE": """
        the code is [five five oh one three two]
        passcode [884 201]
        one time code [six two oh nine]
        the verification code says [four nine nine oh one seven]
        o t p [three three one eight oh two]
        My code. [Six, to, zero, nine, nine, one.]
        the one time password was [nine oh four four two one]
        they texted me the code [G 4 4 1 9 0 2]
    """,
    "NETWORK": """
        the i p is [one nine two dot one six eight dot one dot twenty four]
        IP address [10.0.14.7]
        it shows [one seventy two dot sixteen. Dot four dot nine]
        address is [eighty one dot two hundred and four dot nine dot one]
        my site is [otter crafts dot com]
        the page is at [www.ottercrafts.com/shop]
        [w w w dot otter dash crafts dot org slash help]
        website's [ottercrafts.co.uk]
    """,
    "STREET_ADDRESS": """
        i live at [forty two larch road]
        [17 Quarry Lane]
        ship it to [flat nine, two oh eight kingfisher court]
        we're at [twelve b mill street]
        the house is [one hundred and four west meridian avenue]
        my address is [8 Thistle Close Apartment 3]
        come to [number six old quarry road]
        it's [three oh five oak boulevard suite two hundred]
        the delivery goes to [lindenstrasse forty four]
        she lives at [calle mayor twelve]
        send it to [seven seven one harbourview]
        we moved to [fourteen jupiter heights]
        [1204 South Meridian Parkway Unit 5 C]
        parked outside [sixty one willow crescent]
    """,
    "PERSON": """
        my name is [rosa quill]
        this is doctor [quill]
        you're speaking to [rosa quill]
        it's under [quill]
        the account holder is [rosa m quill]
        my sister [rosa] will pick it up
        our driver [kofi] called
        Your engineer will be [Kofi Mensah].
        the patient is [noor haddad], [sixty one] years old
        [q u i l l]
        Quill spelled [q u i double l]
        my surname is [o'quill]
        they call me [rosie]
        the parcel is for [kofi and noor mensah]
        signed by [j quill]
        my name changed from [quill] to [mensah]
        i'm calling on behalf of [noor haddad]
        Mrs. [Haddad-Quill] is my landlady
        can you check the page for me [noor]
        it goes back to account [four four one two nine oh oh one] [noor]
        we have [noor] down as [sixty one] years of age
        my son [kofi] born [may second two thousand and nine]
        perfect [noor] your new card is on its way
        is [kofi mensah] there
    """,
    "PLACES": """
        i live in [tulsa]
        we're flying to [lisbon]
        she moved to [stratford upon avon]
        calling from [little falls minnesota]
        i'm from [kerala]
        the zip is [nine oh two one oh]
        postcode [s w one a two a a]
        pin code [five six oh oh three four]
        Postcode's [SW1A 2AA].
        zip code, [7 4 1 0 3]
    """,
}  # fmt: skip

HARMLESS = """
    i have been on hold for forty five minutes
    it was six hundred and twelve dollars fifty
    we open from nine to five on weekdays
    the train from platform nine leaves at seventeen forty
    your order number is four four eight one nine two
    the booking reference is x k nine two
    i bought three of them for twenty each
    it happens between two and four in the morning
    you can cancel within fourteen days
    my contract ends in may twenty twenty seven
    i paid on the third of march
    turn right after two hundred meters
    the model is w h one thousand x m four
    windows eleven asks me to restart
    the login page is not loading
    my password expired yesterday
    what is your e-mail policy
    i never got the e-mail at work
    is the manager there
    the driver was late and the engineer never came
    the patient portal is down
    my doctor prescribed tablets twice a day
    it is going to be two days late
    could you send it to the same address
    i live on the third floor
    we moved two months ago
    i'm at the airport
    come to gate twenty two by eight
    please deliver it before five
    go to page twelve and press save
    a family of four
    thanks so much for that
    perfect that works
    okay great so what do you need from me
    hi there how are you today
    he spoke to a real person
    my name is spelled wrong on the card
    spell it for me please
    it is under review
    this is about a refund
    the c v v is not on the receipt
    my card expired last week
    i lost my passport and my driving licence
    the code never came
    which pin do you mean
    the registration is due
    i want to register my new account
    twenty four seven support
    ten out of ten
    it weighs two point five kilos
    version fourteen point two
    i pressed one and then two
    chapter three section two
    they scored ninety to eighty eight
    send me a link please
    the website says closed
    visit our shop
    we are a team of twelve people
    i have a question about policy changes
    my insurance covers up to ten thousand
    a loan of three thousand dollars
    it boards at ten forty five p m
    can i speak to someone about my bill please
    i was speaking with an agent yesterday
    is anyone there
    is it available in blue
    was the technician there today
    my wife is coming with me
    my husband will pick up the parcel
    the patient is stable
    your driver will be there in ten minutes
    your engineer is running late
    our customer service is closed on sundays
    this is about my recent order
    it is under twenty dollars
    it's under my account
    the account holder has to call
    i changed my plan from basic to premium
    change the name from the old one to the new one
    thanks again for the help
    sorry about that let me check
    okay good can you hear me
    perfect sounds great
    hello can i get a quote
    hi i need some help with my router
    great so what is the next step
    right how much does it cost
    the name on the order is wrong
    the card number was wrong
    please spell the last word
    i am twenty minutes away
    i'll be ten minutes late
    she'll be there in five
    he was twelve minutes late
    at the end of the month
    at about three hundred dollars
    delivered to the wrong house
    send it to the address on file
    the house is cold
    we live in a small town
    i live in an apartment
    i'm from the billing team
    is that in the north or the south
    the code is on the box
    what does error code five oh two mean
    promo code summer twenty does not work
    my policy covers two cars
    policy number please
    account number please
    the last four digits please
    i have two cards on my account
    my card has a limit of five thousand
    call me in twenty minutes
    call me after five thirty
    you can call from nine to five
    text me when you are close
    the phone costs four hundred and ninety nine
    i bought a phone with one hundred and twenty eight gigs
    it's a twenty four hour line
    email support is slow
    i can send an email to support
    send it by email to the team
    the email said to call this number
    i sent three emails
    my website is down
    the site is slow at night
    i log in every day
    i logged in to the app this morning
    log in with your phone
    sign in with the code
    the password is too short
    password must have eight characters
    the pin pad is broken
    it expires in two weeks
    the offer is valid until the end of march
    my subscription expires in december
    registered on the third of may
    register me for the class
    the plate is broken
    i need a new number plate
    the passport office opens at nine
    record the call please
    a record of three wins
    group of seven people
    member since two thousand nine
    table for two at seven thirty
    a flat tyre on the motorway
    a flat fee of twelve dollars
    unit prices went up by three percent
    number one priority
    door number two please
    room three twelve at the hotel
    platform four at eleven fifteen
    turn on to main road after two miles
    there is traffic on the road
    two blocks down the street
    the way to the store
    a drive of two hours
    court is at ten
    place an order of fifteen boxes
"""


def cases(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(kind, line.strip()) for kind, lines in table.items() for line in lines.strip().splitlines()]


def masked(said: str) -> str:
    """The words with what was found in brackets."""
    out, end = "", 0
    for span in resolve(said, find_all(Heard.of(said))):
        out += said[end : span.start] + "[" + said[span.start : span.end] + "]"
        end = span.end
    return out + said[end:]


def signs(marked: str) -> list[str]:
    """Every letter and digit, in capitals when it stands in brackets."""
    inside, out = False, []
    for sign in marked:
        inside = {"[": True, "]": False}.get(sign, inside)
        if sign.isalnum():
            out.append(f"[{sign}]" if inside else sign)
    return out


@pytest.mark.parametrize(("kind", "line"), cases(WORDINGS))
def test_what_is_private_is_masked_to_the_letter_and_the_words_around_it_stay(kind: str, line: str) -> None:
    said = re.sub(r"[\[\]]", "", line)
    assert signs(masked(said)) == signs(line), masked(said)


@pytest.mark.parametrize("line", [line.strip() for line in HARMLESS.strip().splitlines()])
def test_what_is_nobodys_stays(line: str) -> None:
    assert masked(line) == line
