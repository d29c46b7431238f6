"""A caller without a number says who they are in two turns of a real call: it is found by that, handed out and erased."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import SystemClock
from gateway.audio import read_wav
from gateway.caller.call import Caller
from gateway.errors import PolicyRefused
from gateway.runner.rights import collected
from gateway.runner.rights_case import CLAIMED, Right
from gateway.runner.rights_spoken import Spoken
from gateway.values import CallId, Private, TenantId
from tests.http.proxy.house import PROCESSOR
from tests.http.proxy.model import Model, a_model
from tests.journeys.house import AUTH_TOKEN, CALLED, House, living_in, short_policies, text_of
from tests.places import uncovered_keys

pytestmark = pytest.mark.timeout(300)
AUDIO = Path(__file__).parent / "audio"
DEMO = TenantId("demo")
HIS, HERS = Spoken("ID_NUMBER", Private("4711-23395")), Spoken("EMAIL_ADDRESS", Private("Ada.Lovelace@example.com"))
SAID = ("471123395", "four seven one", "three three nine", "lovelace")
"""What nobody may read anywhere, long enough that no digest holds it by chance."""
SAYS = "rights: {spoken_identity: [EMAIL_ADDRESS, ID_NUMBER]}\n"


def listening(folder: Path, model: Model) -> Path:
    """The demo's policies with a model that lets a caller speak on, and with calls to be found by what was said."""
    policies = short_policies(folder)
    registry, demo = policies / "subprocessors.yaml", policies / "tenants" / "demo.yaml"
    entry = PROCESSOR.format(id="a-model", dialect="openai", url=model.url, training="prohibited", send="{}")
    registry.write_text(registry.read_text(encoding="utf-8") + entry, encoding="utf-8")
    text = demo.read_text(encoding="utf-8").replace("  llm:\n", "  llm:\n    - {processor: a-model, model: small}\n") + SAYS
    demo.write_text(text, encoding="utf-8")
    model.says = lambda _: "Mm hmm."
    return policies


async def called(house: House) -> CallId:
    """A call whose number is withheld: a customer's number in two turns."""
    watcher = house.watcher
    async with Caller.dial(house.gateway.url, to=CALLED, from_="anonymous", auth_token=Private(AUTH_TOKEN)) as caller:
        await caller.announcement_over()
        await caller.listen(until_silent_ms=900, timeout_s=60)
        for number, turn in enumerate(("customer-number", "and-the-rest-of-it"), start=1):
            await caller.say(read_wav(AUDIO / f"{turn}.wav"))
            await watcher.until(
                lambda turn=number: any(each.facts.get("turn") == turn for each in watcher.of("answered")),  # type: ignore[misc]
                within_s=60,
            )
            await caller.listen(until_silent_ms=1_200, timeout_s=60)
    receipt = await house.receipt()
    assert [secret for secret in SAID if secret in text_of(receipt).lower()] == []
    assert "subject" not in receipt.entries[0].draft.body
    return CallId(receipt.call)


async def talked(house: House) -> CallId:
    """Somebody else, to a program of the same tenant."""
    _, key = await TenantKeys(house.gateway.store).create(DEMO, now=SystemClock().now())
    said = {"model": "any", "messages": [{"role": "user", "content": "My e-mail is ada dot lovelace at example dot com."}]}
    whose = {"Authorization": f"Bearer {key.map(str).reveal()}"}
    async with aiohttp.ClientSession(headers=whose) as client:
        async with client.post(f"{house.gateway.url}/v1/chat/completions", json=said) as answer:
            assert answer.status == 200, await answer.text()
            call = answer.headers["X-Sordino-Call"]
        async with client.post(f"{house.gateway.url}/api/v1/calls/{call}/end") as ended:
            assert ended.status == 200, await ended.text()
    return CallId(call)


async def everything(house: House) -> bytes:
    async with house.gateway.store.answers() as client:
        names = [name async for name in client.scan_iter(count=1_000)]
        assert uncovered_keys(name.decode() for name in names) == [], "a place of data that SECURITY.md does not name"
        return b" ".join([name + (await client.dump(name) or b"") for name in names]).lower()


async def test_a_caller_without_a_number_has_their_rights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Found by what they said, after a check of who asks; erased whole; and what was said stands nowhere at any time."""
    caplog.set_level(logging.DEBUG)
    async with a_model() as model, living_in(tmp_path, policies=listening(tmp_path, model)) as house:
        call, other = await called(house), await talked(house)
        desk, persons = house.gateway.desks.righting.desk, house.gateway.desks.righting.persons
        before = await everything(house)
        cases = [await desk.open(DEMO, right, HIS, by="Kim") for right in (Right.ACCESS, Right.ERASE)]
        assert [await desk.found(case) for case in cases] == [[call], [call]]
        for case in cases:
            with pytest.raises(PolicyRefused) as refused:
                await (desk.hand_out if case is cases[0] else desk.do)(DEMO, case.id, by="Kim")
            assert refused.value.reasons == (CLAIMED,)
            await desk.identify(DEMO, case.id, method="passport at the counter", by="Kim")

        handed = await desk.hand_out(DEMO, cases[0].id, by="Kim")
        with zipfile.ZipFile(io.BytesIO(await collected(handed.pieces))) as file:
            data: dict[str, Any] = json.loads(file.read("data.json"))
            assert f"calls/{call}/receipts/{call}.json" in file.namelist()
        assert [each["call"] for each in data["calls"]] == [call]

        erased = await desk.do(DEMO, cases[1].id, by="Kim")
        assert (erased.finished, erased.facts["calls"]) == (True, 1)
        assert await persons.spoken_of(DEMO, call) == []
        assert await house.gateway.desks.data.of_call(DEMO, call) == []
        assert [each.holding for each in await house.gateway.desks.data.of_call(DEMO, other)] == ["receipts", "spoken"]
        again = [await desk.found(await desk.open(DEMO, Right.KNOW, who, by="Kim")) for who in (HIS, HERS)]
        assert again == [[], [other]]
        stored = before + await everything(house)
        metrics = house.gateway.telemetry.prometheus().decode()
        told = " ".join(str(entry.draft) for entry in [each async for each in house.gateway.ledger.entries(DEMO)])
        assert [said for said in SAID if said.encode() in stored] == []
        assert [said for said in SAID if said in (caplog.text + metrics + told).lower()] == []
        assert [said for said in SAID if said.encode() in model.record.lower()] == []
