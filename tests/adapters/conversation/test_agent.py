"""A tenant's tools see real values; what they return or raise is masked, and no agent brings a model of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import Agent, RunContext, StopResponse, ToolError, function_tool, inference, llm
from livekit.agents.llm import FunctionTool, RawFunctionTool, ToolContext, ToolResult
from livekit.agents.llm.utils import execute_function_call

from gateway.adapters.conversation.agent import GuardedAgent, PlainAgent, guard_tool, make_agent
from gateway.adapters.conversation.session import guard_agent
from gateway.errors import Misconfigured, PolicyRefused, RedactionUnavailable
from gateway.values import Private
from tests.adapters.conversation.call import CARD, NAME, Call


async def call_with_a_caller() -> Call:
    call = Call()
    await call.turns.next_turn().mask(Private(f"I am {NAME}, my card is {CARD}"))
    return call


async def run(tool: Any, arguments: dict[str, Any] | str, call: Call) -> llm.FunctionCallOutput:
    """Call the guarded tool the way livekit does: by its schema, from the JSON that a model wrote."""
    guarded = guard_tool(tool, lambda: call.turns)
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    asked = llm.FunctionToolCall(name=guarded.info.name, arguments=written, call_id="c1")
    context: RunContext[None] = RunContext.__new__(RunContext)
    context._updates = []
    result = await execute_function_call(asked, ToolContext([guarded]), call_ctx=context)
    assert result.fnc_call_out is not None
    return result.fnc_call_out


class TestATool:
    async def test_gets_the_real_values_and_gives_back_masked_text(self) -> None:
        seen = []

        @function_tool
        async def book(name: str, guests: list[str], notes: dict[str, str], seats: int) -> str:
            seen.append((name, guests, notes, seats))
            return f"booked {seats} for {name}"

        call = await call_with_a_caller()
        arguments = {"name": "<PERSON_1>", "guests": ["<PERSON_1>", "Bo"], "notes": {"pays": "with <CREDIT_CARD_1>"}, "seats": 2}
        out = await run(book, arguments, call)
        assert seen == [(NAME, [NAME, "Bo"], {"pays": f"with {CARD}"}, 2)]
        assert (out.output, out.is_error) == ("booked 2 for <PERSON_1>", False)

    async def test_that_returns_somebody_new_gives_a_new_placeholder(self) -> None:
        @function_tool
        async def doctor() -> str:
            return "Ada Lovelace has time"

        assert (await run(doctor, {}, await call_with_a_caller())).output == "<PERSON_2> has time"

    @pytest.mark.parametrize(
        ("returned", "masked"),
        [
            ({"who": NAME, "seats": 2}, "{'who': '<PERSON_1>', 'seats': '2'}"),
            ({NAME: "comes"}, "{'<PERSON_1>': 'comes'}"),
            ([NAME, {"card": CARD}], "['<PERSON_1>', {'card': '<CREDIT_CARD_1>'}]"),
            ((NAME, 2), "['<PERSON_1>', '2']"),
            ({NAME}, "{'<PERSON_1>'}"),
            (int(CARD), "<CREDIT_CARD_1>"),
            (True, "True"),
            (None, ""),
        ],
        ids=["values", "keys", "lists in lists", "tuple", "set", "number", "flag", "nothing"],
    )
    async def test_whatever_it_returns_is_masked(self, returned: Any, masked: str) -> None:
        @function_tool
        async def look_up() -> Any:
            return returned

        assert (await run(look_up, {}, await call_with_a_caller())).output == masked

    async def test_that_asks_for_no_reply_gets_none_and_is_masked(self) -> None:
        """livekit's ToolResult keeps its meaning."""

        @function_tool
        async def note() -> ToolResult:
            return ToolResult(f"noted for {NAME}", reply_required=False)

        out = await run(note, {}, await call_with_a_caller())
        assert (out.output, out.reply_required) == ("noted for <PERSON_1>", False)

    async def test_may_tell_the_model_what_was_wrong_masked(self) -> None:
        @function_tool
        async def book(name: str) -> str:
            raise ToolError(f"{name} is booked already")

        out = await run(book, {"name": "<PERSON_1>"}, await call_with_a_caller())
        assert (out.output, out.is_error) == ("<PERSON_1> is booked already", True)

    @pytest.mark.parametrize("how", ["when awaited", "when called"])
    async def test_that_breaks_shows_the_class_of_its_error_alone(self, how: str) -> None:
        """Its message may hold anything, and so may the error behind it."""

        def broken(name: str) -> Any:
            raise ValueError(f"no such customer: {name}")

        async def later(name: str) -> str:
            return str(broken(name))

        tool = function_tool(later if how == "when awaited" else broken, name="book")
        call = await call_with_a_caller()
        guarded = guard_tool(tool, lambda: call.turns)
        with pytest.raises(ToolError) as caught:
            await guarded("<PERSON_1>")
        assert caught.value.message == "the tool failed (ValueError)"
        assert caught.value.__suppress_context__

    async def test_that_is_no_coroutine_works_as_with_livekit(self) -> None:
        def hours(name: str) -> str:
            return f"{name} may come at nine"

        tool: Any = function_tool(hours)
        assert (await run(tool, {"name": "<PERSON_1>"}, await call_with_a_caller())).output == "<PERSON_1> may come at nine"

    async def test_whose_result_cannot_be_masked_gives_no_result(self) -> None:
        @function_tool
        async def doctor() -> str:
            return "Ada Lovelace has time"

        call = await call_with_a_caller()
        call.detector.broken = RedactionUnavailable("gone")
        out = await run(doctor, {}, call)
        assert out.is_error
        assert "Ada" not in out.output

    async def test_may_end_the_turn_without_a_reply(self) -> None:
        @function_tool
        async def hush() -> None:
            raise StopResponse

        call = await call_with_a_caller()
        with pytest.raises(StopResponse):
            await guard_tool(hush, lambda: call.turns)()

    async def test_still_gets_its_context_and_its_defaults(self) -> None:
        seen = []

        @function_tool
        async def book(context: RunContext[None], name: str, day: str = "today", *, seats: int | None = None) -> str:
            seen.append((type(context), name, day, seats))
            return "done"

        await run(book, {"name": "<PERSON_1>"}, await call_with_a_caller())
        await run(book, {"name": "<PERSON_1>", "day": "Monday", "seats": 3}, await call_with_a_caller())
        assert seen == [(RunContext, NAME, "today", None), (RunContext, NAME, "Monday", 3)]

    async def test_with_a_schema_of_its_own_works_too(self) -> None:
        seen = []

        @function_tool(raw_schema={"name": "pay", "description": "Pay.", "parameters": {"type": "object", "properties": {}}})
        async def pay(raw_arguments: dict[str, object]) -> str:
            seen.append(raw_arguments)
            return f"charged {CARD}"

        out = await run(pay, {"card": {"number": "<CREDIT_CARD_1>"}, "amount": 5}, await call_with_a_caller())
        assert seen == [{"card": {"number": CARD}, "amount": 5}]
        assert out.output == "charged <CREDIT_CARD_1>"

    async def test_gets_the_kind_for_what_this_call_never_gave_out(self) -> None:
        seen = []

        @function_tool
        async def book(name: str) -> None:
            seen.append(name)

        await run(book, {"name": "<PERSON_9>"}, await call_with_a_caller())
        assert seen == ["your name"]

    async def test_looks_to_the_model_as_it_was_written(self) -> None:
        @function_tool
        async def book(name: str, day: str = "today") -> str:
            """Book a visit.

            Args:
                name: who comes.
            """
            return name + day

        guarded = guard_tool(book, lambda: Call().turns)
        before, after = (ToolContext([tool]).parse_function_tools("openai", strict=False) for tool in (book, guarded))
        assert before == after
        assert guard_tool(guarded, lambda: Call().turns) is guarded


