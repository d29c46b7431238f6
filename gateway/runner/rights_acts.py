"""What is done to a person's data when they ask: erased, corrected, only stored. Each act is proven in the tenant's evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from gateway.adapters.keys.spoken import PREFIX
from gateway.errors import InvalidRequest, NotFound
from gateway.evidence.certificate import Certificate
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Json
from gateway.evidence.summary import PROXY
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.deletion import Deletion, Held
from gateway.runner.holdings import CALLERS, LINKS, PERSONS, SPOKEN, Item
from gateway.runner.places import begun
from gateway.runner.rights_handout import Kept, items_of
from gateway.values import CallId, DataClass, Private, TenantId

ONLY_WHEN_SAID = (
    "it holds from the moment they say it on a call; nobody knows a number for it, so nothing keeps them from being dialled: "
    "restrict by their number, too"
)
ROUNDS = 5
"""How often an erasure looks for calls that came while it worked."""
LONGEST_CALL = timedelta(hours=4)
LONGEST_VALUE = 500
NEVER_ALTERED = frozenset({DataClass.EVIDENCE})
OPT_OUT_STAYS = "the keyed hash of who is not to be called stays: without it they would be called again (GDPR art. 17(3)(b))"
RESTRICTION_STAYS = "the keyed hash of whose data is only stored stays until it is lifted: it is what keeps it so"
EVIDENCE_STAYS = "the evidence holds no word and no number of theirs, only keyed hashes, and stays (GDPR art. 17(3)(e))"


class Deleting(Protocol):
    """``gateway.runner.deletion.Deletions``."""

    async def delete(self, tenant: TenantId, items: Sequence[Item], *, why: str, by: str) -> Deletion: ...
    async def held(self, tenant: TenantId, items: Sequence[Item]) -> tuple[Held, ...]: ...
    async def finish(self, tenant: TenantId, *, call: CallId | None = None, subject: str = "") -> tuple[Certificate, ...]: ...


class Corrector(Protocol):
    """One place where a value can be corrected. Raises StoreUnavailable."""

    @property
    def name(self) -> str:
        """``vault``, ``transcript``, ``consent``."""
        ...

    @property
    def data_class(self) -> DataClass:
        """Of what it corrects: which legal holds it asks."""
        ...

    async def stands(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str]) -> Sequence[str]:
        """The calls, or the person, in whose data the value stands. Nothing is changed."""
        ...

    async def correct(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str], new: Private[str]) -> int:
        """Replace the value wherever it stands in these calls, or is kept of this person. How often it did."""
        ...


HashOfValue = Callable[[TenantId, Private[str]], str]
"""The keyed hash of a value: tells whether two are the same, and nothing else."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did. ``finished``: nothing of it is left but ``kept``, each with its reason. ``going_on``: calls that
    have not ended, which it left alone.
    """

    finished: bool
    calls: int
    certificates: tuple[Certificate, ...] = ()
    held: tuple[Held, ...] = ()
    kept: tuple[str, ...] = ()
    going_on: int = 0


@dataclass(frozen=True, slots=True)
class Acted:
    """One act, as it is told. ``evidence``: where it stands."""

    what: str
    evidence: CallId
    facts: Mapping[str, Json] = field(default_factory=dict)
    certificates: tuple[Certificate, ...] = ()
    held: tuple[Held, ...] = ()
    finished: bool = True


@dataclass(frozen=True, slots=True)
class ActParts:
    """What acts stand on."""

    kept: Kept
    deletions: Deleting
    correctors: Sequence[Corrector]
    value_hash: HashOfValue
    ledger: Ledger
    clock: Clock
    ids: Ids


class Acts:
    """Raises StoreUnavailable and EvidenceUnavailable from everything it does: then it is not done, and may be tried again."""

    def __init__(self, parts: ActParts) -> None:
        self._p = parts

    async def calls_of(self, tenant: TenantId, subject: str, call: CallId | None) -> list[CallId]:
        """All calls of the person, or the one that is named. Raises NotFound where that is not one of theirs."""
        if call is None:
            return list(await self._p.kept.persons.calls(tenant, subject))
        if not await self._p.kept.persons.theirs(tenant, subject, call):
            raise _no_such_call()
        return [call]

    async def erase(self, tenant: TenantId, subject: str, call: CallId | None, *, why: str, by: str) -> Erasure:
        """Everything of that call, or of the whole person: every class in every place. Done when this answers.

        What somebody decided before and died over is in no list any more: it is finished here, too. A call that is nobody's by
        now was theirs when they asked.

        Raises:
            NotFound: the call is somebody else's.
            InvalidRequest: a call of theirs is still being recorded. What could be erased is; try again when it has ended.
        """
        if call is not None and not await self._may_be_theirs(tenant, subject, call):
            raise _no_such_call()
        certificates, seen, held, going_on = list[Certificate](), set[CallId](), tuple[Held, ...](), frozenset[CallId]()
        finished = False
        for _ in range(ROUNDS):
            # The person before their calls: who calls meanwhile is known by the next look.
            person = await items_of(self._p.kept, tenant, subject, (), whole=call is None)
            known = [call] if call is not None else await self.calls_of(tenant, subject, None)
            going_on = await self._going_on(tenant, known)
            calls = [each for each in known if each not in going_on]
            of_calls = await items_of(self._p.kept, tenant, subject, calls, whole=False)
            items = [item for _, item in (*of_calls, *person) if item.data_class not in NEVER_ALTERED]
            seen.update(calls)
            first = await self._p.deletions.delete(tenant, [each for each in items if each.holding not in LINKS], why=why, by=by)
            before = await self._finish(tenant, subject, call, seen)
            # The data is gone and certified; now what it is found by, unless that was left behind and went just now.
            gone = {(each.holding, each.of) for each in before}
            index = _index(items, first.held, whole=call is None and not going_on)
            index = [item for item in index if (item.holding, item.id) not in gone]
            index += await self._numbers(tenant, index) if call is None else []
            last = await self._p.deletions.delete(tenant, index, why=why, by=by)
            certificates += (*first.certificates, *before, *last.certificates)
            held = (*first.held, *last.held)
            left = held or going_on
            finished = not left and (call is not None or not await self._p.kept.persons.calls(tenant, subject))
            if finished or left:
                break
        # Behind the last look: what another gateway destroyed meanwhile was not seen by it.
        certificates += await self._finish(tenant, subject, call, seen)
        stays = await self._stays(tenant, subject, seen)
        return Erasure(finished, len(seen), tuple(certificates), held, stays, len(going_on))

    async def _numbers(self, tenant: TenantId, index: Sequence[Item]) -> list[Item]:
        """Who is erased by what they said called from a number: where no other call came from it, its hash is theirs alone."""
        persons, found = self._p.kept.persons, list[Item]()
        calls = {CallId(item.id) for item in index if item.holding == CALLERS}
        for subject in {whose for call in calls if (whose := await persons.of_call(tenant, call)) is not None}:
            if calls.issuperset(await persons.calls(tenant, subject)):
                places = [place for place in self._p.kept.holdings if place.name == PERSONS]
                found += [item for place in places if (item := await place.of_person(tenant, subject)) is not None]
        return found

    async def _may_be_theirs(self, tenant: TenantId, subject: str, call: CallId) -> bool:
        """Whether a call is theirs, or nobody's."""
        persons = self._p.kept.persons
        return await persons.theirs(tenant, subject, call) or await persons.of_call(tenant, call) is None

    async def _going_on(self, tenant: TenantId, calls: Sequence[CallId]) -> frozenset[CallId]:
        """Telephone calls that have not ended: what they are going to leave behind could not be found any more.

        A call whose gateway died over it never ends; after ``LONGEST_CALL`` nobody waits for it.
        """
        since = self._p.clock.now() - LONGEST_CALL
        late = [call for call in calls if (at := begun(call)) is not None and at > since]
        started, ended = set[CallId](), set[CallId]()
        async for entry in self._p.kept.read(tenant, late):
            draft = entry.draft
            if draft.kind == "call.started" and draft.body.get("carrier") != PROXY:
                started.add(draft.call)
            elif draft.kind == "call.ended":
                ended.add(draft.call)
        return frozenset(started - ended)

    async def _finish(self, tenant: TenantId, subject: str, call: CallId | None, calls: Collection[CallId]) -> list[Certificate]:
        """What was decided of theirs before is over when this answers. The certificates of what is certainly theirs."""
        gone = await self._p.deletions.finish(tenant, call=call, subject=subject)
        return [each for each in gone if each.of == subject or each.of in calls]

    async def _stays(self, tenant: TenantId, subject: str, calls: set[CallId]) -> tuple[str, ...]:
        found = list[str]()
        if await self._p.kept.suppression.opted_out(tenant, subject) is not None:
            found.append(OPT_OUT_STAYS)
        if await self._p.kept.persons.restricted(tenant, subject) is not None:
            found.append(RESTRICTION_STAYS)
        return (*found, EVIDENCE_STAYS) if calls else tuple(found)

    async def keeps_as_it_is(
        self, tenant: TenantId, subject: str, call: CallId | None, old: Private[str], new: Private[str]
    ) -> tuple[Held, ...]:
        """What of that which a correction would change a legal hold keeps as it is (GDPR art. 18(2), 17(3)(e)).

        A hold that comes while the values are being written comes after them. Raises NotFound: the call is not theirs;
        InvalidRequest: there are no two values.
        """
        two_values(old, new)
        calls, items = await self.calls_of(tenant, subject, call), list[Item]()
        for corrector in self._p.correctors:
            places = [each for each in self._p.kept.holdings if each.data_class is corrector.data_class]
            for id_ in await corrector.stands(tenant, subject, calls, old):
                for place in places:
                    found = await (place.of_person(tenant, id_) if id_ == subject else place.of_call(tenant, CallId(id_)))
                    items += [found] if found is not None else []
        return await self._p.deletions.held(tenant, items)

    async def rectify(
        self, tenant: TenantId, subject: str, call: CallId | None, old: Private[str], new: Private[str]
    ) -> dict[str, Json]:
        """Replace a value wherever it is kept, at once: how often in each place.

        Raises NotFound: the call is not theirs, or the value stands nowhere.
        """
        calls = await self.calls_of(tenant, subject, call)
        places: dict[str, Json] = {}
        for corrector in self._p.correctors:
            if count := await corrector.correct(tenant, subject, calls, old, new):
                places[corrector.name] = count
        if not places:
            raise NotFound("that value stands nowhere in what is kept of this person", hint="write it exactly as it is kept")
        return {"places": places, "calls": len(calls)}

    def hashes(self, tenant: TenantId, old: Private[str], new: Private[str]) -> dict[str, Json]:
        """The keyed hashes before and after. Raises InvalidRequest: there is nothing to replace, or nothing to replace it by."""
        two_values(old, new)
        return {"before": self._p.value_hash(tenant, old), "after": self._p.value_hash(tenant, new)}

    async def restrict(self, tenant: TenantId, subject: str) -> dict[str, Json]:
        """No dialling, no recogniser, no model from now on: their data is only stored. Of who is known by what they say, no
        model from the moment they say it, and nobody can tell which number not to dial: ``limits`` says so.
        """
        since = await self._p.kept.persons.restrict(tenant, subject, self._p.clock.now())
        limits: dict[str, Json] = {"limits": ONLY_WHEN_SAID} if subject.startswith(PREFIX) else {}
        return {"since": timestamp(since), **limits}

    async def lift(self, tenant: TenantId, subject: str) -> dict[str, Json]:
        """Raises InvalidRequest: there is no restriction."""
        if not await self._p.kept.persons.lift(tenant, subject):
            raise InvalidRequest("this person's data is not restricted")
        return {}

    async def prove(self, tenant: TenantId, kind: str, body: Mapping[str, Json]) -> CallId:
        """Write an act down in a thread of its own, and tell its name."""
        thread = CallId(self._p.ids.new("rights"))
        await CallAccount(tenant, thread, self._p.ledger, self._p.clock).write(kind, body)
        return thread


