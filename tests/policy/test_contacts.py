"""Whom a tenant wants to be told stands in its file; what cannot be reached is a fault with its place."""

from __future__ import annotations

import pytest

from gateway.errors import PolicyInvalid
from gateway.policy.contacts import Contacts
from tests.policy.samples import TENANT, loaded


def test_contacts_are_read() -> None:
    """Both channels, in this order."""
    policy = loaded(
        TENANT + "contacts: {webhook: {url: https://acme.example/hooks, secret: ACME_HOOK}, mail: [a@acme.example]}\n"
    )
    assert policy.tenant("acme").contacts.channels == ("webhook", "mail")
    assert loaded().tenant("acme").contacts == Contacts()
    assert Contacts().channels == ()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("contacts: {mail: [nobody]}", "this is not an e-mail address"),
        ("contacts: {mail: ['a@b.example, c@d.example']}", "this is not an e-mail address"),
        ("contacts: {webhook: {url: http://acme.example/hooks, secret: A_B}}", "plaintext http to another machine"),
        ("contacts: {webhook: {url: https://acme.example/?a=1, secret: A_B}}", "has a query or fragment"),
        ("contacts: {webhook: {url: https://acme.example/, secret: whsec_abc}}", "this is not the name of a secret"),
        ("contacts: {telephone: 1}", "telephone"),
    ],
)
def test_what_cannot_be_reached_is_a_fault(line: str, says: str) -> None:
    """With file, line and column, and without the secret."""
    with pytest.raises(PolicyInvalid) as refused:
        loaded(f"{TENANT}{line}\n")
    assert says in str(refused.value)
    assert str(refused.value.findings[0].where).startswith("tenants/acme.yaml:5:")
    assert "whsec_abc" not in str(refused.value)
