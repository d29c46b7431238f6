"""The sub-processors: who may be asked at all, where they work and what they promised (promises 1, 3, 6, 8, 10, 24)."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from gateway.errors import Misconfigured
from gateway.policy.canonical import digest
from gateway.policy.faults import did_you_mean
from gateway.policy.fields import ClaimedRegion, LeastTls, Model, Region, SecretName, Slug, Text, Training, fault
from gateway.policy.mechanisms import Mechanism
from gateway.policy.regions import LOCAL, ancestors, is_region
from gateway.values import DataCategory, Hop, ProcessorId


def _json_without_floats(value: Any) -> Any:
    if isinstance(value, float):
        raise fault("a number with a fraction cannot be sent", "write a whole number, or text in quotes")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _json_without_floats(inner)
    return value


def _base_url(value: str) -> str:
    problem = base_url_problem(value)
    if problem:
        raise fault(problem, "write https://host/path; http is taken only on this machine: http://127.0.0.1:8089/v1")
    return value


def _retention(value: Any) -> Any:
    return None if value == "unknown" else value


_PRICE = r"^(0|[1-9][0-9]{0,5})(\.[0-9]{1,9})?$"


def _price(value: Any) -> Any:
    """Written in quotes, so that no digit is lost on the way."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or re.fullmatch(_PRICE, value) is None:
        raise fault("this is not a price", 'write it for 1,000 tokens, in quotes: "0.15"')
    return Decimal(value)


BaseUrl = Annotated[str, AfterValidator(_base_url), WithJsonSchema({"type": "string", "pattern": "^https?://[^@?#]+$"})]
Flags = Annotated[dict[str, Any], BeforeValidator(_json_without_floats), WithJsonSchema({"type": "object"})]
RetentionDays = Annotated[
    Annotated[int, Field(strict=True, ge=0, le=36_500)] | None,
    BeforeValidator(_retention),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"const": "unknown"}]}),
]


class Service(StrEnum):
    """What a sub-processor may do that is no hop of a call's talk: no route leads to it, and it is published like the others."""

    MESSAGING = "messaging"
    MAIL = "mail"
    NETWORK = "network"


def _kind(value: Any) -> Any:
    known = {kind.value: kind for kind in (*Hop, *Service)}
    if isinstance(value, str) and value not in known:
        raise fault(f"`{value[:40]}` is not possible here", did_you_mean(value, known, otherwise="write one of"))
    return known.get(value, value) if isinstance(value, str) else value


Kind = Annotated[
    Hop | Service,
    BeforeValidator(_kind),
    WithJsonSchema({"type": "string", "enum": [kind.value for kind in (*Hop, *Service)]}),
]


class Dpa(Model):
    """The data processing agreement with a sub-processor, and when somebody last read it (promise 6)."""

    reference: Text
    """Where the signed agreement is."""
    reviewed_on: date
    """When somebody last read it."""
    review_every_days: int = Field(default=365, strict=True, ge=1, le=1_100)
    """After that many days it must be read again, or nothing goes there."""

    @property
    def good_until(self) -> date:
        return self.reviewed_on + timedelta(days=self.review_every_days)


