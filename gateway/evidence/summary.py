"""What a receipt says in short, derived from a call's entries and from nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gateway.errors import EvidenceInvalid
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Entry, Json
from gateway.evidence.facts import PROOFS
from gateway.evidence.payments import payments

VOICE_HOPS = frozenset({"stt", "realtime"})
PROXY = "proxy"
"""The carrier of what comes by the model proxy."""
LISTENING_HOPS = VOICE_HOPS | {"llm", "tts"}
"""Hops that carry something of the caller. On a call with a voice none of them may come before listening began."""

ANSWERS = {"consent.given": "yes", "consent.declined": "no"}
GOES_ON = "continue-unrecorded"
RECORDING = "recording."
"""The beginning of the kinds of entry that tell of a recording."""


def summarise(entries: Sequence[Entry]) -> dict[str, Json]:
    """The facts of one call whose entries are in order and linked (``receipt`` checks that first).

    ``gate`` says whether the announcement gate held (promise 12): ``kept``; ``not_reached``, nothing was ever heard; ``broken``,
    the caller was heard before every announcement was proven; ``none``, not a call with a voice, or one whose announcements a
    program of the tenant's own plays, which asks the model proxy.

    Raises:
        EvidenceInvalid: the entries contradict each other.
    """
    started = _first(entries, "call.started")
    facts: Mapping[str, Json] = started.draft.body if started else {}
    listening = _first(entries, "listening.started")
    ended = _first(entries, "call.ended")
    outcome, code = _outcome(entries, ended, listened=listening is not None)
    return {
        "tenant": entries[0].draft.tenant,
        "call": entries[0].draft.call,
        "carrier": facts.get("carrier"),
        "direction": facts.get("direction"),
        "language": facts.get("language"),
        "started": timestamp(started.draft.at) if started else None,
        "ended": timestamp(ended.draft.at) if ended else None,
        "duration_ms": ended.draft.body["duration_ms"] if ended else None,
        "outcome": outcome,
        "code": code,
        "listened": listening is not None,
        "gate": "none" if facts.get("carrier") == PROXY else _gate(entries, listening),
        "frames_dropped_before_listening": _dropped(entries, listening or ended),
        "policy_digest": facts.get("policy_digest"),
        "registry_digest": facts.get("registry_digest"),
        "announcements": _announcements(entries),
        **_withdrawals(entries),
        **_recording(entries),
        **payments(entries),
        "hops": [_hop(entry) for entry in entries if entry.draft.kind == "hop"],
        "refused": [{"at": timestamp(entry.draft.at), **entry.draft.body} for entry in entries if entry.draft.kind == "refused"],
        "masked": _masked(entries),
    }


def _first(entries: Iterable[Entry], kind: str) -> Entry | None:
    found = [entry for entry in entries if entry.draft.kind == kind]
    if len(found) > 1:
        raise EvidenceInvalid(f"the call has {len(found)} entries of kind {kind}, where there can be one")
    return found[0] if found else None


def _outcome(entries: Sequence[Entry], ended: Entry | None, *, listened: bool) -> tuple[Json, Json]:
    """A call whose end nobody confirmed has failed: its evidence stops in the middle."""
    codes = [entry.draft.body["code"] for entry in entries if entry.draft.kind == "call.failed"]
    code = codes[-1] if codes else None
    if ended is None:
        return "failed", code or "evidence_unavailable"
    outcome = ended.draft.body["outcome"]
    if outcome == "never_listened" and listened:
        raise EvidenceInvalid("the call ended as never_listened, and yet listening had started")
    return outcome, code


def _is_proven(entry: Entry) -> bool:
    body = entry.draft.body
    if entry.draft.kind != "announcement.played" or body["acknowledged"] not in PROOFS:
        return False
    played, total = body["played_ms"], body["total_ms"]
    return isinstance(played, int) and isinstance(total, int) and played >= total


def _gate(entries: Sequence[Entry], listening: Entry | None) -> str:
    before = entries[: entries.index(listening)] if listening else entries
    announcements = {str(e.draft.body["id"]): _is_proven(e) for e in before if e.draft.kind.startswith("announcement.")}
    hops = {_hop_name(entry) for entry in before if entry.draft.kind == "hop" and not _hears_an_answer(entry)}
    if not (announcements or listening or hops & VOICE_HOPS):
        return "none"
    if hops & LISTENING_HOPS or (listening and not (all(announcements.values()) and _agreed(before))):
        return "broken"
    return "kept" if listening else "not_reached"


def _agreed(before: Iterable[Entry]) -> bool:
    """Whether everything that was asked was answered: with a yes, or with a no after which the call may go on unrecorded."""
    open_questions: dict[str, bool] = {}
    for entry in before:
        body, kind = entry.draft.body, entry.draft.kind
        if kind == "announcement.played" and "mode" in body:
            open_questions[str(body["id"])] = True
        elif kind == "consent.given" or (kind == "consent.declined" and body["then"] == GOES_ON):
            open_questions[str(body["id"])] = False
    return not any(open_questions.values())


def _hears_an_answer(entry: Entry) -> bool:
    """The ear for yes and no, on the gateway's own machine, is no listening: nothing that it hears goes on."""
    grant = entry.draft.body["grant"]
    wanted = {"hop": "stt", "purpose": "consent", "region": "local"}
    return isinstance(grant, Mapping) and all(grant.get(name) == value for name, value in wanted.items())


