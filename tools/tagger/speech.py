"""How values are said aloud: digits in ones, pairs and hundreds, letters with and without a word for them."""

from __future__ import annotations

from random import Random

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
NATO = [
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
    "quebec",
    "romeo",
    "sierra",
    "tango",
    "uniform",
    "victor",
    "whiskey",
    "x-ray",
    "yankee",
    "zulu",
]
AS_IN = [
    "apple",
    "boy",
    "cat",
    "dog",
    "elephant",
    "frank",
    "george",
    "harry",
    "ice",
    "jack",
    "king",
    "larry",
    "mother",
    "nancy",
    "orange",
    "peter",
    "queen",
    "robert",
    "sugar",
    "tom",
    "umbrella",
    "victor",
    "water",
    "xylophone",
    "yellow",
    "zebra",
]


def number(value: int) -> str:
    """A whole number below a million, as Americans and Britons say it."""
    if value >= 1000:
        rest = value % 1000
        return f"{number(value // 1000)} thousand" + (f" {number(rest)}" if rest else "")
    if value >= 100:
        rest = value % 100
        return f"{ONES[value // 100]} hundred" + (f" and {number(rest)}" if rest else "")
    if value >= 20:
        return TENS[value // 10] + (f" {ONES[value % 10]}" if value % 10 else "")
    return TEENS[value - 10] if value >= 10 else ONES[value]


def ordinal(value: int) -> str:
    """First to ninety-ninth."""
    if value <= 20:
        return ORDINALS[value]
    return TENS[value // 10] + " " + ORDINALS[value % 10] if value % 10 else TENS[value // 10][:-1] + "ieth"


def digits(random: Random, value: str) -> str:
    """A run of digits read aloud."""
    zero = random.choice(["zero", "zero", "oh", "oh", "nought"])
    pairs = random.random() < 0.3
    repeats = random.random() < 0.35
    out: list[str] = []
    at = 0
    while at < len(value):
        left = len(value) - at
        here = value[at]
        if repeats and left >= 3 and value[at : at + 3] == here * 3:
            out.append(f"triple {ONES[int(here)] if here != '0' else zero}")
            at += 3
        elif repeats and left >= 2 and value[at + 1] == here:
            out.append(f"double {ONES[int(here)] if here != '0' else zero}")
            at += 2
        elif pairs and left >= 2 and here != "0" and random.random() < 0.7:
            out.append(number(int(value[at : at + 2])))
            at += 2
        elif left >= 3 and here != "0" and random.random() < 0.03:
            out.append(number(int(value[at : at + 3])))
            at += 3
        else:
            out.append(zero if here == "0" else ONES[int(here)])
            at += 1
    if len(out) > 5 and random.random() < 0.15:
        out.insert(random.randrange(2, len(out) - 1), random.choice(["uh", "um", "hold on", "let me see", "er"]))
    return " ".join(out)


def letter(random: Random, sign: str, way: int) -> str:
    """One letter: bare, in the radio alphabet, or with a word."""
    index = ord(sign.lower()) - 97
    if way == 1:
        return NATO[index]
    if way == 2 or (way == 3 and random.random() < 0.4):
        return f"{sign.lower()} {random.choice(['as in', 'for', 'like'])} {AS_IN[index]}"
    return sign.lower()


def code(random: Random, value: str) -> str:
    """Letters and digits mixed, read aloud."""
    way = random.choice([0, 0, 0, 1, 1, 3])
    out: list[str] = []
    run = ""
    for sign in value + " ":
        if sign.isdigit():
            run += sign
            continue
        if run:
            out.append(digits(random, run))
            run = ""
        if sign.isalpha():
            out.append(letter(random, sign, way))
    return " ".join(out)