class Bakery(GuardedAgent):
    def __init__(self) -> None:
        super().__init__(instructions=f"You work for {NAME}.")

    @function_tool
    async def note_order(self, name: str) -> str:
        """Write an order down."""
        return f"noted for {name}"


class TestAnAgent:
    async def test_has_every_tool_guarded(self) -> None:
        call = await call_with_a_caller()
        agent = Bakery()
        guard_agent(agent, call.turns)
        [tool] = agent.tools
        assert isinstance(tool, FunctionTool)
        assert await tool("<PERSON_1>") == "noted for <PERSON_1>"

    async def test_cannot_take_an_unguarded_tool_later(self) -> None:
        async def leak(name: str) -> str:
            return f"got {name}"

        call = await call_with_a_caller()
        agent = Bakery()
        guard_agent(agent, call.turns)
        await agent.update_tools([function_tool(leak)])
        [tool] = agent.tools
        assert isinstance(tool, FunctionTool | RawFunctionTool)
        assert await tool("<PERSON_1>") == "got <PERSON_1>"

    async def test_has_them_guarded_even_if_its_class_went_around_our_own(self) -> None:
        call = await call_with_a_caller()
        agent = OwnModel(tools=[function_tool(_greet)])
        guard_agent(agent, call.turns)
        [tool] = agent.tools
        assert isinstance(tool, FunctionTool)
        assert await tool("<PERSON_1>") == "hello <PERSON_1>"

    async def test_does_nothing_outside_of_a_call(self) -> None:
        with pytest.raises(Misconfigured, match="not in a call"):
            _ = Bakery().turns
        with pytest.raises(Misconfigured, match="not in a call"):
            _ = Bakery().session

    async def test_knows_its_own_instructions_as_the_tenants_words(self) -> None:
        call = Call()
        guard_agent(Bakery(), call.turns)
        assert await call.turns.masked(f"You work for {NAME}.") == f"You work for {NAME}."

    async def test_cannot_change_its_models(self) -> None:
        agent = Bakery()
        with pytest.raises(PolicyRefused, match="cannot change its models"):
            agent.update_options(llm=None)

    async def test_a_toolset_is_refused(self) -> None:
        """What it will call is not known, an MCP server's least of all."""
        with pytest.raises(PolicyRefused, match="only function tools"):
            GuardedAgent(instructions="", tools=[llm.Toolset(id="some")])
        with pytest.raises(PolicyRefused, match="only function tools"):
            await Bakery().update_tools([llm.Toolset(id="some")])


