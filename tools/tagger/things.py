"""What is said on calls and is nobody's: amounts, hours, days, orders, flights, products."""

from __future__ import annotations

from random import Random

from tools.tagger import words
from tools.tagger.speech import MONTHS, code, digits, number, ordinal

Said = tuple[str, str]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_AIRLINES = [
    ("b a", "BA"),
    ("l h", "LH"),
    ("a a", "AA"),
    ("u a", "UA"),
    ("delta", "Delta "),
    ("flight", "flight "),
    ("ryanair", "Ryanair "),
    ("e k", "EK"),
]


class Things:
    """Makes them, as said and as written."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def make(self, slot: str) -> Said:
        """Raises AttributeError for a slot that there is not."""
        said, written = getattr(self, f"make_{slot}")()
        return said, written

    def _two(self, options: list[str]) -> Said:
        value = self.random.choice(options)
        return value.lower(), value

    def make_small(self) -> Said:
        value = self.random.choice(
            [self.random.randint(1, 12), self.random.randint(2, 60), self.random.choice([100, 150, 200, 250, 500])]
        )
        return number(value), str(value)

    def make_amount(self) -> Said:
        value = self.random.choice(
            [
                self.random.randint(2, 99),
                self.random.randint(100, 999),
                self.random.randint(10, 99) * 100,
                self.random.randint(1, 90) * 1000,
            ]
        )
        unit, sign = self.random.choice(
            [("dollars", "$"), ("dollars", "$"), ("pounds", "£"), ("euros", "€"), ("rupees", "₹"), ("bucks", "$")]
        )
        if value < 1000 and self.random.random() < 0.4:
            cents = self.random.randint(1, 99)
            middle = self.random.choice([f" {unit} ", " ", f" {unit} and "])
            return f"{number(value)}{middle}{number(cents)}" + (" cents" if "and" in middle else ""), f"{sign}{value}.{cents:02}"
        return f"{number(value)} {unit}", f"{sign}{value:,}"

    def make_time(self) -> Said:
        hour, minute = self.random.randint(1, 12), self.random.choice([0, 0, 0, 15, 30, 45, 10, 20])
        half = self.random.choice(["a m", "p m", "o'clock", "", "in the morning"])
        plain = half.replace(" ", "") if len(half) == 3 else ""
        if minute and half == "o'clock":
            half = ""
        said = number(hour) + (f" {number(minute)}" if minute else "") + (f" {half}" if half else "")
        return said, f"{hour}:{minute:02} {plain}".strip() if minute or plain else f"{hour}"

    def make_weekday(self) -> Said:
        return self._two(_DAYS)

    def make_month(self) -> Said:
        return self._two([month.title() for month in MONTHS])

    def make_date(self) -> Said:
        month, day = self.random.choice(MONTHS), self.random.randint(1, 28)
        if self.random.random() < 0.5:
            return f"{month} {ordinal(day)}", f"{month.title()} {day}"
        return f"the {ordinal(day)} of {month}", f"the {day}th of {month.title()}"

    def make_flight(self) -> Said:
        said, plain = self.random.choice(_AIRLINES)
        value = str(self.random.randint(100, 9999))
        return f"{said} {digits(self.random, value)}", plain + value

    def make_order(self) -> Said:
        value = "".join(self.random.choice("0123456789") for _ in range(self.random.choice([4, 5, 6, 7, 8])))
        if self.random.random() < 0.3:
            letters = "".join(self.random.choice("ABCDEFGHKLMNPRTWX") for _ in range(2))
            return code(self.random, letters + value), letters + value
        return digits(self.random, value), value

    def make_seat(self) -> Said:
        row, letter = self.random.randint(1, 40), self.random.choice("abcdef")
        return f"{number(row)} {letter}", f"{row}{letter.upper()}"

    def make_company(self) -> Said:
        return self._two(words.COMPANIES)

    def make_product(self) -> Said:
        return self._two(words.PRODUCTS)

    def make_model(self) -> Said:
        return self._two(words.MODELS)

    def make_percent(self) -> Said:
        value = self.random.randint(1, 60)
        return f"{number(value)} percent", f"{value}%"

    def make_ordinal(self) -> Said:
        value = self.random.randint(1, 20)
        return ordinal(value), f"{value}th"

    def make_duration(self) -> Said:
        value, unit = (
            self.random.randint(2, 60),
            self.random.choice(["minutes", "hours", "days", "weeks", "seconds", "months", "years"]),
        )
        return f"{number(value)} {unit}", f"{value} {unit}"

    def make_verb(self) -> Said:
        return self._two(words.VERBS)

    def make_noun(self) -> Said:
        noun = self.random.choice(words.NOUNS)
        return self._two([noun, noun, noun + "s"])

    def make_adjective(self) -> Said:
        return self._two(words.ADJECTIVES)

    def make_price(self) -> Said:
        """An amount without its unit: "forty nine ninety nine"."""
        value, cents = (
            self.random.choice([self.random.randint(2, 99), self.random.randint(100, 999)]),
            self.random.choice([99, 95, 50, self.random.randint(10, 99)]),
        )
        if self.random.random() < 0.3:
            return number(value), str(value)
        return f"{number(value)} {number(cents)}", f"{value}.{cents}"

    def make_version(self) -> Said:
        parts = [self.random.randint(0, 24) for _ in range(self.random.choice([2, 2, 3]))]
        return self.random.choice([" point ", " point ", " dot "]).join(map(number, parts)), ".".join(map(str, parts))

    def make_reading(self) -> Said:
        value = self.random.choice([self.random.randint(100, 9999), self.random.randint(1000, 99999)])
        return self.random.choice([number(value), number(value), digits(self.random, str(value))]), str(value)

    def make_year(self) -> Said:
        year = self.random.randint(1985, 2026)
        if year >= 2000:
            return self.random.choice(
                [f"two thousand and {number(year - 2000)}", f"twenty {number(year - 2000)}"]
            ) if year > 2009 else "two thousand", str(year)
        return f"nineteen {number(year - 1900)}", str(year)
