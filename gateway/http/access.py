"""Every path of the gateway and what it takes to be let in there: one table, by method and path template (promise 26).

A path that is not in the table is not served: the gateway does not start with it. ``guard.py`` lets in by this table and by
nothing else; ``openapi.py`` writes ``/openapi.json`` from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from gateway.errors import Misconfigured
from gateway.policy.roles import Right


class Open(StrEnum):
    """Paths that no right of ours guards, and what guards them instead."""

    PUBLIC = "public"
    """Nobody: it shows nothing that is not for everybody."""
    TENANT_KEY = "tenant key"
    CARRIER = "carrier's signature"
    PAGE_TOKEN = "page token"  # noqa: S105  (what it is called)
    SIGN_IN = "sign-in"
    """It is how people come to be known."""


class Reach(StrEnum):
    """Whose data a path is about, and how that is known before its handler runs."""

    PATH = "path"
    """``{tenant}`` stands in the path."""
    NAMED = "named"
    """``tenant`` in the query, ``tenant`` or ``tenants`` in the body. Who is not there for all must name theirs."""
    SEEN = "seen"
    """All tenants that the caller may see: the handler leaves out the others (``answers.visible``)."""
    HOUSE = "house"
    """The whole gateway: only for who is there for all tenants."""
    SELF = "self"
    """The caller's own: nobody else's data is in it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``says`` is the path's line in the documentation; ``query`` and ``body`` are names and types (``text``, ``count``,
    ``flag``, ``time``, ``texts``, ``object``), with ``?`` behind what may be left out."""

    right: Right | Open
    reach: Reach
    says: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)
    gives: str = "application/json"
    status: int = 200
    private: bool = False
    """The answer holds private text: it takes ``private.reveal`` too, and a grant of reveal."""
    after_end: bool = False
    """Who was there for a tenant that has left may still ask it: it is what proves the end."""


_TENANTS = {"tenant": "texts?"}
_RECORDING = "/api/v1/calls/{tenant}/{call}/recording"
_TRANSCRIPT = "/api/v1/calls/{tenant}/{call}/transcript"
_RIGHTS = "/api/v1/rights/{tenant}"
_KEYS = "/api/v1/tenants/{tenant}/keys"
_OFFBOARDING = "/api/v1/tenants/{tenant}/offboarding"
_CASES = "/api/v1/cases/{tenant}"
_EVIDENCE = "/api/v1/evidence/{tenant}"
_INCIDENTS = "/api/v1/incidents"
_INCIDENT = "/api/v1/incidents/{incident}"
_ABOUT_KEY = {"name": "text?", "scopes": "texts?", "expires_in_days": "count?"}
_ABOUT_ACCESS_KEY = {
    "role": "text",
    "tenants": "texts",
    "days": "count",
    "name": "text?",
    "kind": "text?",
    "rights": "texts?",
}

CONTROL: Mapping[tuple[str, str], Rule] = {
    ("GET", "/api/v1/calls"): Rule(Right.READ_CALLS, Reach.SEEN, "The calls that have ended."),
    ("GET", "/api/v1/calls/{tenant}/{call}/receipt"): Rule(Right.READ_CALLS, Reach.PATH, "A call's signed receipt."),
    ("POST", "/api/v1/calls/{call}/end"): Rule(
        Open.TENANT_KEY, Reach.SELF, "End a conversation of the model proxy; its receipt."
    ),
    ("GET", "/api/v1/recordings/{tenant}"): Rule(
        Right.READ_RECORDINGS, Reach.PATH, "A tenant's recordings, without their sound."
    ),
    ("GET", _RECORDING): Rule(
        Right.REVEAL, Reach.PATH, "A recording's sound.", {"reason": "text?"}, gives="audio/wav", private=True
    ),
    ("DELETE", _RECORDING): Rule(Right.DELETE_DATA, Reach.PATH, "Delete a recording.", {"reason": "text?"}),
    ("GET", "/api/v1/transcripts/{tenant}"): Rule(Right.READ_CALLS, Reach.PATH, "A tenant's transcripts, without their words."),
    ("GET", _TRANSCRIPT): Rule(Right.READ_TRANSCRIPTS, Reach.PATH, "What was said on a call, masked."),
    ("GET", _TRANSCRIPT + "/clear"): Rule(
        Right.REVEAL, Reach.PATH, "What was said on a call, in clear but for card data.", {"reason": "text?"}, private=True
    ),
    ("DELETE", "/api/v1/calls/{tenant}/{call}"): Rule(
        Right.DELETE_DATA, Reach.PATH, "Erase all that is kept of a call; its certificates.", {"reason": "text"}
    ),
    ("GET", "/api/v1/certificates/{tenant}"): Rule(
        Right.READ_EVIDENCE, Reach.PATH, "Certificates of deletions, of all or of one call.", {"call": "text?"}, after_end=True
    ),
    ("GET", "/api/v1/holds/{tenant}"): Rule(Right.READ_HOLDS, Reach.PATH, "The legal holds in force."),
    ("POST", "/api/v1/holds/{tenant}"): Rule(
        Right.MANAGE_HOLDS,
        Reach.PATH,
        "Place a legal hold; what of its scope goes nevertheless, because that was decided before.",
        body={
            "call": "text?",
            "number": "text?",
            "class": "text?",
            "from": "time?",
            "to": "time?",
            "all": "flag?",
            "reason": "text",
            "approver": "text",
            "review": "text",
        },
        status=201,
    ),
    ("DELETE", "/api/v1/holds/{tenant}/{hold}"): Rule(Right.MANAGE_HOLDS, Reach.PATH, "Lift a legal hold.", {"reason": "text"}),
    ("GET", _OFFBOARDING): Rule(Right.READ_EVIDENCE, Reach.PATH, "Where a tenant's end stands.", after_end=True),
    ("GET", _OFFBOARDING + "/preview"): Rule(
        Right.END_TENANT,
        Reach.PATH,
        "What of a tenant would go, and what would stay.",
        {"ends": "time?", "wait_days": "count?", "contract_days": "count?"},
    ),
    ("POST", _OFFBOARDING): Rule(
        Right.END_TENANT,
        Reach.PATH,
        "End a tenant: from now on no call and no request of it begins.",
        body={"reason": "text", "ends": "time?", "wait_days": "count?", "contract_days": "count?"},
        status=202,
    ),
    ("DELETE", _OFFBOARDING): Rule(
        Right.END_TENANT, Reach.PATH, "Take a tenant's end back, before data was deleted.", {"reason": "text"}
    ),
    ("GET", _OFFBOARDING + "/certificate"): Rule(
        Right.READ_EVIDENCE, Reach.PATH, "The signed certificate of a tenant's end.", after_end=True
    ),
    ("GET", "/api/v1/subprocessors"): Rule(Right.READ_SUBPROCESSORS, Reach.NAMED, "How sub-processors stand.", _TENANTS),
    ("POST", "/api/v1/subprocessors/{id}/announce"): Rule(
        Right.MANAGE_SUBPROCESSORS, Reach.NAMED, "Give notice of a sub-processor.", body={"tenants": "texts?"}
    ),
    ("POST", "/api/v1/subprocessors/{id}/object"): Rule(
        Right.MANAGE_SUBPROCESSORS, Reach.NAMED, "A tenant's objection.", body={"tenant": "text", "reason": "text"}
    ),
    ("POST", "/api/v1/subprocessors/{id}/settle"): Rule(
        Right.MANAGE_SUBPROCESSORS, Reach.NAMED, "How an objection ended.", body={"tenant": "text", "outcome": "text"}
    ),
    ("POST", "/api/v1/outbound/check"): Rule(
        Right.DIAL,
        Reach.NAMED,
        "Whether a number may be dialled.",
        body={"tenant": "text", "to": "text", "purpose": "text?", "at": "time?", "dialling": "flag?"},
    ),
    ("POST", "/api/v1/outbound/opt-out"): Rule(
        Right.WRITE_CONSENT,
        Reach.NAMED,
        "A number is not to be called.",
        body={"tenant": "text", "number": "text", "proof": "text"},
    ),
    ("POST", "/api/v1/consents"): Rule(
        Right.WRITE_CONSENT,
        Reach.NAMED,
        "What somebody said about a purpose.",
        body={
            "tenant": "text",
            "number": "text",
            "answer": "text",
            "purpose": "text",
            "how": "text",
            "at": "time",
            "proof": "text",
            "until": "time?",
        },
    ),
    ("GET", _CASES): Rule(Right.READ_CASES, Reach.PATH, "A tenant's requests and incidents.", {"kind": "text?", "open": "text?"}),
    ("GET", _CASES + "/calendar"): Rule(Right.READ_CASES, Reach.PATH, "Their deadlines.", gives="text/calendar"),
    ("GET", _CASES + "/{case}"): Rule(Right.READ_CASES, Reach.PATH, "One of them, step by step."),
    ("GET", "/api/v1/calendar"): Rule(Right.READ_CASES, Reach.HOUSE, "Deadlines of all tenants.", gives="text/calendar"),
    ("GET", _INCIDENTS): Rule(Right.READ_CASES, Reach.HOUSE, "Every incident.", {"open": "text?"}),
    ("POST", _INCIDENTS): Rule(
        Right.MANAGE_CASES,
        Reach.HOUSE,
        "Open an incident: whom it touches is read from the evidence, and their clocks start.",
        body={
            "from": "time",
            "to": "time",
            "what": "text",
            "processor": "text?",
            "region": "text?",
            "tenants": "texts?",
            "aware": "time?",
        },
        status=201,
    ),
    ("GET", _INCIDENT): Rule(Right.READ_CASES, Reach.HOUSE, "An incident with its timeline."),
    ("GET", _INCIDENT + "/report"): Rule(Right.READ_CASES, Reach.HOUSE, "The same for paper.", gives="text/html"),
    ("POST", _INCIDENT + "/scope"): Rule(Right.MANAGE_CASES, Reach.HOUSE, "Read the evidence again: whom it touches now."),
    ("GET", _INCIDENT + "/calls"): Rule(
        Right.READ_CASES, Reach.HOUSE, "The calls and people (keyed hashes) of one tenant.", {"tenant": "text"}
    ),
    ("GET", _INCIDENT + "/draft"): Rule(
        Right.READ_CASES,
        Reach.HOUSE,
        "A notice, drafted from what is on record.",
        {"tenant": "text", "paper": "text?", "format": "text?"},
        gives="text/markdown",
    ),
    ("POST", _INCIDENT + "/notify"): Rule(
        Right.MANAGE_CASES,
        Reach.HOUSE,
        "Send a tenant the notice, until it arrives.",
        body={"tenant": "text", "text": "text?", "preliminary": "flag?", "given": "text?"},
    ),
    ("POST", _INCIDENT + "/event"): Rule(
        Right.MANAGE_CASES, Reach.HOUSE, "Something happened.", body={"what": "text", "note": "text?", "tenants": "texts?"}
    ),
    ("POST", _INCIDENT + "/close"): Rule(
        Right.MANAGE_CASES, Reach.HOUSE, "It is over.", body={"outcome": "text", "reason": "text?"}
    ),
    ("GET", _KEYS): Rule(Right.MANAGE_TENANT_KEYS, Reach.PATH, "The keys of a tenant's programs."),
    ("POST", _KEYS): Rule(
        Right.MANAGE_TENANT_KEYS, Reach.PATH, "Make such a key; it is shown once.", body=_ABOUT_KEY, status=201
    ),
    ("POST", _KEYS + "/{key}/rotate"): Rule(
        Right.MANAGE_TENANT_KEYS, Reach.PATH, "A new key in place of one.", body={"grace_seconds": "count?"}, status=201
    ),
    ("DELETE", _KEYS + "/{key}"): Rule(Right.MANAGE_TENANT_KEYS, Reach.PATH, "Revoke such a key."),
    ("GET", "/api/v1/access/me"): Rule(Right.SELF, Reach.SELF, "Who asks, with which roles and rights."),
    ("GET", "/api/v1/access/roles"): Rule(Right.SELF, Reach.SELF, "The table of roles and rights."),
    ("GET", "/api/v1/access/keys"): Rule(Right.READ_ACCESS, Reach.HOUSE, "Every access key, without its secret."),
    ("POST", "/api/v1/access/keys"): Rule(
        Right.MANAGE_ACCESS, Reach.HOUSE, "Make an access key; it is shown once.", body=_ABOUT_ACCESS_KEY, status=201
    ),
    ("POST", "/api/v1/access/keys/{key}/rotate"): Rule(
        Right.MANAGE_ACCESS, Reach.HOUSE, "A new access key in place of one.", body={"grace_seconds": "count?"}, status=201
    ),
    ("DELETE", "/api/v1/access/keys/{key}"): Rule(Right.MANAGE_ACCESS, Reach.HOUSE, "Revoke an access key."),
    ("GET", "/api/v1/access/people"): Rule(Right.READ_ACCESS, Reach.HOUSE, "People who have signed in."),
    ("DELETE", "/api/v1/access/people/{person}"): Rule(Right.MANAGE_ACCESS, Reach.HOUSE, "Forget who somebody is."),
    ("DELETE", "/api/v1/access/people/{person}/sessions"): Rule(Right.MANAGE_ACCESS, Reach.HOUSE, "End somebody's sessions."),
    ("GET", "/api/v1/access/reveals"): Rule(Right.REVEAL, Reach.NAMED, "One's own grants of reveal.", {"tenant": "texts"}),
    ("POST", "/api/v1/access/reveals"): Rule(
        Right.REVEAL,
        Reach.NAMED,
        "Ask to see private text, with a reason, for minutes.",
        body={"tenant": "text", "reason": "text", "call": "text?", "minutes": "count?"},
        status=201,
    ),
    ("DELETE", "/api/v1/access/reveals/{tenant}/{reveal}"): Rule(Right.REVEAL, Reach.PATH, "Give such a grant back."),
    ("GET", "/api/v1/access/log"): Rule(
        Right.READ_ACCESS, Reach.NAMED, "Who was let in and who was refused.", {"tenant": "text?", "most": "count?"}
    ),
    ("POST", _RIGHTS): Rule(
        Right.ACT_FOR_PERSONS,
        Reach.PATH,
        "A request of a person.",
        body={
            "right": "text",
            "subject": "text",
            "by": "text?",
            "via": "text?",
            "call": "text?",
            "reason": "text?",
            "account": "flag?",
            "country": "text?",
        },
        status=201,
    ),
    ("GET", _RIGHTS): Rule(Right.READ_CASES, Reach.PATH, "Requests of persons.", {"open": "flag?"}),
    ("GET", _RIGHTS + "/{case}"): Rule(Right.READ_CASES, Reach.PATH, "One request: deadlines, and what it waits for."),
    ("POST", _RIGHTS + "/{case}/identity"): Rule(
        Right.ACT_FOR_PERSONS, Reach.PATH, "How it was checked who asks.", body={"method": "text", "by": "text?"}
    ),
    ("POST", _RIGHTS + "/{case}/told"): Rule(
        Right.ACT_FOR_PERSONS, Reach.PATH, "The tenant was told by other means.", body={"proof": "text", "by": "text?"}
    ),
    ("POST", _RIGHTS + "/{case}/release"): Rule(
        Right.ACT_FOR_PERSONS,
        Reach.PATH,
        "A second person releases a regulator's request.",
        body={"authorisation": "text", "by": "text?"},
    ),
    ("POST", _RIGHTS + "/{case}/do"): Rule(
        Right.ACT_FOR_PERSONS,
        Reach.PATH,
        "Erase, rectify, restrict or lift.",
        body={"by": "text?", "old": "text?", "new": "text?"},
    ),
    ("POST", _RIGHTS + "/{case}/file"): Rule(
        Right.ACT_FOR_PERSONS,
        Reach.PATH,
        "What is kept of a person, handed out.",
        body={"by": "text?", "language": "text?"},
        gives="application/zip",
        private=True,
    ),
    ("GET", _EVIDENCE + "/bundle"): Rule(
        Right.READ_EVIDENCE,
        Reach.PATH,
        "A signed bundle of the evidence, by days (UTC).",
        {"from": "text?", "to": "text?"},
        gives="application/zip",
    ),
    ("GET", _EVIDENCE + "/head"): Rule(Right.READ_EVIDENCE, Reach.PATH, "The signed head of all evidence up to now."),
    ("POST", _EVIDENCE + "/proof"): Rule(
        Right.READ_EVIDENCE,
        Reach.PATH,
        "That a call is in it, and nothing was rewritten.",
        body={"call": "text", "since": "object?"},
    ),
    ("GET", "/api/v1/reports/{tenant}/{paper}"): Rule(
        Right.READ_EVIDENCE,
        Reach.PATH,
        "A paper for print: ropa, subprocessors or annex.",
        {"controller": "text?", "processor": "text?", "officer": "text?"},
        gives="text/html",
    ),
    ("GET", "/api/v1/policies/{tenant}"): Rule(Right.READ_EVIDENCE, Reach.PATH, "The policy in force, with its digest."),
    ("POST", "/api/v1/access/break-glass"): Rule(
        Right.BREAK_GLASS,
        Reach.HOUSE,
        "An owner's rights for minutes: every tenant is told.",
        body={"reason": "text", "minutes": "count?"},
        status=201,
    ),
}
"""The control interface, ``/api/v1``."""

_PUBLIC = Reach.SELF
OTHERS: Mapping[tuple[str, str], Rule] = {
    ("GET", "/"): Rule(Open.PUBLIC, _PUBLIC, "The console: a page without data.", gives="text/html"),
    ("GET", "/console.css"): Rule(Open.PUBLIC, _PUBLIC, "The console's look.", gives="text/css"),
    ("GET", "/console.js"): Rule(Open.PUBLIC, _PUBLIC, "The console's program.", gives="text/javascript"),
    ("GET", "/talk"): Rule(Open.PUBLIC, _PUBLIC, "A page to call from.", gives="text/html"),
    ("GET", "/talk.css"): Rule(Open.PUBLIC, _PUBLIC, "Its look.", gives="text/css"),
    ("GET", "/talk.js"): Rule(Open.PUBLIC, _PUBLIC, "Its program.", gives="text/javascript"),
    ("GET", "/talk.svg"): Rule(Open.PUBLIC, _PUBLIC, "Its picture.", gives="image/svg+xml"),
    ("GET", "/healthz"): Rule(Open.PUBLIC, _PUBLIC, "Whether the gateway is alive."),
    ("GET", "/readyz"): Rule(Open.PUBLIC, _PUBLIC, "Whether it can serve; reasons if not."),
    ("GET", "/metrics"): Rule(Open.PUBLIC, _PUBLIC, "Prometheus metrics, no private data.", gives="text/plain"),
    ("GET", "/openapi.json"): Rule(Open.PUBLIC, _PUBLIC, "This document."),
    ("GET", "/signin"): Rule(Open.SIGN_IN, _PUBLIC, "To the identity provider.", gives="text/html", status=302),
    ("GET", "/signin/offered"): Rule(Open.PUBLIC, _PUBLIC, "Whether people can sign in; 404 if not."),
    ("GET", "/signin/callback"): Rule(Open.SIGN_IN, _PUBLIC, "Back from it, into a session.", gives="text/html", status=303),
    ("POST", "/signout"): Rule(Open.SIGN_IN, _PUBLIC, "End one's session."),
    ("GET", "/subprocessors"): Rule(Open.PUBLIC, _PUBLIC, "The public list of sub-processors.", gives="text/html"),
    ("GET", "/subprocessors.json"): Rule(Open.PUBLIC, _PUBLIC, "The same for programs."),
    ("POST", "/v1/chat/completions"): Rule(Open.TENANT_KEY, Reach.SELF, "OpenAI's chat completions."),
    ("POST", "/openai/v1/chat/completions"): Rule(Open.TENANT_KEY, Reach.SELF, "The same, as Azure's clients ask."),
    ("POST", "/openai/deployments/{model}/chat/completions"): Rule(Open.TENANT_KEY, Reach.SELF, "The same, by deployment."),
    ("GET", "/v1/models"): Rule(Open.TENANT_KEY, Reach.SELF, "Models that the tenant's policy permits."),
    ("GET", "/v1/models/{model}"): Rule(Open.TENANT_KEY, Reach.SELF, "One of them."),
    ("POST", "/v1/messages"): Rule(Open.TENANT_KEY, Reach.SELF, "Anthropic's messages."),
    ("POST", "/v1/audio/transcriptions"): Rule(Open.TENANT_KEY, Reach.SELF, "OpenAI's transcriptions."),
    ("POST", "/v1/audio/speech"): Rule(Open.TENANT_KEY, Reach.SELF, "OpenAI's speech.", gives="audio/*"),
    ("POST", "/webrtc/token"): Rule(Open.TENANT_KEY, Reach.SELF, "A token for one call from a page."),
    ("POST", "/webrtc/offer"): Rule(Open.PAGE_TOKEN, Reach.SELF, "An offer in, an answer out."),
    ("OPTIONS", "/webrtc/{path}"): Rule(Open.PUBLIC, Reach.SELF, "What a page of another origin may do."),
    ("PATCH", "/webrtc/{session}"): Rule(Open.PAGE_TOKEN, Reach.SELF, "Further candidates of a call's line."),
    ("DELETE", "/webrtc/{session}"): Rule(Open.PAGE_TOKEN, Reach.SELF, "Hang up."),
    ("GET", "/webrtc/{session}/events"): Rule(Open.PAGE_TOKEN, Reach.SELF, "How the call goes.", gives="text/event-stream"),
}
"""Paths beside the control interface: each says what else guards it."""

CARRIERS = ("/voice/", "/media/")
"""Below these every carrier has paths of its own. Each proves itself by its signature, or by a sealed token."""


def rule_of(method: str, template: str) -> Rule | None:
    """The row of a path. HEAD is GET without a body."""
    key = ("GET" if method == "HEAD" else method, template)
    return CONTROL.get(key) or OTHERS.get(key)


def check_served(app: web.Application) -> None:
    """Every path of the application is in the table.

    Raises:
        Misconfigured: it names those that are not.
    """
    missing = sorted(f"{method} {path}" for method, path in served(app) if rule_of(method, path) is None)
    if missing:
        raise Misconfigured(
            f"who may ask {', '.join(missing)} is not said anywhere",
            hint="write the right that it takes into the table of gateway/http/access.py",
        )


def served(app: web.Application) -> Iterable[tuple[str, str]]:
    """Method and template of every path, but for those of the carriers."""
    for route in app.router.routes():
        path = route.resource.canonical if route.resource is not None else ""
        if not path.startswith(CARRIERS) and route.method != "HEAD":
            yield route.method, path