class Price(Model):
    """What 1,000 tokens cost, in one currency. Only an account is kept by it: no decision hangs on a price."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    """ISO 4217: ``USD``, ``EUR``…"""
    input: Annotated[Decimal, BeforeValidator(_price), WithJsonSchema({"type": "string", "pattern": _PRICE})]
    """Of what is sent: ``"0.15"``."""
    output: Annotated[Decimal, BeforeValidator(_price), WithJsonSchema({"type": "string", "pattern": _PRICE})]
    """Of what comes back."""

    def micros(self, tokens: tuple[int, int]) -> int:
        """What so many tokens (sent, and come back) cost, in millionths of the currency, rounded up."""
        return math.ceil((self.input * tokens[0] + self.output * tokens[1]) * 1000)


class SubProcessor(Model):
    """One entry of ``subprocessors.yaml``. What is not known is written as ``unknown``, and unknown passes no policy."""

    id: Slug
    """The name under which routes ask for it."""
    name: Text
    """The company, and which of its services."""
    purpose: Text
    """What it does, in words for the public list."""
    kind: Kind
    """The hop that it serves; the last three are listed and published, and no route leads to them."""
    dialect: Slug
    """What is spoken with it on the wire."""
    base_url: BaseUrl | None = None
    """Left out for a processor that runs in our own processes."""
    secret: SecretName | None = None
    """The environment variable or file that holds its key."""
    region: ClaimedRegion
    """Where it processes."""
    training: Training
    """Whether it trains on the data."""
    retention_days: RetentionDays = None
    """The longest time for which it keeps content."""
    send: Flags = Field(default_factory=dict)
    """Flags that stand in every request, so that its promise holds."""
    receives: tuple[DataCategory, ...]
    """The kinds of data that it may be sent."""
    mechanism: dict[Region, Mechanism] = Field(default_factory=dict)
    """For each law of origin how data may go there."""
    dpa: Dpa | None = None
    """Your agreement with it; better written into ``agreements.yaml``."""
    tls: LeastTls | None = None
    """The least version of TLS that it is reached with: ``"1.3"``, or ``"1.2"``, which is also meant where nothing is said."""
    price: Price | None = None
    """What its tokens cost, for the metric of costs."""
    status: Literal["active", "pending"] | None = None
    """Whether it is in use."""
    announced_on: date | None = None
    """When its use was announced; the notice period begins here."""
    source: Text
    """Where these claims were read."""
    checked_on: date
    """When they were read."""

    @model_validator(mode="after")
    def _consistent(self) -> SubProcessor:
        if self.status is None and self.announced_on is None:
            raise fault("nothing says whether this is in use", "write status: active, status: pending, or announced_on: DATE")
        if self.region == LOCAL and self.base_url is not None and not is_loopback(self.host):
            raise fault("the region is local but base_url is another machine", "name the region where that machine stands")
        if self.region != LOCAL and self.base_url is None:
            raise fault("nothing says where this is reached", "write base_url: https://…; only region local runs without one")
        return self

    @cached_property
    def host(self) -> str:
        """Host name of ``base_url``; ``in-process`` where there is none."""
        return (urlsplit(self.base_url).hostname or "") if self.base_url else "in-process"

    @cached_property
    def places(self) -> frozenset[str]:
        """The region and all that hold it."""
        return ancestors(self.region)

    @cached_property
    def accepts(self) -> frozenset[DataCategory]:
        """What it may receive. Who may have a transcript may have a masked one."""
        more = (DataCategory.MASKED_TRANSCRIPT,) if DataCategory.TRANSCRIPT in self.receives else ()
        return frozenset((*self.receives, *more))

    @cached_property
    def transport_problem(self) -> str:
        """Why its address may not be used, or nothing (promise 24)."""
        return base_url_problem(self.base_url) if self.base_url else ""


@dataclass(frozen=True, slots=True)
class Registry:
    """All sub-processors by id. ``digest`` names exactly this registry in every receipt (promise 1)."""

    entries: Mapping[ProcessorId, SubProcessor]
    digest: str

    @staticmethod
    def of(entries: Mapping[ProcessorId, SubProcessor]) -> Registry:
        return Registry(entries, digest(_document(entries)))

    def document(self) -> list[dict[str, object]]:
        """All of this as plain values: what ``digest`` is of."""
        return _document(self.entries)


def _document(entries: Mapping[ProcessorId, SubProcessor]) -> list[dict[str, object]]:
    return [entries[key].model_dump(mode="json", exclude_none=True) for key in sorted(entries)]


def is_loopback(host: str) -> bool:
    """Whether ``host`` can only be this machine: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291), localhost (RFC 6761)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url_problem(url: str) -> str:
    """Why ``url`` may not be a processor's address: a sentence, or nothing."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it is what checks it)
    except ValueError:
        return "base_url is not an address"
    return _address_problem(parts)


def _address_problem(parts: SplitResult) -> str:
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "base_url is not an http(s) address"
    if parts.username or parts.password:
        return "base_url holds a user name or password"
    if parts.query or parts.fragment:
        return "base_url has a query or fragment"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "base_url is plaintext http to another machine"
    return ""


def with_base_url(registry: Registry, processor: str, url: str, region: str) -> Registry:
    """The registry with another address and region for one processor; every other rule stays as it is.

    Raises:
        Misconfigured: unknown processor or region, plaintext to another machine, or ``local`` for another machine.
    """
    entry = registry.entries.get(ProcessorId(processor))
    if entry is None:
        raise Misconfigured(f"there is no sub-processor {processor!r}", hint="its entry must stand in subprocessors.yaml")
    if problem := base_url_problem(url):
        raise Misconfigured(f"{processor}: {problem}", hint="https, or http to this machine: http://127.0.0.1:8089/v1")
    host = urlsplit(url).hostname or ""
    if region == LOCAL and not is_loopback(host):
        raise Misconfigured(f"{processor}: {host} is not this machine", hint="name the region where it stands: eu, us, in…")
    if not is_region(region):
        raise Misconfigured(f"{processor}: {region!r} is not a region", hint="write local, eu, or a country: de, in, us…")
    changed = SubProcessor.model_validate({**entry.model_dump(), "base_url": url, "region": region})
    return Registry.of({**registry.entries, ProcessorId(processor): changed})
