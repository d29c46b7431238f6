"""The demo's call: a gateway, a scripted model, and a caller whose real voice comes in over the Twilio protocol."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

import aiohttp
from rich.console import Console

from gateway.app import Gateway
from gateway.audio import read_wav
from gateway.caller.call import Caller, ClosedBy
from gateway.demo.model_process import ScriptedModel
from gateway.demo.screen import Screen
from gateway.errors import EvidenceUnavailable, Misconfigured, UpstreamFailed
from gateway.evidence import receipt as receipts
from gateway.evidence.keys import read_public_key
from gateway.settings import Settings
from gateway.values import Pcm

TURNS = ("name-and-address.wav", "card-number.wav", "phone-number.wav", "email-address.wav")
"""A name with an address, a card number, a phone number, an e-mail address."""
FROM = "+15550199"
TENANT = "demo"
SCRIPTED = "sordino-scripted-demo"


@dataclass(slots=True)
class Demo:
    """One run. ``await run()`` gives the exit code: 0 when the call was completed and its receipt verifies."""

    settings: Settings
    env: Mapping[str, str]
    output: Path
    console: Console
    spans: bool = False
    turns: tuple[str, ...] = TURNS
    screen: Screen = field(init=False)

    def __post_init__(self) -> None:
        self.screen = Screen(self.console)

    async def run(self) -> int:
        self.console.print("\n[bold]Sordino[/bold]  a real call through the privacy gateway, on this machine alone\n")
        began = time.monotonic()
        if self.settings.demo_llm:
            self.screen.step(f"the model is yours, at {self.settings.demo_llm}")
            return await self._with_model(await _own_model(self.settings), began)
        async with ScriptedModel() as model:
            self.screen.step(
                "the model is a script that speaks OpenAI's protocol, not an AI; SORDINO_DEMO_LLM=URL puts a real one there"
            )
            return await self._with_model(replace(self.settings, demo_llm=model.url), began)

    async def _with_model(self, settings: Settings, began: float) -> int:
        console = sys.stdout if self.spans else None
        env = {"TWILIO_AUTH_TOKEN": "demo-auth-token-of-nobody", **self.env}
        async with Gateway(settings, env=env, observer=self.screen, console=console) as gateway:
            ready = f"{time.monotonic() - began:.1f} s"
            self.screen.step(f"the gateway is up: store, policy, recogniser, detector and voice ({ready})")
            caller = await self._call(gateway)
        return self._report(caller, settings.data / "keys" / "signing.pub")

    async def _call(self, gateway: Gateway) -> Caller:
        tenant = gateway.policies.tenant(TENANT)
        token = gateway.secrets.read("TWILIO_AUTH_TOKEN")
        self.screen.step(f"a caller dials {tenant.numbers[0]} (Twilio Media Streams, mu-law 8 kHz)\n")
        async with Caller.dial(gateway.url, to=tenant.numbers[0], from_=FROM, auth_token=token) as call:
            await call.announcement_over()
            await call.listen(until_silent_ms=900, timeout_s=15)
            self.screen.turn_over()
            for name in self.turns:
                if not await call.say(_speech(name)):
                    break
                await call.listen(until_silent_ms=1_200, timeout_s=25)
                self.screen.turn_over()
            await call.hang_up()
        await gateway.idle()
        self.screen.turn_over()
        return call

    def _report(self, caller: Caller, public_key: Path) -> int:
        self.screen.latencies()
        if not self.screen.receipt_file:
            raise EvidenceUnavailable("the call left no receipt", hint="look at the gateway's log")
        self.output.mkdir(parents=True, exist_ok=True)
        (self.output / "conversation.wav").write_bytes(caller.recording())
        rows = {"call": caller.timeline.rows(), "turns": self._masked_rows()}
        (self.output / "timeline.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        shutil.copyfile(self.screen.receipt_file, self.output / "receipt.json")
        trusted = read_public_key(public_key.read_bytes())
        verified = receipts.verify((self.output / "receipt.json").read_bytes(), trusted)
        self.screen.receipt(verified, str(self.output))
        whole = caller.closed is not None and caller.closed.by is ClosedBy.CALLER
        return 0 if whole and verified.receipt.outcome == "completed" else 1

    def _masked_rows(self) -> list[dict[str, str | int]]:
        """What the model received, turn by turn. The caller's own words stay off the disk."""
        return [
            {"turn": number, "model_received": row.received} for number, row in sorted(self.screen.rows.items()) if row.received
        ]


def _speech(name: str) -> Pcm:
    return read_wav((resources.files("gateway.demo") / "audio" / name).read_bytes())


async def _own_model(settings: Settings) -> Settings:
    """The demo's policies with the name of the model that the user's own server has."""
    url = str(settings.demo_llm).rstrip("/")
    model = settings.demo_model or await _first_model(url)
    folder = settings.data / "demo-policies"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tenants").mkdir(parents=True)
    shutil.copyfile(settings.policies / "subprocessors.yaml", folder / "subprocessors.yaml")
    tenant = (settings.policies / "tenants" / f"{TENANT}.yaml").read_text(encoding="utf-8")
    if SCRIPTED not in tenant:
        raise Misconfigured(
            f"the tenant {TENANT} has no route to {SCRIPTED}", hint="SORDINO_DEMO_LLM changes the shipped demo only"
        )
    (folder / "tenants" / f"{TENANT}.yaml").write_text(tenant.replace(SCRIPTED, json.dumps(model)), encoding="utf-8")
    return replace(settings, policies=folder, demo_llm=url)


async def _first_model(url: str) -> str:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(f"{url}/models") as answer,
        ):
            listed = await answer.json()
            return str(listed["data"][0]["id"])
    except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError):
        raise UpstreamFailed(
            f"the model server at {url} does not list its models", hint="is it running? Name the model with SORDINO_DEMO_MODEL"
        ) from None
