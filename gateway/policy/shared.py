"""Equal values as one object: ten thousand tenants hold few different routes, maskings and texts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pydantic import BaseModel

LATEST = 6
"""Values of a field that are compared with. More would cost time; few tenants in a row differ more than that."""


@dataclass(slots=True)
class Shared:
    """Remembers the latest values of each field. Models do not change, so nobody can tell which of two equal ones they hold."""

    latest: dict[str, deque[object]] = field(default_factory=dict)

    def parts_of(self, model: BaseModel) -> None:
        """Let each field of ``model`` be an equal value of that field seen before, if there is one."""
        fields = model.__dict__
        for name, value in fields.items():
            if value and isinstance(value, tuple | dict | BaseModel):
                seen = self.latest.setdefault(name, deque(maxlen=LATEST))
                same = next((known for known in seen if known is value or (type(known) is type(value) and known == value)), None)
                if same is None:
                    seen.append(value)
                else:
                    fields[name] = same


__all__ = ["Shared"]
