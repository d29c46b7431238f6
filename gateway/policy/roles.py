"""Who may do what at the control interface: roles, rights, and the tenants that a role is held for (promise 26).

Nobody gets a right that their work does not need. To see private text is a right of its own (``Right.REVEAL``): beside it stands
a grant of reveal with a reason and an end, which ``gateway.http.guard`` asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.errors import Forbidden, InvalidRequest


class Role(StrEnum):
    """What somebody is in the house."""

    OWNER = "owner"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    PRIVACY_OFFICER = "privacy_officer"
    SERVICE = "service"


class Right(StrEnum):
    """What somebody may do. ``MEANING`` says it in words."""

    SELF = "self"
    READ_CALLS = "calls.read"
    READ_RECORDINGS = "recordings.list"
    READ_TRANSCRIPTS = "transcripts.read"
    REVEAL = "private.reveal"
    DELETE_DATA = "data.delete"
    READ_SUBPROCESSORS = "subprocessors.read"
    MANAGE_SUBPROCESSORS = "subprocessors.manage"
    DIAL = "outbound.check"
    WRITE_CONSENT = "consent.write"
    MANAGE_TENANT_KEYS = "tenant_keys.manage"
    END_TENANT = "tenant.end"
    ACT_FOR_PERSONS = "persons.act"
    READ_HOLDS = "holds.read"
    MANAGE_HOLDS = "holds.manage"
    READ_CASES = "cases.read"
    MANAGE_CASES = "cases.manage"
    READ_EVIDENCE = "evidence.read"
    READ_ACCESS = "access.read"
    MANAGE_ACCESS = "access.manage"
    BREAK_GLASS = "access.break_glass"


MEANING: Mapping[Right, str] = {
    Right.SELF: "see what one may do oneself",
    Right.READ_CALLS: "list calls and read their receipts, which hold no private text",
    Right.READ_RECORDINGS: "list recordings, without their sound",
    Right.READ_TRANSCRIPTS: "read what was said on calls, masked",
    Right.REVEAL: "hear or read private text, while a grant of reveal with a reason lasts",
    Right.DELETE_DATA: "delete what is kept of a call",
    Right.READ_SUBPROCESSORS: "see sub-processors, their notices and objections",
    Right.MANAGE_SUBPROCESSORS: "announce sub-processors, object and settle",
    Right.DIAL: "ask whether a number may be dialled",
    Right.WRITE_CONSENT: "write down consents and requests not to be called",
    Right.MANAGE_TENANT_KEYS: "make, rotate and revoke the keys of a tenant's programs",
    Right.END_TENANT: "end a tenant: export, delete, destroy its keys",
    Right.ACT_FOR_PERSONS: "answer the requests of callers: access, rectify, restrict, erase",
    Right.READ_HOLDS: "see legal holds",
    Right.MANAGE_HOLDS: "place and lift legal holds",
    Right.READ_CASES: "see requests and incidents, their deadlines and events",
    Right.MANAGE_CASES: "open, write to and close requests and incidents",
    Right.READ_EVIDENCE: "read and export evidence and certificates",
    Right.READ_ACCESS: "see access keys, people and the access log",
    Right.MANAGE_ACCESS: "make and revoke access keys, end people's sessions",
    Right.BREAK_GLASS: "take an owner's rights for minutes, in an emergency, loudly",
}

_READS = frozenset({Right.SELF, Right.READ_CALLS, Right.READ_RECORDINGS, Right.READ_SUBPROCESSORS})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.OPERATOR: _READS
    | {
        Right.MANAGE_SUBPROCESSORS,
        Right.DIAL,
        Right.WRITE_CONSENT,
        Right.MANAGE_TENANT_KEYS,
        Right.READ_HOLDS,
        Right.READ_CASES,
        Right.MANAGE_CASES,
        Right.BREAK_GLASS,
    },
    Role.AUDITOR: _READS | {Right.READ_HOLDS, Right.READ_CASES, Right.READ_EVIDENCE, Right.READ_ACCESS},
    Role.PRIVACY_OFFICER: _READS
    | {
        Right.READ_TRANSCRIPTS,
        Right.REVEAL,
        Right.DELETE_DATA,
        Right.MANAGE_SUBPROCESSORS,
        Right.WRITE_CONSENT,
        Right.ACT_FOR_PERSONS,
        Right.READ_HOLDS,
        Right.MANAGE_HOLDS,
        Right.READ_CASES,
        Right.MANAGE_CASES,
        Right.READ_EVIDENCE,
        Right.READ_ACCESS,
        Right.BREAK_GLASS,
    },
    Role.SERVICE: frozenset({Right.SELF, Right.READ_CALLS, Right.READ_SUBPROCESSORS, Right.DIAL, Right.WRITE_CONSENT}),
}
"""The table. Whoever is in nobody's row has no right at all."""

