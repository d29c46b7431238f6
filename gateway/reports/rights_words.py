"""The words of the page that a person is handed, in English and German. A language that is not here is told in English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.reports.rights_tables import HEADS, NAMES, RIGHTS, TEXTS, TITLES

LANGUAGES = ("en", "de")


class Facts(Protocol):
    """What titles and sentences need of a ``Dossier``."""

    @property
    def right(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def made(self) -> datetime: ...


def words_in(language: str) -> Words:
    """The words of that language, of its first part (``de-AT``), else English."""
    short = language.lower().split("-")[0]
    return Words(short if short in LANGUAGES else LANGUAGES[0])


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that the page says, in one language."""

    language: str

    def __getitem__(self, name: str) -> str:
        return TEXTS[self.language][name]

    @property
    def rights(self) -> tuple[str, ...]:
        return RIGHTS[self.language]

    def heads(self, table: str) -> tuple[str, ...]:
        return HEADS[self.language][table]

    def title(self, facts: Facts) -> str:
        return TITLES[self.language].get(facts.right, TITLES[self.language]["access"]).format(tenant=facts.tenant)

    def lead(self, facts: Facts) -> str:
        return self["lead"].format(tenant=facts.tenant)

    def unread(self, count: int) -> str:
        return self["unread"].format(count=count)

    def proof(self, facts: Facts, seq: int, head: str) -> str:
        if not seq:
            return self["proof.none"].format(tenant=facts.tenant)
        return self["proof"].format(tenant=facts.tenant, seq=seq, head=head)

    def moment(self, at: str) -> str:
        """A time for people, in UTC: nobody knows here where they read it."""
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return at
        return f"{moment:%d.%m.%Y, %H:%M} UTC" if self.language == "de" else f"{moment:%d %b %Y, %H:%M} UTC"

    def duration(self, ms: int) -> str:
        minutes, seconds = divmod(round(ms / 1000), 60)
        return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"

    def length(self, seconds: int) -> str:
        """``30 days``: exact, in the largest unit that fits."""
        if not seconds:
            return self["not_kept"]
        for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
            if seconds % size == 0:
                count = seconds // size
                return f"{count} {self[name if count == 1 else f'{name}s']}"
        return f"{seconds} s"

    def times(self, times: int, calls: int) -> str:
        once, one = ("times.one" if times == 1 else "times"), ("in_calls.one" if calls == 1 else "in_calls")
        return f"{self[once].format(count=times)}, {self[one].format(count=calls)}"

    def listed(self, texts: Iterable[str]) -> str:
        return ", ".join(texts)

    def place(self, region: str) -> str:
        """A region for people: ``EU``, ``IN (ap-south-1)``, the gateway's own machine."""
        if region == "local":
            return self["local"]
        head, _, part = region.partition("/")
        named = head.upper() if len(head) <= 3 else head
        return f"{named} ({part})" if part else named

    def category(self, name: str) -> str:
        return self._named("category", name)

    def data_class(self, name: str) -> str:
        return self._named("class", name)

    def mechanism(self, name: str) -> str:
        return self._named("mechanism", name)

    def purpose(self, name: str) -> str:
        return self._named("purpose", name)

    def answer(self, name: str) -> str:
        return self._named("answer", name)

    def how(self, name: str) -> str:
        return self._named("how", name)

    def outcome(self, name: str) -> str:
        return self._named("outcome", name) if name else "–"

    def entity(self, name: str) -> str:
        return self._named("entity", name)

    def _named(self, table: str, name: str) -> str:
        known: Mapping[str, str] = NAMES[self.language].get(table, {})
        return known.get(name, name.replace("_", " ").replace("-", " ").lower())