def by_speech(items: Sequence[Item]) -> bool:
    """Whether the person whose items these are is known by what they said."""
    return any(item.holding == PERSONS and item.id.startswith(PREFIX) for item in items)


def _index(items: Sequence[Item], held: Sequence[Held], *, whole: bool) -> list[Item]:
    """What they are found by: of the whole person, or of those calls that no hold keeps."""
    kept = {each.item.id for each in held}
    of_person = whole and not kept
    # Of a whole person by number their own entry holds all calls; who else is named on those calls is not in it.
    named = {SPOKEN} if of_person and not by_speech(items) else {SPOKEN, CALLERS}
    index = [item for item in items if item.holding in named and item.id not in kept]
    return [*index, *(item for item in items if of_person and item.holding == PERSONS)]


def _no_such_call() -> NotFound:
    return NotFound("this person has no such call", hint="leave the call out to mean all of theirs")


def two_values(old: Private[str], new: Private[str]) -> None:
    """Raises InvalidRequest: there is nothing to replace, or nothing to replace it by."""
    if not old or not new or old == new or _too_long(old) or _too_long(new):
        hint = f"give the wrong value and the right one, each of 1 to {LONGEST_VALUE} characters"
        raise InvalidRequest("these are not two different values", hint=hint)


def _too_long(value: Private[str]) -> bool:
    return bool(value.map(lambda text: len(text) > LONGEST_VALUE).reveal())
