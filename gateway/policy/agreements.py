"""What an operator signed: ``agreements.yaml`` lies over the catalogue, which therefore is never edited (promise 6)."""

from __future__ import annotations

from pydantic import ValidationError

from gateway.errors import Finding, Location
from gateway.policy.fields import ClaimedRegion, LeastTls, Region, Training, strictest_tls
from gateway.policy.mechanisms import Mechanism
from gateway.policy.registry import BaseUrl, Dpa, RetentionDays, SubProcessor

AGREEMENTS_FILE = "agreements.yaml"


class Agreement(Dpa):
    """An agreement with one sub-processor, and what it promises beyond the catalogue's general terms."""

    training: Training | None = None
    """Whether it trains on your data."""
    retention_days: RetentionDays = None
    """The longest time for which it keeps your content."""
    mechanism: dict[Region, Mechanism] | None = None
    """For each law of origin how your data may go there."""
    region: ClaimedRegion | None = None
    """Where it processes for you."""
    base_url: BaseUrl | None = None
    """Your own address at it, where each customer has one."""
    tls: LeastTls | None = None
    """The least version of TLS that it is reached with, where the catalogue asks for less."""


def agreed(entry: SubProcessor, agreement: Agreement) -> SubProcessor | Finding:
    """The entry as it is between you and the sub-processor; or why the two do not go together, without a place."""
    changes = agreement.model_dump(exclude_none=True, exclude={"mechanism", "tls", *Dpa.model_fields})
    changes["tls"] = strictest_tls(entry.tls, agreement.tls)
    mechanisms = {**entry.mechanism, **(agreement.mechanism or {})}
    dpa = agreement.model_dump(include=set(Dpa.model_fields))
    try:
        return SubProcessor.model_validate({**entry.model_dump(), **changes, "mechanism": mechanisms, "dpa": dpa})
    except ValidationError as invalid:
        context = invalid.errors(include_url=False, include_input=False)[0].get("ctx", {})
        message = str(context.get("message", "this does not go together with the catalogue's entry"))
        return Finding(message, Location(AGREEMENTS_FILE, 1, 1), str(context.get("hint", "")))
