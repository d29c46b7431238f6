"""Values of every kind that the tagger learns: how each is said and how it is written. Nobody real is meant."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tools.tagger import words
from tools.tagger.figures import Figures
from tools.tagger.maker import Said
from tools.tagger.people import People
from tools.tagger.speech import digits


class Values(People, Figures):
    """Makes values. ``keep`` says of a value whether it may be used (see ``check.py``)."""

    def __init__(self, random: Random, keep: Callable[[str], bool] = lambda said: True) -> None:
        super().__init__(random)
        self._keep = keep

    def make(self, slot: str) -> Said:
        """A value for a slot of a template. Raises AttributeError for a slot that there is not."""
        maker: Callable[[], Said] = getattr(self, f"make_{slot}")
        while True:
            said, written = maker()
            if self._keep(said) and self._keep(written.lower().replace("-", " ")):
                return said, written

    def _host(self) -> Said:
        if self.random.random() < 0.55:
            host = self.pick(words.MAIL_HOSTS)
            return self._dotted(host)
        name = self.pick(words.HOST_FIRST) + " " + self.pick(words.HOST_SECOND)
        ending = self.pick(words.ENDINGS)
        said, written = self._dotted(ending)
        return f"{name} dot {said}", f"{name.replace(' ', '')}.{written}"

    def _dotted(self, host: str) -> Said:
        said = host.replace(".", " dot ")
        if host.endswith((".de", ".uk", ".fr", ".es")) or host in ("de", "co.uk", "us"):
            head, _, tail = said.rpartition(" ")
            said = f"{head} {' '.join(tail)}".strip()
        return said, host

    def _local(self) -> Said:
        first, family = self.make_first()[0], self.make_last()[0].replace(" ", "").replace("'", "")
        way = self.random.randrange(7)
        figures = self.figures(self.random.choice([2, 2, 4, 3]))
        if way == 0:
            return f"{first} dot {family}", f"{first}.{family}"
        if way == 1:
            return f"{first} {family}", f"{first}{family}"
        if way == 2:
            return f"{first} {digits(self.random, figures)}", first + figures
        if way == 3:
            join = self.pick(["underscore _", "dash -", "hyphen -"])
            return f"{first} {join[:-2]} {family}", first + join[-1] + family
        if way == 4:
            return f"{first[0]} {family}", first[0] + family
        if way == 5:
            return f"{' '.join(first)} {family}", first + family
        one, two = self.pick(words.HANDLE_FIRST), self.pick(words.HANDLE_SECOND)
        return f"{one} {two} {digits(self.random, figures)}", one + two + figures

    def make_email(self) -> Said:
        local, host = self._local(), self._host()
        lead = self.pick(["all lower case ", "", "", "", "", "", "", "", "", ""])
        del lead
        return f"{local[0]} at {host[0]}", f"{local[1]}@{host[1]}"

    def make_url(self) -> Said:
        name = self.pick(words.HOST_FIRST) + " " + self.pick(words.HOST_SECOND)
        ending, plain = self._dotted(self.pick(words.ENDINGS))
        said, written = f"{name} dot {ending}", f"{name.replace(' ', '')}.{plain}"
        if self.random.random() < 0.35:
            page, count = self.pick(words.PAGES), self.figures(self.random.choice([2, 3]))
            choice = self.random.random()
            if choice < 0.6:
                return f"{said} slash {page} slash {digits(self.random, count)}", f"{written}/{page}/{count}"
            return f"{said} forward slash {page}", f"{written}/{page}"
        if self.random.random() < 0.25:
            return f"www dot {said}", f"www.{written}"
        return said, written

    def make_username(self) -> Said:
        one, two = self.pick(words.HANDLE_FIRST), self.pick(words.HANDLE_SECOND)
        first, figures = self.make_first()[0], self.figures(self.random.choice([2, 2, 3, 4]))
        spoken = digits(self.random, figures)
        return self.pick_said(
            (f"{one} {two} {spoken}", f"{one}{two}{figures}"),
            (f"{one} underscore {two}", f"{one}_{two}"),
            (f"{first} underscore {spoken}", f"{first}_{figures}"),
            (f"{first} {spoken}", first + figures),
            (f"{first} dot {two}", f"{first}.{two}"),
            (f"{one} dash {first} {spoken}", f"{one}-{first}{figures}"),
            (f"{one} {two}", one + two),
        )

    def make_password(self) -> Said:
        one, two = self.pick(words.HANDLE_FIRST), self.pick(words.HANDLE_SECOND)
        figures = self.figures(self.random.choice([2, 2, 3, 4]))
        spoken = digits(self.random, figures)
        sign, plain = self.random.choice(
            [
                ("exclamation mark", "!"),
                ("hash", "#"),
                ("dollar sign", "$"),
                ("star", "*"),
                ("at sign", "@"),
                ("exclamation point", "!"),
            ]
        )
        return self.pick_said(
            (f"{one} {two} {spoken}", f"{one}{two}{figures}"),
            (
                f"capital {one[0]} {one[1:]} {spoken}"
                if len(one) > 4 and self.random.random() < 0.1
                else f"capital {one} {spoken}",
                one.title() + figures,
            ),
            (f"{one} {spoken} {sign}", one + figures + plain),
            (f"{one} dash {two} dash {spoken}", f"{one}-{two}-{figures}"),
            (f"{one} {two} {sign}", one + two + plain),
            (f"{one} underscore {two} {spoken}", f"{one}_{two}{figures}"),
            (f"{spoken} {one} {two}", f"{figures}{one}{two}"),
            (f"{one} {two} {self.pick(words.HANDLE_SECOND)}", f"{one} {two}"),
        )

    def pick_said(self, *options: Said) -> Said:
        return self.random.choice(options)
