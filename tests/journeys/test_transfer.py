"""A caller who wants a person gets one: the carrier dials, and from then on nothing of the call comes here any more."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gateway.adapters.carriers import twilio_webhook
from gateway.caller.call import Caller
from gateway.caller.dialling import StreamTarget, read_twiml
from gateway.caller.vendors import Ends, ask_of
from gateway.evidence.receipt import Receipt
from gateway.values import Private
from tests.journeys.house import AUTH_TOKEN, CALLER, House, kinds, living_in, short_policies, text_of

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
NUMBERS = {"declines": "+15550121", "agent": "+15550122"}
PERSON = "+12025550123"
GIVES = f"transfer: {{to: '{PERSON}'}}\noutbound: {{countries: [us]}}\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One gateway: a tenant whose announcement offers a person, and one whose agent calls for one at once."""
    folder = tmp_path_factory.mktemp("transfer")
    policies = short_policies(folder)
    demo = (policies / "tenants" / "demo.yaml").read_text("utf-8") + GIVES
    ways = {
        "declines": demo.replace("mode: notify", "mode: key-press\n    on_decline: human"),
        "agent": demo.replace("agents.receptionist:Receptionist", "tests.agents.usher:Usher"),
    }
    for name, text in ways.items():
        own = text.replace("tenant: demo", f"tenant: {name}").replace("+15550100", NUMBERS[name])
        (policies / "tenants" / f"{name}.yaml").write_text(own, "utf-8")
    async with living_in(folder, policies=policies) as house:
        yield house


async def ringing(house: House, tenant: str) -> tuple[StreamTarget, str]:
    """The carrier asks what to do with the call: the stream, and where it is to ask when that has ended."""
    house.watcher.turns.clear()
    url = house.gateway.url
    ask = ask_of("twilio", Ends(NUMBERS[tenant], CALLER, Private(AUTH_TOKEN), url))
    async with aiohttp.ClientSession() as session, session.post(url + ask.path, data=ask.body, headers=ask.headers) as answer:
        text = await answer.text()
    stream, parameters = read_twiml(text)
    after = re.search("<Redirect[^>]*>(.+)</Redirect>", text)
    assert after is not None
    return StreamTarget(url=stream, parameters=parameters, call_sid=ask.call, account_sid=ask.account), unescape(after[1])


async def what_next(after: str, call: str) -> tuple[int, str]:
    form = {"CallSid": call, "CallStatus": "in-progress"}
    headers = {twilio_webhook.SIGNATURE_HEADER: twilio_webhook.sign(Private(AUTH_TOKEN), after, form.items())}
    async with aiohttp.ClientSession() as session, session.post(after, data=form, headers=headers) as answer:
        return answer.status, await answer.text()


def transferred(receipt: Receipt) -> dict[str, Any]:
    return next(dict(entry.draft.body) for entry in receipt.entries if entry.draft.kind == "call.transferred")


async def test_who_declines_and_is_offered_a_person_is_connected_with_them(house: House) -> None:
    """Nothing was ever heard here; the evidence says in which country the person is, and no number."""
    target, after = await ringing(house, "declines")
    async with Caller(target) as caller:
        await caller.announcement_over()
        await caller.press("2")
        await caller.wait_closed(30)
    assert await what_next(after, target.call_sid) == (
        200,
        f'<?xml version="1.0" encoding="UTF-8"?><Response><Dial><Number>{PERSON}</Number></Dial></Response>',
    )
    assert (await what_next(after, target.call_sid))[0] == 403
    receipt = await house.receipt()
    assert (receipt.outcome, transferred(receipt)) == ("never_listened", {"done": True, "to": ["us"]})
    assert "hop" not in kinds(receipt)
    assert PERSON not in text_of(receipt)


async def test_an_agent_hands_its_caller_over_and_hears_nothing_any_more(house: House) -> None:
    target, after = await ringing(house, "agent")
    async with Caller(target) as caller:
        await caller.announcement_over()
        await caller.wait_closed(60)
    status, text = await what_next(after, target.call_sid)
    assert (status, PERSON in text) == (200, True)
    receipt = await house.receipt()
    order = [kind for kind in kinds(receipt) if kind in ("listening.started", "transfer.asked", "call.transferred", "call.ended")]
    assert order == ["listening.started", "transfer.asked", "call.transferred", "call.ended"]
    assert kinds(receipt)[-1] == "call.ended"