EVERY_TENANT = "*"
OPERATOR_KEY = "operator-key"
"""Who brings ``SORDINO_OPERATOR_KEY``: the first way in, and the last one."""


@dataclass(frozen=True, slots=True)
class Held:
    """One role that somebody holds, for which tenants (``*``: all), and which of its rights where not all of them."""

    role: Role
    tenants: frozenset[str]
    only: frozenset[Right] | None = None

    @property
    def everywhere(self) -> bool:
        return EVERY_TENANT in self.tenants

    def gives(self, right: Right) -> bool:
        return right in RIGHTS[self.role] and (self.only is None or right in self.only or right is Right.SELF)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. ``id`` is a name of ours that tells nobody who they are; ``via`` is how they proved it."""

    id: str
    via: str
    held: tuple[Held, ...]
    reason: str = ""
    """Why they have broken the glass; empty for everybody else, and for the operator's own key."""
    broke_glass: bool = False
    """Whether everything they do is done by break-glass: the operator's key, or a key of minutes."""

    def may(self, right: Right, tenant: str) -> bool:
        return any(each.gives(right) and (each.everywhere or tenant in each.tenants) for each in self.held)

    def may_everywhere(self, right: Right) -> bool:
        return any(each.gives(right) and each.everywhere for each in self.held)

    def tenants(self, right: Right) -> frozenset[str]:
        """For whom they may; ``{"*"}``: for all."""
        found = frozenset[str]().union(*(each.tenants for each in self.held if each.gives(right)))
        return frozenset({EVERY_TENANT}) if EVERY_TENANT in found else found

    @property
    def named(self) -> frozenset[str]:
        """The tenants for whom they hold something by name."""
        return frozenset[str]().union(*(each.tenants for each in self.held)) - {EVERY_TENANT}

    def without(self, tenants: frozenset[str]) -> Principal:
        """The same, but for what they hold for these tenants by name."""
        kept = (replace(each, tenants=each.tenants - tenants) for each in self.held)
        return replace(self, held=tuple(each for each in kept if each.tenants))

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted({each.role.value for each in self.held}))


def operator() -> Principal:
    """Who brings the operator's own key."""
    return Principal(OPERATOR_KEY, OPERATOR_KEY, (Held(Role.OWNER, frozenset({EVERY_TENANT})),), broke_glass=True)


def check_lasting(who: Principal) -> None:
    """A key of minutes leaves nothing behind that lasts longer. Raises Forbidden."""
    if who.broke_glass and who.id != OPERATOR_KEY:
        raise Forbidden("a key of broken glass makes no other keys", hint="an owner makes them: sordino access keys create")


def check_may_give(who: Principal, role: Role, tenants: Iterable[str], rights: Iterable[str] = ()) -> None:
    """Nobody gives what they do not have. ``rights``: some of the role's; none: all of them.

    Raises:
        InvalidRequest: a right is not the role's.
        Forbidden: they have not that right for that tenant, or have it for minutes.
    """
    check_lasting(who)
    given = rights_of(rights, role) or RIGHTS[role]
    for tenant in tenants:
        lacks = [each for each in given if not (who.may_everywhere(each) if tenant == EVERY_TENANT else who.may(each, tenant))]
        if lacks:
            raise Forbidden(
                "nobody makes a key that may do more than they may themselves", hint=f"you lack {', '.join(sorted(lacks))}"
            )


def role_of(name: str) -> Role:
    """Raises InvalidRequest."""
    try:
        return Role(name)
    except ValueError:
        raise InvalidRequest("there is no such role", hint=f"choose from {', '.join(Role)}") from None


def rights_of(names: Iterable[str], role: Role) -> frozenset[Right]:
    """Some of a role's rights by their names. Raises InvalidRequest for what is none, or is not the role's."""
    wanted = frozenset(names)
    if not wanted <= {right.value for right in RIGHTS[role]}:
        raise InvalidRequest(f"the role {role} does not have every right that was named", hint="sordino access roles")
    return frozenset(Right(name) for name in wanted)
