"""What the README says is so: its commands parse, its files are there, its tenant loads, its agent takes a call."""

from __future__ import annotations

import re
import shlex
import sys
import types
from pathlib import Path

import pytest

from gateway.adapters.conversation import GuardedAgent, make_agent
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.cli.main import parser
from gateway.http.access import CONTROL
from gateway.http.rule import Open
from gateway.policy.egress import Ask
from gateway.ports import ChatDelta, ToolCall
from gateway.values import CallId, DataCategory, Hop, TenantId
from tests.adapters.conversation.call import NAME, WallClock
from tests.adapters.conversation.processors import Mouth, Processors, Script
from tests.adapters.conversation.test_session import conversation

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md")


def block(language: str) -> str:
    """The README's only block in that language."""
    [only] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(only)


def command_lines() -> list[str]:
    """Every ``sordino …`` that a reader might type: lines of code, and code within a line."""
    typed = re.findall(r"^    (?:\S*/)?sordino (.+)$", README, re.MULTILINE) + re.findall(r"`(?:\S*/)?sordino ([^`]+)`", README)
    return [re.sub(r"\s+#.*", "", each).replace(" …", "").strip() for each in typed]


def make_targets() -> list[str]:
    return sorted(set(re.findall(r"(?:^    (?:\w+=\S+ )*|`)make (\w+)", README, re.MULTILINE)))


def links() -> list[tuple[str, str]]:
    return [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text(encoding="utf-8"))
        if not target.startswith(("http://", "https://", "mailto:"))
    ]


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_its_commands_are_commands_and_name_files_that_are_there(line: str) -> None:
    parsed = parser().parse_args(shlex.split(line))
    assert callable(parsed.run)
    for word in shlex.split(line):
        if word.endswith(".wav") and word != "FILE.wav":
            assert (ROOT / word).is_file()


def test_it_has_commands_to_check() -> None:
    """The search above finds what it is meant to find."""
    assert len(command_lines()) >= 8
    assert {"demo", "test", "serve"} <= set(make_targets())
    assert len(links()) >= 4


@pytest.mark.parametrize("target", make_targets())
def test_its_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_command_of_the_program_is_in_its_table() -> None:
    names = [name for action in parser()._actions for name in action.choices or ()]
    assert len(names) >= 6
    assert [name for name in names if f"`sordino {name}" not in README] == []


def control_rows() -> dict[tuple[str, ...], set[str]]:
    """The rows of the README's table of the control interface: groups of paths, and the rights that they take."""
    rows = re.findall(r"^\| (`/api/v1/[^|]+) \|[^|]+\| ([^|]+) \|$", README, re.MULTILINE)
    return {tuple(re.findall(r"`([^`]+)`", paths)): set(re.findall(r"`([^`]+)`", rights)) for paths, rights in rows}


def test_its_table_of_the_control_interface_has_every_path_with_its_right_and_no_other() -> None:
    rows = control_rows()
    found: dict[tuple[str, ...], set[str]] = {groups: set() for groups in rows}
    for (_, path), rule in CONTROL.items():
        if rule.right is not Open.TENANT_KEY:  # a program's, among the paths of the proxy
            [groups] = [each for each in rows if any(f"{path}/".startswith(f"{group}/") for group in each)]
            found[groups].add(rule.right.value)
    assert found == rows


@pytest.mark.parametrize(("page", "target"), links())
def test_its_links_lead_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = ROOT / page if not path else ROOT / path
    assert found.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(SORDINO_[A-Z_]+)`", README))))
def test_its_variables_are_read_by_the_program(name: str) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    assert f'"{name}"' in code


class TestItsTenant:
    @pytest.fixture
    def policies(self, tmp_path: Path) -> PolicyFolder:
        (tmp_path / "tenants").mkdir()
        (tmp_path / "tenants" / "acme.yaml").write_text(block("yaml"), encoding="utf-8")
        (tmp_path / "subprocessors.yaml").write_bytes((ROOT / "policies" / "subprocessors.yaml").read_bytes())
        return PolicyFolder.open(tmp_path)

    def test_loads_beside_what_ships(self, policies: PolicyFolder) -> None:
        tenant = policies.tenant("acme")
        assert tenant.numbers == ("+4930901820",)
        assert policies.tenant_for_number("+4930901820") == tenant
        assert policies.announcement(tenant.announcements[0].asset or "").is_file()

    @pytest.mark.parametrize(
        ("hop", "category"),
        [(Hop.STT, DataCategory.VOICE), (Hop.LLM, DataCategory.MASKED_TRANSCRIPT), (Hop.TTS, DataCategory.TRANSCRIPT)],
    )
    def test_can_take_a_call(self, policies: PolicyFolder, hop: Hop, category: DataCategory) -> None:
        """For each part of a conversation somebody is permitted."""
        ask = Ask(
            tenant=TenantId("acme"),
            call=CallId("call_1"),
            hop=hop,
            categories=frozenset({category}),
            purpose="conversation",
            at=WallClock().now(),
            grant_id="grant_1",
        )
        decision = policies.decide(ask)
        assert decision.grant is not None, decision.reasons

    def test_has_the_plain_agent_that_it_describes(self, policies: PolicyFolder) -> None:
        agent = policies.tenant("acme").agent
        assert agent is not None
        assert not isinstance(agent, str)
        made = make_agent(None, agent.instructions, agent.greeting or "")()
        assert "bakery" in str(made.instructions)


class TestItsAgent:
    @pytest.fixture
    def bakery(self, monkeypatch: pytest.MonkeyPatch) -> type[GuardedAgent]:
        module = types.ModuleType("readme_agents")
        exec(compile(block("python"), "README.md", "exec"), module.__dict__)  # noqa: S102 - our own README
        monkeypatch.setitem(sys.modules, "readme_agents", module)
        made = make_agent("readme_agents:Bakery", "", "")
        assert isinstance(made, type)
        return made

    async def test_takes_an_order_and_the_model_never_sees_who_orders(self, bakery: type[GuardedAgent]) -> None:
        """As its last comment says: the tool is told the name, the model that it was noted for <PERSON_1>."""
        arguments = '{"name": "<PERSON_1>", "phone": "<PHONE_NUMBER_1>"}'
        model = Processors(first=[ChatDelta(tool_calls=(ToolCall("c1", "note_order", arguments),))])
        ear, mouth = Script(f"two loaves for {NAME}, 4915112345678"), Mouth()
        async with conversation(bakery, ear=ear, model=model, mouth=mouth) as talk:
            await talk.conversation.start()
            talk.session.on(
                "function_tools_executed", lambda _: model.answers.update(first=[ChatDelta("Thank you, <PERSON_1>.")])
            )
            await talk.say()
            await talk.until_history(lambda kept: kept[-1:] == [("assistant", "Thank you, <PERSON_1>.")])
        assert mouth.words == f"Good morning, how can I help you? Thank you, {NAME}."
        last = model.asked[-1][1]
        assert [message.text for message in last.messages if message.role == "tool"] == ["noted for <PERSON_1>"]
        assert NAME not in str(model.asked)
