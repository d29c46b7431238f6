"""Numbers of every kind that the tagger learns: how each is said and how it is written."""

from __future__ import annotations

from tools.tagger.maker import Maker, Said
from tools.tagger.speech import MONTHS, digits, number, ordinal


class Figures(Maker):
    """Makes them."""

    def make_phone(self) -> Said:
        pattern = self.pick(
            ["999-999-9999"] * 6 + ["(999) 999-9999", "07999 999999", "020 9999 9999", "99999 99999", "999-9999", "0999 999 9999"]
        )
        value = self.pattern(pattern)
        said = digits(self.random, "".join(sign for sign in value if sign.isdigit()))
        if self.random.random() < 0.15:
            country = self.pick(["1", "44", "91", "49", "34", "971"])
            return f"plus {digits(self.random, country)} {said}", f"+{country} {value}"
        if self.random.random() < 0.05:
            return f"area code {said}", value
        return said, value

    def make_card(self) -> Said:
        value = self.pick(["4", "5", "37", "60", "35"])
        value += self.figures((15 if value == "37" else 16) - len(value))
        return digits(self.random, value), " ".join(value[at : at + 4] for at in range(0, len(value), 4))

    def make_four(self) -> Said:
        value = self.figures(4)
        return digits(self.random, value), value

    def make_cvv(self) -> Said:
        value = self.figures(self.random.choice([3, 3, 3, 4]))
        return digits(self.random, value), value

    def make_expiry(self) -> Said:
        month, year = self.random.randint(1, 12), self.random.randint(26, 36)
        said_month = self.pick([MONTHS[month - 1], number(month), digits(self.random, f"{month:02}")])
        said_year = self.pick([number(year), f"twenty {number(year)}", digits(self.random, str(year))])
        return f"{said_month} {said_year}", f"{month:02}/{year}"

    def make_account(self) -> Said:
        value = self.figures(self.random.choice([8, 8, 9, 10, 12]))
        return digits(self.random, value), value

    def make_sort(self) -> Said:
        value = self.figures(6)
        return digits(self.random, value), f"{value[:2]}-{value[2:4]}-{value[4:]}"

    def make_routing(self) -> Said:
        value = self.figures(9)
        return digits(self.random, value), value

    def make_iban(self) -> Said:
        return self.code(
            "DE99 9999 9999 9999 9999 99",
            "GB99 AAAA 9999 9999 9999 99",
            "ES99 9999 9999 9999 9999 9999",
            "FR99 9999 9999 9999 9999 9999 999",
        )

    def make_ssn(self) -> Said:
        value = self.figures(9)
        return digits(self.random, value), f"{value[:3]}-{value[3:5]}-{value[5:]}"

    def make_dob(self) -> Said:
        year, month, day = self.random.randint(1932, 2012), self.random.randint(1, 12), self.random.randint(1, 28)
        name = MONTHS[month - 1]
        if year >= 2000:
            said_year = self.pick(
                [
                    f"two thousand {number(year - 2000)}" if year > 2000 else "two thousand",
                    f"twenty {digits(self.random, f'{year - 2000:02}')}",
                ]
            )
        else:
            rest = year - 1900
            said_year = self.pick([f"nineteen {number(rest)}", f"nineteen {number(rest)}", number(rest)])
        way = self.random.randrange(5)
        if way == 0:
            return f"{name} {ordinal(day)} {said_year}", f"{name.title()} {day}, {year}"
        if way == 1:
            return f"the {ordinal(day)} of {name} {said_year}", f"the {day}th of {name.title()} {year}"
        if way == 2:
            return f"{number(month)} {number(day)} {said_year}", f"{month}/{day}/{year}"
        if way == 3:
            return f"{ordinal(day)} {name} {said_year}", f"{day} {name.title()} {year}"
        return (
            f"{digits(self.random, f'{day:02}')} {digits(self.random, f'{month:02}')} {said_year}",
            f"{day:02}-{month:02}-{year}",
        )

    def make_age(self) -> Said:
        value = self.random.randint(2, 94)
        return number(value), str(value)

    def make_passport(self) -> Said:
        return self.code("999999999", "A99999999", "A9999999", "AA9999999", "C99AA99A9")

    def make_license(self) -> Said:
        return self.code("A9999999", "99999999", "A999999999999", "A999-9999-9999", "999999999", "AAAAA999999AA9AA")

    def make_aadhaar(self) -> Said:
        value = self.figures(12)
        return digits(self.random, value), f"{value[:4]} {value[4:8]} {value[8:]}"

    def make_pan(self) -> Said:
        return self.code("AAAAA9999A", "AAAPA9999A")

    def make_nhs(self) -> Said:
        value = self.figures(10)
        return digits(self.random, value), f"{value[:3]} {value[3:6]} {value[6:]}"

    def make_nino(self) -> Said:
        return self.code("AA999999A", "AA 99 99 99 A")

    def make_mrn(self) -> Said:
        return self.code("9999999", "A999999", "99999999", "AA99999", "MRN999999")

    def make_member(self) -> Said:
        return self.code("999999999", "A99999999", "AAA999999", "99999999", "AA9999999")

    def make_policy(self) -> Said:
        return self.code("AA999999", "99999999", "A9999999", "AAA9999999", "99AA99999")

    def make_pin(self) -> Said:
        return self.make_four()

    def make_otp(self) -> Said:
        value = self.figures(self.random.choice([6, 6, 6, 4, 5, 8]))
        return digits(self.random, value), value

    def make_ip(self) -> Said:
        parts = [str(self.random.randint(1, 254)) for _ in range(4)]
        said = [self.pick([digits(self.random, part), number(int(part))]) for part in parts]
        return f" {self.pick(['dot', 'dot', 'point'])} ".join(said), ".".join(parts)

    def make_plate(self) -> Said:
        return self.code("AAA9999", "AA99 AAA", "9AAA999", "AA99AA9999", "AAA 999", "A9AAA", "99AAA9")