async def _greet(name: str) -> str:
    assert name == NAME
    return f"hello {name}"


class OwnModel(GuardedAgent):
    def __init__(self, **own: Any) -> None:
        Agent.__init__(self, instructions="x", **own)
        self._turns = None


class Deaf(llm.LLM[str]):
    def chat(self, **_: Any) -> Any:
        raise AssertionError("never asked")


REFUSED: list[tuple[str, Callable[[], Agent], str]] = [
    ("a plain agent", lambda: Agent(instructions="x"), "only a GuardedAgent"),
    ("a model by name", lambda: OwnModel(llm="openai/gpt-4o"), "its own llm"),
    ("a model", lambda: OwnModel(llm=Deaf()), "its own llm"),
    ("a recogniser", lambda: OwnModel(stt="deepgram/nova-3"), "its own stt"),
    ("a voice", lambda: OwnModel(tts="cartesia/sonic"), "its own tts"),
    ("no model at all", lambda: OwnModel(llm=None), "its own llm"),
    ("a detector of speech", lambda: OwnModel(vad=inference.VAD(model="silero")), "its own vad"),
    ("a detector of turns", lambda: OwnModel(turn_detection="stt"), "its own turn detection"),
    (
        "a detector of interruptions",
        lambda: OwnModel(turn_handling={"interruption": {"mode": "adaptive"}}),
        "its own interruption",
    ),
    ("a server of tools", lambda: OwnModel(mcp_servers=["a server"]), "its own mcp servers"),
    ("a toolset", lambda: OwnModel(tools=[llm.Toolset(id="some")]), "only function tools"),
]


@pytest.mark.parametrize(("what", "make", "why"), REFUSED, ids=[what for what, _, _ in REFUSED])
async def test_an_agent_that_brings_its_own_part_is_refused(
    what: str, make: Callable[[], Agent], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever way it got it: a model of its own would hear and answer behind the policy's back."""
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "x" * 32)
    agent = make()
    with pytest.raises(PolicyRefused, match=why):
        guard_agent(agent, Call().turns)


class TestNamingAnAgent:
    def test_a_tenant_without_one_gets_a_plain_one(self) -> None:
        agent = make_agent(None, "Be brief.", "Hello.")()
        assert isinstance(agent, PlainAgent)
        assert agent.instructions == "Be brief."

    def test_a_dotted_path_names_its_class(self) -> None:
        from agents.receptionist import Receptionist

        assert isinstance(make_agent("agents.receptionist:Receptionist", "", "")(), Receptionist)

    @pytest.mark.parametrize(
        ("dotted", "why"),
        [
            ("agents.nobody:Agent", r"no module 'agents\.nobody'"),
            ("agents.receptionist:Nobody", "is not a GuardedAgent"),
            ("agents.receptionist", "is not a GuardedAgent"),
            ("livekit.agents:Agent", "is not a GuardedAgent"),
            (":Receptionist", "cannot be imported"),
            ("", "cannot be imported"),
            ("agents..receptionist:Receptionist", "cannot be imported"),
            (".receptionist:Receptionist", "cannot be imported"),
        ],
    )
    def test_what_cannot_be_one_is_told_with_how_to_mend_it(self, dotted: str, why: str) -> None:
        with pytest.raises(Misconfigured, match=why) as caught:
            make_agent(dotted, "", "")
        assert caught.value.hint

    def test_a_fault_in_its_file_is_told_by_file_and_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "shop_with_a_fault.py").write_text("x = 1\nclass Shop(:\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(Misconfigured, match=r"shop_with_a_fault\.py:2"):
            make_agent("shop_with_a_fault:Shop", "", "")
