"""What each kind of entry says, field by field, and helpers that write the bodies the same way everywhere.

The check is lenient on purpose: fields that are not named here may be there, and kinds that are not named here are taken as
they are. What is named must be there with its type, because receipts and reports are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import plain
from gateway.evidence.entries import Json


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_texts(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(item, str) for item in value)


def _is_counts(value: Json) -> bool:
    return isinstance(value, Mapping) and all(_is_count(item) for item in value.values())


def _is_outcome(value: Json) -> bool:
    return isinstance(value, str) and value in {"completed", "never_listened", "failed"}


PROOFS = ("mark", "playout")
"""Who says that an announcement was played to its end: ``mark``, the carrier; ``playout``, our own source of audio in a room,
which has no carrier that could say it. The second is weaker: nobody at the other end has confirmed it."""
_ACKNOWLEDGEMENTS = (*PROOFS, "none")


def _is_acknowledgement(value: Json) -> bool:
    return value in _ACKNOWLEDGEMENTS


def _is_grant(value: Json) -> bool:
    return isinstance(value, Mapping) and _has(value, GRANT)


Check = Callable[[Json], bool]

GRANT: Mapping[str, tuple[Check, str]] = {
    "id": (_is_text, "text"),
    "hop": (_is_text, "text"),
    "processor": (_is_text, "text"),
    "host": (_is_text, "text"),
    "region": (_is_text, "text"),
    "purpose": (_is_text, "text"),
    "categories": (_is_texts, "a list of names"),
    "masked": (_is_flag, "true or false"),
    "mechanism": (_is_text, "text"),
}
_ANNOUNCEMENT: Mapping[str, tuple[Check, str]] = {
    "id": (_is_text, "text"),
    "rule": (_is_text, "text"),
    "language": (_is_text, "text"),
    "text_sha256": (_is_text, "text"),
    "audio_sha256": (_is_text, "text"),
    "total_ms": (_is_count, "whole milliseconds"),
    "played_ms": (_is_count, "whole milliseconds"),
    "acknowledged": (_is_acknowledgement, '"mark", "playout" or "none"'),
}
_ANSWER: Mapping[str, tuple[Check, str]] = {
    "id": (_is_text, "text"),
    "mode": (_is_text, "text"),
    "purpose": (_is_text, "text"),
    "how": (_is_text, "text"),
    "after_ms": (_is_count, "whole milliseconds"),
    "play": (_is_count, "a count"),
}
_RECORDED: Mapping[str, tuple[Check, str]] = {
    "ms": (_is_count, "whole milliseconds"),
    "gaps": (_is_list, "a list of stretches"),
}
_OF_PERSON: Mapping[str, tuple[Check, str]] = dict.fromkeys(("case", "subject", "by"), (_is_text, "text"))
_PAUSED: Mapping[str, tuple[Check, str]] = {
    "pause": (_is_count, "a count"),
    "reason": (_is_text, "text"),
    "ms": (_is_count, "whole milliseconds"),
    "keys": (_is_count, "a count"),
}
_ASKED: Mapping[str, tuple[Check, str]] = {"who": (_is_text, "text"), "right": (_is_text, "text"), "path": (_is_text, "text")}
_ACCESS_KEY: Mapping[str, tuple[Check, str]] = {"key": (_is_text, "text"), "role": (_is_text, "text"), "by": (_is_text, "text")}
_DELETED = ("certificate", "class", "of", "holding", "key_id", "why", "by", "decided", "gone")
_HOLD: Mapping[str, tuple[Check, str]] = {"hold": (_is_text, "text"), "reason": (_is_text, "text"), "by": (_is_text, "text")}
_CASE: Mapping[str, tuple[Check, str]] = {
    "case": (_is_text, "text"),
    "case_kind": (_is_text, "text"),
    "event": (_is_count, "a count"),
    "what": (_is_text, "text"),
    "happened_at": (_is_text, "text"),
}
_CASE_STEPS = ("opened", "event", "letter", "notified", "attempted", "closed")
_BACKUP: Mapping[str, tuple[Check, str]] = {"backup": (_is_text, "text"), "head": (_is_text, "text")}
_RESTORED: Mapping[str, tuple[Check, str]] = {
    "deletions_since": (_is_count, "a count"),
    "deleted_again": (_is_count, "a count"),
    "came_back": (_is_count, "a count"),
}
_CUT: Mapping[str, tuple[Check, str]] = {
    **dict.fromkeys(("from", "to", "count"), (_is_count, "a count")),
    **dict.fromkeys(("hash", "root", "began", "ended", "why", "by"), (_is_text, "text")),
    "full": (_is_texts, "a list of hashes"),
}
_END: Mapping[str, tuple[Check, str]] = {"offboarding": (_is_text, "text")}
KINDS: Mapping[str, Mapping[str, tuple[Check, str]]] = {
    **{f"case.{step}": _CASE for step in _CASE_STEPS},
    **{f"incident.{step}": _CASE for step in (*_CASE_STEPS, "scoped")},
    "access.allowed": {**_ASKED},
    "access.refused": {**_ASKED, "why": (_is_text, "text")},
    "access.key_created": {**_ACCESS_KEY},
    "access.key_rotated": {**_ACCESS_KEY},
    "access.key_revoked": {**_ACCESS_KEY},
    "access.reveal_granted": {"who": (_is_text, "text"), "reason": (_is_text, "text"), "until": (_is_text, "text")},
    "access.reveal_ended": {"who": (_is_text, "text"), "grant": (_is_text, "text")},
    "access.glass_broken": {"by": (_is_text, "text"), "reason": (_is_text, "text"), "until": (_is_text, "text")},
    "access.signed_in": {"who": (_is_text, "text"), "roles": (_is_texts, "a list of names"), "until": (_is_text, "text")},
    "access.sign_in_refused": {"why": (_is_text, "text")},
    "access.sessions_ended": {"who": (_is_text, "text"), "by": (_is_text, "text"), "sessions": (_is_count, "a count")},
    "access.person_forgotten": {"who": (_is_text, "text"), "by": (_is_text, "text")},
    "access.told": {"key": (_is_text, "text"), "channel": (_is_text, "text"), "delivered": (_is_flag, "true or false")},
    "backup.made": {**_BACKUP, "region": (_is_text, "text"), "sha256": (_is_text, "text")},
    "backup.restored": {**_BACKUP, **_RESTORED},
    "call.started": {},
    "announcement.played": {**_ANNOUNCEMENT, "ack_ms": (_is_count, "whole milliseconds")},
    "announcement.unproven": {"id": (_is_text, "text"), "why": (_is_text, "text")},
    "listening.started": {},
    "listening.resumed": {},
    "participant.joined": {},
    "consent.given": {**_ANSWER},
    "consent.declined": {**_ANSWER, "then": (_is_text, "text")},
    "consent.withdrawn": {"purpose": (_is_text, "text"), "how": (_is_text, "text"), "then": (_is_text, "text")},
    "consent.not_kept": {"purpose": (_is_text, "text"), "code": (_is_text, "text")},
    "recording.started": {"consent": (_is_text, "text"), "key_id": (_is_text, "text"), "processor": (_is_text, "text")},
    "recording.refused": {"code": (_is_text, "text"), "then": (_is_text, "text")},
    "recording.failed": {"code": (_is_text, "text"), **_RECORDED},
    "recording.stopped": {"why": (_is_text, "text"), **_RECORDED},
    "recording.deleted": {"why": (_is_text, "text"), "key_id": (_is_text, "text")},
    "recording.stored": {"processor": (_is_text, "text")},
    "keys.rotated": {"what": (_is_text, "text"), "key_id": (_is_text, "text")},
    "keys.destroyed": {"key_id": (_is_text, "text"), "why": (_is_text, "text")},
    "recording.read": {"reason": (_is_text, "text")},
    **{f"rights.{act}": {**_OF_PERSON} for act in ("access", "export", "know", "erased", "rectified", "restricted", "lifted")},
    "rights.not_rectified": {**_OF_PERSON, "holds": (_is_texts, "a list of names")},
    "call.transferred": {"done": (_is_flag, "true or false")},
    "call.restricted": {"then": (_is_text, "text")},
    "child.signalled": {"sign": (_is_text, "text"), "under": (_is_count, "a count"), "then": (_is_text, "text")},
    "deletion.certified": {**dict.fromkeys(_DELETED, (_is_text, "text")), "where": (_is_texts, "a list of names")},
    "evidence.cut": {**_CUT},
    "hold.placed": {**_HOLD, "approver": (_is_text, "text"), "review": (_is_text, "text")},
    "hold.lifted": {**_HOLD},
    "hold.blocked": {"hold": (_is_text, "text"), "items": (_is_count, "a count"), "why": (_is_text, "text")},
    "drill.passed": {**_BACKUP, **_RESTORED},
    "hop": {"grant": (_is_grant, "a grant with its id, hop, processor, host, region, purpose, categories, masked, mechanism")},
    "offboarding.announced": {**_END, "reason": (_is_text, "text"), "by": (_is_text, "text"), "ends": (_is_text, "text")},
    "offboarding.keys_revoked": {**_END, "keys": (_is_count, "a count")},
    "offboarding.exported": {**_END, "files": (_is_count, "a count")},
    "offboarding.data_deleted": {**_END},
    "offboarding.key_destroyed": {**_END, "key_id": (_is_text, "text"), "append_only_file": (_is_text, "text")},
    "offboarding.contact_deleted": {**_END},
    "offboarding.certified": {**_END, "kept": (_is_list, "a list")},
    "offboarding.cancelled": {**_END, "reason": (_is_text, "text"), "by": (_is_text, "text")},
    "hop.negotiated": {"processor": (_is_text, "text"), "host": (_is_text, "text"), "tls": (_is_text, "text")},
    "refused": {"hop": (_is_text, "text"), "reasons": (_is_texts, "a list of sentences")},
    "masked": {"counts": (_is_counts, "a count for each entity")},
    "call.failed": {"code": (_is_text, "text")},
    "payment.paused": {"pause": (_is_count, "a count"), "reason": (_is_text, "text"), "field": (_is_text, "text")},
    "payment.answered": {"pause": (_is_count, "a count"), "field": (_is_text, "text"), "verdict": (_is_text, "text")},
    "payment.resumed": {**_PAUSED},
    "payment.abandoned": {**_PAUSED},
    "transfer.asked": {"reason": (_is_text, "text")},
    "transcript.started": {"consent": (_is_text, "text"), "purpose": (_is_text, "text"), "key_id": (_is_text, "text")},
    "transcript.stopped": {"why": (_is_text, "text"), "turns": (_is_count, "a count")},
    "transcript.failed": {"code": (_is_text, "text")},
    "transcript.deleted": {"why": (_is_text, "text"), "key_id": (_is_text, "text")},
    "transcript.revealed": {"reason": (_is_text, "text"), "by": (_is_text, "text"), "key_id": (_is_text, "text")},
    "transcript.rectified": {"before": (_is_text, "text"), "after": (_is_text, "text"), "key_id": (_is_text, "text")},
    "call.ended": {
        "outcome": (_is_outcome, "completed, never_listened or failed"),
        "duration_ms": (_is_count, "whole milliseconds"),
    },
}
"""Kind of entry: what its body must have. Optional beside these: ``frames_dropped``, ``keys_dropped``, digests, languages…"""

_OPTIONAL: Mapping[str, tuple[Check, str]] = {
    "frames_dropped": (_is_count, "a count"),
    "keys_dropped": (_is_count, "a count"),
    "refused": (_is_list, "a list"),
    "policy_digest": (_is_text, "text"),
    "registry_digest": (_is_text, "text"),
}


def check_body(kind: str, body: Mapping[str, Json]) -> None:
    """Raises EvidenceInvalid that names the field of ``body`` which a reader of this kind of entry could not use."""
    present = {name: check for name, check in _OPTIONAL.items() if name in body}
    for fault in _faults(body, {**KINDS.get(kind, {}), **present}):
        raise EvidenceInvalid(f"an entry of kind {kind} {fault}")


def is_body(kind: str, body: Mapping[str, Json]) -> bool:
    """Whether ``check_body`` would find no fault: its answer without its words, for who has many entries to read.

    For bodies as a JSON reader gives them (``dict``, ``list``, ``str``, ``int``, ``bool``, ``None``): of others it may say no.
    """
    shape = _SHAPES.get(kind)
    if shape is not None and not shape.fits(body):
        return False
    for name in _OPTIONAL_EXACT:
        if name in body:
            type_, more = _OPTIONAL_EXACT[name]
            if type(body[name]) is not type_ or (more is not None and not more(body[name])):
                return False
    return True


class _Shape:
    """The fields of one kind of body. The types of all of them are compared at once; few fields need a look at what they say."""

    __slots__ = ("_closer", "_types", "_values")

    def __init__(self, fields: Mapping[str, tuple[Check, str]]) -> None:
        checks = [(name, *_EXACT[check]) for name, (check, _) in fields.items()]
        # An itemgetter of one name alone gives no tuple, so the first name is asked for twice.
        names = [name for name, _, _ in (checks[0], *checks)]
        self._values: Callable[[Mapping[str, Json]], tuple[Json, ...]] = itemgetter(*names)
        self._types = tuple(type_ for _, type_, _ in (checks[0], *checks))
        self._closer = [(place, more) for place, (_, _, more) in enumerate(checks, start=1) if more is not None]

    def fits(self, body: Mapping[str, Json]) -> bool:
        try:
            values = self._values(body)
        except KeyError:
            return False
        if tuple(map(type, values)) != self._types:
            return False
        for place, more in self._closer:  # noqa: SIM110  (twice as quick, and it is asked a million times)
            if not more(values[place]):
                return False
        return True


_TEXT_ONLY: set[type] = {str}
_NOT_NEGATIVE = (0).__le__
_EXACT: dict[Check, tuple[type, Callable[[Any], bool] | None]] = {
    _is_text: (str, None),
    _is_count: (int, _NOT_NEGATIVE),
    _is_flag: (bool, None),
    _is_list: (list, None),
    _is_texts: (list, lambda value: _TEXT_ONLY.issuperset(map(type, value))),
    _is_counts: (dict, lambda value: all(type(item) is int and item >= 0 for item in value.values())),
    _is_outcome: (str, _is_outcome),
    _is_acknowledgement: (str, _is_acknowledgement),
}
"""The same checks for a JSON reader's values: the one type that passes, and what else must hold."""
_EXACT[_is_grant] = (dict, _Shape(GRANT).fits)
_SHAPES: Mapping[str, _Shape] = {kind: _Shape(fields) for kind, fields in KINDS.items() if fields}
_OPTIONAL_EXACT = {name: _EXACT[check] for name, (check, _) in _OPTIONAL.items()}


