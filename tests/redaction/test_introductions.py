"""People who say plainly who they are, and all that sounds like it: what stands in [brackets] is masked, and nothing else is.

Many names are everyday words too. They are names behind words that speak of a person, and nowhere else.
"""

from __future__ import annotations

import re

import pytest

from tests.redaction.test_wordings import cases, masked, signs

WORDINGS = {
    "who is calling": """
        this is [jack brewer] calling about the fence
        it's [tom] here again
        morning it's [hazel] from the bakery
        hello [ray] here
        it's [bill cooper] i rang on monday
        yes [ivy] speaking
        this is [drew marsh] i'm returning a call
        hi it's [basil] by the way
        this is [joy potter]
        It's [Grant], I called yesterday.
        is this [nora]
        am i speaking with [pearl]
    """,
    "what somebody is called": """
        i go by [bex]
        he goes by [ace]
        everyone calls me [smudge]
        her first name's [june]
        first name [will] last name [short]
        a man called [buster] took it
        mine's [clay]
        known as [birdie]
        he answers to [rusty]
        you can put it down as [quigley]
        the name on the card is [fern woods]
    """,
    "somebody of mine": """
        in my wife's name [dawn okoro]
        it's in [ravi]'s name
        my sister [may] booked it for us
        our neighbour [sergei] has the key
        my brother [will] was there
        my dad [art] is the policy holder
        the engineer [chip] never came
        my flatmate [wren] lost the keys
        i spoke with [olive] in your team
        put me through to [august] in accounts
        could i leave a message for [hope] please
        [delroy] from dispatch will ring you
        it's for [lee]
    """,
    "who is spoken to": """
        cheers [frank] have a good one
        hi [olive] i got your letter
        okay [pearl] give me one moment
        thanks for waiting [sienna]
        no worries [ruby]
        great [hazel] let me see
    """,
}

HARMLESS = """
    it's me again
    it's broken again
    this is ridiculous i've been waiting an hour
    this is about my refund
    this is my third call
    it's noisy in here
    i'm calling from work
    i go by train
    it's known as a dongle
    a thing called a dongle
    the name on the door is faded
    the first name field is blank
    call me tomorrow
    call me a taxi
    they call me every day
    bill me at the end of the month
    will you be able to come in may
    my sister may come with me
    my brother will collect it
    my wife's prescription
    your mother's maiden name
    my son can pick it up
    grant me a few minutes
    can you mark it urgent
    i hope so
    okay will do
    right i'll mark that as paid
    i appreciate your patience
    is this refundable
    is that free
    can i talk to a human
    i want to talk to sales
    ask for extra cheese
    the account's in arrears
    the parcel's under the mat
    it's under warranty
    the reservation is for four people
    it's for work
    it's down as pending
    two dozen roses and a lily
    the olive oil leaked
    a rich tomato soup
    the technician is late
    the driver was rude
    my doctor said no
"""

NUMBERS = {
    "the last of a number": """
        last four are [oh one one eight]
        the final four digits are [seven seven three oh]
        we'll ring the number ending [four oh nine]
        my account ends in [nine three one one]
        social ending [six six oh two]
    """,
    "digits of which nobody says more": """
        [seven seven one two four]
        chart numbers [84119]
        and the three digit are [zero four four]
        the digits are [seven one one oh four]
        the number is [two oh six six]
        my code is [9911]
        it's [three eight four oh oh nine]
        the letter says [nine oh one four four]
    """,
    "letters of an abbreviation, one by one": """
        The C. V. V. is [double six one].
        my D.O.B. is [the fourth of May nineteen seventy one]
    """,
    "an extension": """
        call me on [six one seven five five five oh one four four extension twelve]
    """,
    "a network address with an oh, or half heard": """
        my ip is [one ninety two dot one sixty eight dot oh dot one five]
        the ip address is [ten dot forty four that two one nine dot eight]
    """,
    "ages in passing": """
        my dad's [eighty four]
        at the age of [fifty nine] i can do without that
        the kids are [six] and [nine]
        the patient's [fifty one]
        he's pushing [ninety]
    """,
    "dates of birth that a recogniser garbled": """
        my date of birth is [999.55]
        born on [the second of the third eighty one]
        his birthday's [second second ninety three]
    """,
    "words for a secret": """
        security word [lantern]
        the passphrase is [seven small boats]
        the safe word is [marmalade]
        codeword [foxglove]
        the answer to the security question is [gherkin]
        my secret answer is [tiddles]
    """,
}

COUNTED = """
    we open at nine thirty and close at six
    it weighs about eighty kilos
    the total is four thousand two hundred and six
    it was built in nineteen thirty six
    i bought it in twenty nineteen
    the year two thousand and eight
    at oh eight hundred sharp
    the train leaves at seventeen oh five
    reading is four five two one seven on the gas meter
    one two three can you hear me
    dial nine one one
    error four oh four
    form ten forty
    it's the one oh six bus
    fifteen love
    the boiler is ten years old
    it's ten years old
    a two year warranty
    the last four digits are missing
    the numbers are blurred
    i've forgotten the memorable word
    the security question is too hard
    what's a passphrase
    the username field is blank
    my password expired
"""


@pytest.mark.parametrize(("kind", "line"), cases(WORDINGS) + cases(NUMBERS))
def test_what_is_private_is_masked_to_the_letter_and_the_words_around_it_stay(kind: str, line: str) -> None:
    said = re.sub(r"[\[\]]", "", line)
    assert signs(masked(said)) == signs(line), masked(said)


@pytest.mark.parametrize("line", [line.strip() for line in (HARMLESS + COUNTED).strip().splitlines()])
def test_what_is_nobodys_stays(line: str) -> None:
    assert masked(line) == line
