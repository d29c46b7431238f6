"""What becomes of a call in which a child is heard: below which age, and where the call goes then (promise 32)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gateway.policy.fields import Model, Text
from gateway.policy.recording import Switch, laxity

COPPA_AGE = 13
"""Under this age a parent must agree (16 CFR 312.2, COPPA). Others say more: 16 in Article 8 GDPR, 18 in India's DPDPA."""


class Then(StrEnum):
    """Where a call with a child goes; strictest first."""

    HANG_UP = "hang_up"
    """One sentence says that a grown-up is needed, and the call ends."""
    TRANSFER = "transfer"
    """To the person whom the policy names, where it may be dialled and the line can; else as ``hang_up``."""


Age = Annotated[int, Field(strict=True, ge=3, le=18)]


class ChildrenStated(Model):
    """What becomes of a call in which a child is heard, as far as a file says. Without a word: under 13, to a person."""

    under: Age | None = None
    """Below which age somebody is a child here; the highest that a file states holds."""
    then: Then | None = None
    """Where the call goes then."""
    tool: Switch | None = None
    """Whether the agent's model may tell too: it then has a tool ``child_signal``."""
    off: Text | None = None
    """Why no child is looked for. Only a tenant whose callers cannot be children may write this."""


class Children(Model):
    """What is in force of children."""

    under: int = COPPA_AGE
    then: Then = Then.TRANSFER
    tool: bool = False
    off: str | None = None

    @property
    def minded(self) -> bool:
        """Whether anybody looks for a child."""
        return self.off is None


def joined(stated: Iterable[ChildrenStated | None]) -> Children:
    """The highest age, the strictest end; off only where nobody else says anything of it."""
    said = [each for each in stated if each is not None]
    return Children(
        under=max((each.under for each in said if each.under is not None), default=COPPA_AGE),
        then=min((each.then for each in said if each.then is not None), key=laxity, default=Then.TRANSFER),
        tool=any(each.tool for each in said),
        off=next((each.off for each in said if each.off is not None), None) if all(each.off for each in said) else None,
    )


def laxer(mine: ChildrenStated | None, asked: ChildrenStated | None) -> Iterable[tuple[str, str]]:
    """Each setting that one file states laxer than another asks for it, and what that one asks for."""
    if mine is None or asked is None:
        return
    if mine.off is not None and asked.off is None:
        yield "children", f"{{under: {asked.under or COPPA_AGE}}}"
    if mine.under is not None and asked.under is not None and mine.under < asked.under:
        yield "children.under", str(asked.under)
    if mine.then is not None and asked.then is not None and laxity(mine.then) > laxity(asked.then):
        yield "children.then", asked.then.value