def _hop_name(entry: Entry) -> str:
    grant = entry.draft.body["grant"]
    return str(grant["hop"]) if isinstance(grant, Mapping) else ""


def _dropped(entries: Sequence[Entry], until: Entry | None) -> Json:
    """The count only grows, so the last entry before listening that tells it tells all of it."""
    upto = entries[: entries.index(until) + 1] if until else entries
    counts = [entry.draft.body["frames_dropped"] for entry in upto if "frames_dropped" in entry.draft.body]
    return counts[-1] if counts else 0


def _announcements(entries: Iterable[Entry]) -> list[Json]:
    """Each playing with its proof, and with the caller's answer where one followed it (promise 12)."""
    rows: list[dict[str, Json]] = []
    for entry in entries:
        body, kind = entry.draft.body, entry.draft.kind
        if kind.startswith("announcement."):
            rows.append({**body, "at": timestamp(entry.draft.at), "proven": _is_proven(entry)})
        elif kind in ANSWERS and (asked := next((row for row in reversed(rows) if row["id"] == body["id"]), None)) is not None:
            told = {name: body[name] for name in ("purpose", "how", "after_ms", "then") if name in body}
            asked["answer"] = {"said": ANSWERS[kind], **told, "at": timestamp(entry.draft.at)}
    return list(rows)


def _withdrawals(entries: Iterable[Entry]) -> dict[str, Json]:
    """Only where there are some, so that receipts of calls without any stay as they are."""
    found: list[Json] = [
        {**entry.draft.body, "at": timestamp(entry.draft.at)} for entry in entries if entry.draft.kind == "consent.withdrawn"
    ]
    return {"withdrawn": found} if found else {}


def _recording(entries: Iterable[Entry]) -> dict[str, Json]:
    """What became of the call's recording, step by step; only where there is something to say."""
    found: list[Json] = [
        {**entry.draft.body, "what": entry.draft.kind.removeprefix(RECORDING), "at": timestamp(entry.draft.at)}
        for entry in entries
        if entry.draft.kind.startswith(RECORDING)
    ]
    return {"recording": found} if found else {}


def _hop(entry: Entry) -> dict[str, Json]:
    grant = entry.draft.body["grant"]
    if not isinstance(grant, Mapping):
        raise EvidenceInvalid("a hop has no grant")
    return {**grant, "at": timestamp(entry.draft.at), "refused": entry.draft.body.get("refused", [])}


def _masked(entries: Sequence[Entry]) -> dict[str, Json]:
    totals: Counter[str] = Counter()
    for entry in entries:
        counts = entry.draft.body["counts"] if entry.draft.kind == "masked" else None
        if isinstance(counts, Mapping):
            totals.update({name: count for name, count in counts.items() if isinstance(count, int)})
    return dict(sorted(totals.items()))
