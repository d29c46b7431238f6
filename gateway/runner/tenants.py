"""Whether there is, or ever was, a tenant of that name: so that a misspelt one is not taken for one of whom nothing is kept."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from gateway.errors import NotFound
from gateway.runner.deletion import ReadEntries
from gateway.values import TenantId


async def is_known(tenant: TenantId, tenants: Container[Any], entries: ReadEntries) -> bool:
    """A tenant of the policies, or one that has evidence: who has left is known, too. Raises what reading it does."""
    if tenant in tenants:
        return True
    async for _ in entries(tenant):
        return True
    return False


def no_such_tenant() -> NotFound:
    """What is said of any other."""
    return NotFound("there is no such tenant, nor was there one", hint="sordino tenants list")