def _has(body: Mapping[str, Json], shape: Mapping[str, tuple[Check, str]]) -> bool:
    return all(name in body and check(body[name]) for name, (check, _) in shape.items())


def _faults(body: Mapping[str, Json], shape: Mapping[str, tuple[Check, str]]) -> Iterable[str]:
    for name, (check, wanted) in shape.items():
        if name not in body:
            yield f"lacks its field {name}"
        elif not check(body[name]):
            yield f"has a field {name} that is not {wanted}"


class GrantLike(Protocol):
    """The facts of ``gateway.policy.egress.Grant`` that are written down (policy and evidence do not import each other)."""

    @property
    def id(self) -> str: ...
    @property
    def hop(self) -> str: ...
    @property
    def processor(self) -> str: ...
    @property
    def processor_name(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def categories(self) -> Iterable[str]: ...
    @property
    def masked(self) -> bool: ...
    @property
    def about(self) -> Iterable[str]: ...
    @property
    def send(self) -> Mapping[str, object]: ...
    @property
    def mechanism(self) -> str: ...
    @property
    def training(self) -> str: ...
    @property
    def tls(self) -> str | None: ...
    @property
    def policy_digest(self) -> str: ...
    @property
    def registry_digest(self) -> str: ...


class VerdictLike(Protocol):
    """The facts of ``gateway.policy.egress.Verdict``."""

    @property
    def processor(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def reasons(self) -> Sequence[str]: ...


def grant_body(grant: GrantLike) -> dict[str, Json]:
    """What is written down of a Grant (promises 7 to 10): all that an auditor asks, not the address path nor the secret's name.

    Raises:
        EvidenceInvalid: a flag to send is neither text, whole number, truth value, list nor mapping.
    """
    about: dict[str, Json] = {"about": sorted(str(category) for category in grant.about)} if grant.about else {}
    least: dict[str, Json] = {"tls": str(grant.tls)} if grant.tls is not None else {}
    return {
        **about,
        **least,
        "id": grant.id,
        "hop": str(grant.hop),
        "processor": str(grant.processor),
        "processor_name": grant.processor_name,
        "dialect": grant.dialect,
        "host": grant.host,
        "region": grant.region,
        "model": grant.model,
        "purpose": grant.purpose,
        "categories": sorted(str(category) for category in grant.categories),
        "masked": grant.masked,
        "sent": plain(grant.send, "grant.send"),
        "mechanism": grant.mechanism,
        "training": grant.training,
        "policy_digest": grant.policy_digest,
        "registry_digest": grant.registry_digest,
    }


def verdicts_body(verdicts: Iterable[VerdictLike]) -> list[Json]:
    """The candidates that were refused, in the tenant's order, with every reason."""
    return [
        {"processor": str(verdict.processor), "region": verdict.region, "reasons": list(verdict.reasons)}
        for verdict in verdicts
        if verdict.reasons
    ]


def hop_body(grant: GrantLike, verdicts: Iterable[VerdictLike] = ()) -> dict[str, Json]:
    """The body of a ``hop`` entry."""
    return {"grant": grant_body(grant), "refused": verdicts_body(verdicts)}


def refused_body(hop: str, reasons: Iterable[str], verdicts: Iterable[VerdictLike] = ()) -> dict[str, Json]:
    """The body of a ``refused`` entry: nobody of the route was permitted."""
    return {"hop": str(hop), "reasons": list(reasons), "refused": verdicts_body(verdicts)}
