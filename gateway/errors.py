"""One tree of errors. Each says what is wrong, how to mend it, and what a client is told.

The codes are the public ones of the HTTP interface. No message may hold private text or a provider's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file that a person wrote. Lines and columns start at 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class SordinoError(Exception):
    """The root. ``code`` and ``http_status`` are public; ``hint`` says how to mend it; ``retryable`` whether to try again.

    ``reasons`` are whole sentences, shown to clients as ``sordino.reasons``.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reasons = reasons

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidRequest(SordinoError):
    """What was sent cannot be understood."""

    code = "invalid_request"
    http_status = 400


class NotFound(InvalidRequest):
    """There is no such thing here."""

    http_status = 404


class PayloadTooLarge(SordinoError):
    """What was sent is larger than we take."""

    code = "payload_too_large"
    http_status = 413


class Unauthenticated(SordinoError):
    """Nobody we know sent this."""

    code = "unauthenticated"
    http_status = 401


class Forbidden(SordinoError):
    """Who sent this may not do it."""

    code = "forbidden"
    http_status = 403


class RateLimited(SordinoError):
    """Too much at once. ``retry_after_s`` is when to come again, in seconds, where that is known."""

    code = "rate_limited"
    http_status = 429
    retryable = True

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, hint: str = "", reasons: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint, reasons=reasons)
        self.retry_after_s = retry_after_s


class CarrierProtocolError(InvalidRequest):
    """A carrier's frame broke its own protocol. ``kind`` is a short constant name that is safe to count by."""

    def __init__(self, kind: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class PolicyRefused(SordinoError):
    """The tenant's policy does not allow this. ``reasons`` names each rule that said no."""

    code = "policy_refused"
    http_status = 403


class NoPermittedRoute(PolicyRefused):
    """No processor of the tenant's route may receive this data."""

    code = "no_permitted_route"


class TenantLeaving(PolicyRefused):
    """The tenant's account is ending: no call and no request of it begins any more."""


class DataHeld(PolicyRefused):
    """A legal hold keeps all of what was to be deleted. ``reasons`` names each hold."""

    http_status = 409


class PolicyUnavailable(PolicyRefused):
    """There is no valid policy to ask: then nothing may leave."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a file: what is wrong, where, and how to mend it."""

    message: str
    where: Location
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f"\n    {self.hint}" if self.hint else "")


class PolicyInvalid(SordinoError):
    """A policy file has faults. All of them are in ``findings``."""

    code = "invalid_request"
    http_status = 400

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"the policy has {len(findings)} fault(s)", hint="", reasons=tuple(str(f) for f in findings))
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


class RedactionUnavailable(SordinoError):
    """The detector did not answer in time or is broken, so the text stays in."""

    code = "redaction_unavailable"
    http_status = 503
    retryable = True


class StoreUnavailable(SordinoError):
    """Redis/Valkey did not answer, so what needs it stays in."""

    code = "store_unavailable"
    http_status = 503
    retryable = True


class ConversationMoved(StoreUnavailable):
    """Another gateway has written to this conversation since we read it: read it again, and try once more."""


class EvidenceUnavailable(SordinoError):
    """The ledger did not confirm an entry, so what it was to record does not happen."""

    code = "evidence_unavailable"
    http_status = 503
    retryable = True


class EvidenceInvalid(SordinoError):
    """A receipt or chain does not verify. The message names the first place that is wrong."""

    code = "invalid_request"
    http_status = 400


class BundleInvalid(EvidenceInvalid):
    """A bundle of evidence does not verify. ``part`` and ``line`` (from 1; None: the part as a whole) name the first place."""

    def __init__(self, part: str, what: str, *, line: int | None = None, hint: str = "") -> None:
        super().__init__(f"{part}{'' if line is None else f', line {line}'}: {what}", hint=hint)
        self.part = part
        self.line = line


class BackupInvalid(SordinoError):
    """A backup is not what was written, or nobody here can open it. The message names the first place that is wrong."""

    code = "invalid_request"
    http_status = 400


class RecordingAltered(SordinoError):
    """A recording is not what was written. The message names the first chunk that is wrong."""

    code = "store_unavailable"
    http_status = 500


class UpstreamFailed(SordinoError):
    """A processor failed. Its own words are never passed on."""

    code = "upstream_failed"
    http_status = 502
    retryable = True


class UpstreamRefused(UpstreamFailed):
    """A processor will not do what it was asked, and would not the next time either (a status of 400 to 499)."""

    retryable = False


class UpstreamTimeout(UpstreamFailed):
    """A processor did not answer in time."""

    code = "upstream_timeout"
    http_status = 504


class UpstreamBusy(UpstreamFailed):
    """A processor has too much to do. ``retry_after_s`` is what it asked for, in seconds, if it did."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Misconfigured(SordinoError):
    """The gateway cannot start or serve as it is set up. The hint says what to set."""


class NotInstalled(Misconfigured):
    """What was asked for needs packages that are not installed here. The hint names them."""

    code = "invalid_request"
    http_status = 501
