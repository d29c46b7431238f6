"""Whom a tenant wants to be told, and how: of new sub-processors, changed terms, incidents (promises 3, 20, 35)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from gateway.policy.fields import Model, SecretName, fault
from gateway.policy.registry import base_url_problem

WEBHOOK = "webhook"
MAIL = "mail"

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
"""An address as HTML takes it (WHATWG HTML, valid e-mail address), with a domain that has a dot."""


def _mail(value: str) -> str:
    if len(value) > 254 or _MAIL.fullmatch(value) is None:
        raise fault("this is not an e-mail address", "write name@domain: privacy@acme.example")
    return value


def _hook(value: str) -> str:
    if problem := base_url_problem(value):
        raise fault(problem.replace("base_url", "the webhook's url"), "write https://HOST/PATH, without a query")
    return value


MailAddress = Annotated[str, AfterValidator(_mail), WithJsonSchema({"type": "string", "format": "email"})]
HookUrl = Annotated[str, AfterValidator(_hook), WithJsonSchema({"type": "string", "pattern": "^https?://[^@?#]+$"})]


class Webhook(Model):
    """Where notices are posted. ``secret`` names the secret that signs them (``whsec_…``, Standard Webhooks 1.0.0)."""

    url: HookUrl
    secret: SecretName


class Contacts(Model):
    """Every channel gets every notice; the first that delivers starts the clocks."""

    webhook: Webhook | None = None
    mail: tuple[MailAddress, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels that are there."""
        return (*((WEBHOOK,) if self.webhook else ()), *((MAIL,) if self.mail else ()))
