"""How data may leave the place whose law protects it: typed transfer mechanisms, and which law knows which (promise 8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gateway.policy.fields import Model, Text, fault
from gateway.policy.regions import UNKNOWN, ancestors


class Means(StrEnum):
    """The mechanisms that we can tell apart."""

    NONE_NEEDED = "none-needed"
    """The law of origin does not restrict this transfer."""
    ADEQUACY = "adequacy"
    """A decision that the destination protects data well enough (GDPR art. 45, UK GDPR art. 45, Swiss FADP art. 16(1))."""
    SCC_MODULE_1 = "scc-module-1"
    """EU standard contractual clauses (Implementing Decision 2021/914), controller to controller."""
    SCC_MODULE_2 = "scc-module-2"
    """Controller to processor."""
    SCC_MODULE_3 = "scc-module-3"
    """Processor to processor."""
    SCC_MODULE_4 = "scc-module-4"
    """Processor to controller."""
    BINDING_RULES = "binding-corporate-rules"
    UK_ADDENDUM = "uk-addendum"
    """The ICO's addendum to the EU clauses (Data Protection Act 2018, s. 119A)."""
    UK_IDTA = "uk-idta"
    """The ICO's international data transfer agreement."""
    SWISS_CLAUSES = "swiss-clauses"
    """The EU clauses with the FDPIC's changes for Switzerland."""
    SG_PDPA = "sg-pdpa"
    """Legally enforceable obligations (Personal Data Protection Act 2012, s. 26)."""
    AU_APP_8 = "au-app-8"
    """Reasonable steps before disclosure abroad (Privacy Act 1988, Australian Privacy Principle 8)."""
    IN_DPDP = "in-dpdp"
    """To a country that India has not restricted (Digital Personal Data Protection Act 2023, s. 16)."""
    CONTRACT = "contract"
    """A contract as the law of origin asks for, where none of the above is its own."""
    UNKNOWN = "unknown"


_CLAUSES = frozenset((Means.SCC_MODULE_1, Means.SCC_MODULE_2, Means.SCC_MODULE_3, Means.SCC_MODULE_4))
_OF_LAW: dict[str, frozenset[Means]] = {
    "eu": _CLAUSES | {Means.ADEQUACY, Means.BINDING_RULES},
    "gb": frozenset((Means.ADEQUACY, Means.UK_ADDENDUM, Means.UK_IDTA, Means.BINDING_RULES)),
    "ch": frozenset((Means.ADEQUACY, Means.SWISS_CLAUSES, Means.BINDING_RULES)),
    "sg": frozenset((Means.SG_PDPA,)),
    "au": frozenset((Means.AU_APP_8,)),
    "in": frozenset((Means.IN_DPDP,)),
}
_ELSEWHERE = frozenset((Means.NONE_NEEDED, Means.ADEQUACY, Means.CONTRACT))
_WITHOUT_PAPER = frozenset((Means.NONE_NEEDED, Means.ADEQUACY, Means.IN_DPDP, Means.UNKNOWN))

_ADEQUATE: dict[str, frozenset[str]] = {
    "eu": frozenset(["ad", "ar", "br", "ca", "ch", "fo", "gb", "gg", "il", "im", "je", "jp", "kr", "nz", "us", "uy"]),
    "gb": frozenset(["eea", "ad", "ar", "ca", "ch", "fo", "gg", "gi", "il", "im", "je", "jp", "kr", "nz", "us", "uy"]),
    "ch": frozenset(["eea", "ad", "ar", "ca", "fo", "gb", "gg", "gi", "il", "im", "je", "mc", "nz", "us", "uy"]),
}
"""Whom each law holds adequate, in whole or, as with the US and Canada, for those whom the decision covers."""


class Mechanism(Model):
    """``adequacy``, or with the document that proves it: ``{by: scc-module-2, reference: DPA annex 3}``."""

    by: Means
    reference: Text | None = None
    """Where the signed document is; left out: it is part of the data processing agreement."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        stated = value.get("by") if isinstance(value, dict) else value
        if isinstance(stated, str) and {"privacy", "shield"} <= set(stated.lower().replace("-", " ").split()):
            raise fault("Privacy Shield was struck down on 16 July 2020 (CJEU C-311/18)", "write the transfer mechanism in force")
        return value if isinstance(value, dict | Mechanism) else {"by": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": [means.value for means in Means]}, handler(core_schema)]}

    def named(self, agreement: str | None) -> str:
        """The mechanism with the document it stands in: its own, or the agreement's."""
        document = self.reference or (agreement if self.by not in _WITHOUT_PAPER else None)
        return f"{self.by.value} ({document})" if document else self.by.value


def law_of(place: str) -> str:
    """The law that restricts transfers out of a place: ``eu`` for the EEA, else the country."""
    return "eu" if "eea" in ancestors(place) else place.split("/")[0]


def problem(mechanism: Mechanism, law: str, destination: str) -> str:
    """Why data under ``law`` may not go to ``destination`` by this mechanism: a sentence, or nothing."""
    known = _OF_LAW.get(law_of(law), _ELSEWHERE)
    if mechanism.by not in known:
        return f"{mechanism.by.value} is no transfer mechanism of the law of {law}"
    adequate = _ADEQUATE.get(law_of(law))
    if mechanism.by is not Means.ADEQUACY or adequate is None or destination == UNKNOWN:
        return ""
    return f"no adequacy decision of {law} covers {destination}" if ancestors(destination).isdisjoint(adequate) else ""
