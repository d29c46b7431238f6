"""Equal values as one object: ten thousand tenants hold few different routes, maskings and texts."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel

from gateway.policy.yaml_text import Plain

MAX_KEPT = 50_000


@dataclass(slots=True)
class Shared:
    """What was made of parts that several files have in common. Models do not change, so nobody can tell that they share them."""

    made: dict[tuple[str, int], tuple[Plain, object]] = field(default_factory=dict)
    """Field, and identity of what was read, to both that and what was made of it: it is held, so its identity stays its own."""

    def parts_of(self, model: BaseModel, read: Plain) -> None:
        """Let each field of ``model``, made of ``read``, be what was made of the same part for another file."""
        if not isinstance(read, dict):
            return
        fields = model.__dict__
        for name, part in read.items():
            if isinstance(part, dict | list):
                key = (name, id(part))
                if key in self.made:
                    fields[name] = self.made[key][1]
                elif len(self.made) < MAX_KEPT:
                    self.made[key] = (part, fields[name])


__all__ = ["Shared"]
