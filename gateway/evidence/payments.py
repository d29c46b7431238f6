"""What a receipt says of payment pauses: the gap's two markers, and that nothing moved between them (promise 33)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.errors import EvidenceInvalid
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Entry, Json

PAUSED, ANSWERED = "payment.paused", "payment.answered"
ENDS = ("payment.resumed", "payment.abandoned")
PAYMENT = "payment"
_MOVES = frozenset({"masked", "recording.started", "listening.started", "listening.resumed"})
"""What cannot be written in a pause, beside a Grant for anybody but the payment processor."""


def payments(entries: Sequence[Entry]) -> dict[str, Json]:
    """Only where there are some, so that receipts of calls without any stay as they are.

    ``blind`` is ``kept``, or ``broken``: between the markers somebody else was given a Grant, or words were masked.

    Raises:
        EvidenceInvalid: a pause begins within another, or ends without having begun.
    """
    rows: list[Json] = []
    now: dict[str, Json] | None = None
    for entry in entries:
        kind, body = entry.draft.kind, entry.draft.body
        if kind == PAUSED:
            if now is not None:
                raise EvidenceInvalid("a payment pause begins within another one")
            now = {**body, "at": timestamp(entry.draft.at), "ended": None, "until": None, "answers": [], "blind": "kept"}
            rows.append(now)
        elif kind in (ANSWERED, *ENDS) and (now is None or now["pause"] != body["pause"]):
            raise EvidenceInvalid(f"an entry of kind {kind} belongs to no payment pause")
        elif now is not None and kind == ANSWERED:
            now["answers"] = [*_texts(now["answers"]), body["verdict"]]
        elif now is not None and kind in ENDS:
            told = {name: value for name, value in body.items() if name not in ("pause", "reason")}
            now |= {**told, "ended": body["reason"], "until": timestamp(entry.draft.at)}
            now = None
        elif now is not None and _moves(kind, body):
            now["blind"] = "broken"
    return {"payments": rows} if rows else {}


def _moves(kind: str, body: Mapping[str, Json]) -> bool:
    grant = body.get("grant")
    to_another = kind == "hop" and not (isinstance(grant, Mapping) and grant.get("hop") == PAYMENT)
    return to_another or kind in _MOVES


def _texts(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []
