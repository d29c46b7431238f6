"""The agent that a tenant writes, behind guards: its tools see real values, the model and the history never do."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from livekit.agents import Agent, AgentSession, StopResponse, ToolError, llm
from livekit.agents.llm import FunctionTool, RawFunctionTool, ToolResult

from gateway.adapters.conversation.taking import AFTER_PAYMENT
from gateway.adapters.conversation.turns import CallTurns
from gateway.call.payment import CardField, Ended
from gateway.errors import Misconfigured, PolicyRefused, SordinoError
from gateway.redaction.unmask import unmask

GuardedTool = FunctionTool | RawFunctionTool  # type: ignore[type-arg]


class GuardedAgent(Agent):
    """A livekit agent whose every tool is guarded and that cannot bring a model of its own.

    Write it like any livekit ``Agent``: instructions, ``@function_tool`` methods, ``on_enter``. Placeholders in a tool's
    arguments are restored before its body runs; what it returns or raises is masked before anyone else sees it.
    """

    def __init__(self, *, instructions: str, tools: list[llm.Tool | llm.Toolset] | None = None) -> None:
        super().__init__(instructions=instructions, tools=tools)
        self._turns: CallTurns | None = None
        self._tools = [self._guarded(tool) for tool in self._tools]

    def bind(self, turns: CallTurns) -> None:
        """Join the agent to its call.

        Before anything was heard its instructions are the tenant's own words, and stay as they are; those of an agent that takes
        over later may hold what a tool was told, and are masked like any text.

        Raises:
            PolicyRefused: it has tools that cannot be guarded.
        """
        self._turns = turns
        # Once more for a class that did not go through our __init__.
        self._tools = [self._guarded(tool) for tool in (*self._tools, *self._missing(turns.taking.tools()))]
        if not turns.heard:
            turns.know(str(self.instructions))

    @property
    def session(self) -> AgentSession[Any]:
        """The guarded session of its call. Raises Misconfigured in any other, where nothing would be guarded."""
        _ = self.turns
        return super().session

    def stt_node(self, *given: Any) -> Any:
        _ = self.turns
        return super().stt_node(*given)

    def llm_node(self, *given: Any) -> Any:
        _ = self.turns
        return super().llm_node(*given)

    def tts_node(self, *given: Any) -> Any:
        _ = self.turns
        return super().tts_node(*given)

    @property
    def turns(self) -> CallTurns:
        if self._turns is None:
            hint = (
                "a guarded agent is started by the gateway: name it in the tenant's file, and run `sordino serve` or the worker"
            )
            raise Misconfigured("this agent is not in a call of the gateway's", hint=hint)
        return self._turns

    async def pause_for_payment(self, field: CardField = CardField.NUMBER) -> Ended:
        """Have the caller key in card data; how it ended. Meanwhile nobody hears, reads or keeps anything (promise 33).

        ``Ended.UNAVAILABLE`` where the policy takes no cards, or the call is not listening.
        """
        return await self.turns.taking.pause(field)

    def resume_after_payment(self) -> None:
        """No card data is expected any more."""
        if (pauses := self.turns.taking.pauses) is not None:
            pauses.resume()

    def transfer_to_human(self) -> bool:
        """Hand the caller over to the person whom the policy names; the call with this agent ends. False: it names nobody."""
        transfer = self.turns.taking.transfer
        if transfer is not None:
            transfer()
        return transfer is not None

    def child_signal(self) -> bool:
        """Tell that a child is on the line: nothing is heard, thought or kept from here on, and the call with this agent ends
        (promise 32). False: the policy looks for no children.
        """
        child = self.turns.taking.child
        if child is not None:
            child.told_by_agent()
        return child is not None

    async def on_payment(self, ended: Ended) -> None:
        """The line is open again after a pause that was not begun by ``pause_for_payment``. Yours to change: by default the
        model is told how it ended, and goes on.
        """
        self.session.generate_reply(instructions=f"{AFTER_PAYMENT[ended]} Do not ask for them again; go on.")

    def _missing(self, tools: list[llm.Tool | llm.Toolset]) -> list[llm.Tool | llm.Toolset]:
        """Those of the call's own tools that the agent has no tool of the same name for."""
        own = {tool.info.name for tool in self._tools if isinstance(tool, FunctionTool | RawFunctionTool)}
        return [tool for tool in tools if not isinstance(tool, FunctionTool | RawFunctionTool) or tool.info.name not in own]

    async def update_tools(self, tools: list[llm.Tool | llm.Toolset]) -> None:
        await super().update_tools([self._guarded(tool) for tool in tools])

    def update_options(self, **options: Any) -> NoReturn:
        raise PolicyRefused("an agent cannot change its models during a call", hint="put the processor into the tenant's route")

    def _guarded(self, tool: llm.Tool | llm.Toolset) -> llm.Tool | llm.Toolset:
        if isinstance(tool, FunctionTool | RawFunctionTool):
            return guard_tool(tool, lambda: self.turns)
        raise PolicyRefused(
            "only function tools can be guarded", hint="toolsets, MCP servers and providers' own tools are not served"
        )


def guard_tool(tool: GuardedTool, turns: Callable[[], CallTurns]) -> GuardedTool:
    """The same tool for the model; its body gets real values, and its result and errors come back masked."""
    if getattr(tool, "_sordino_guarded", False):
        return tool

    @functools.wraps(tool)
    async def body(*args: Any, **kwargs: Any) -> Any:
        call = turns()
        restored = [_restored(value, call) for value in args]
        named = {key: _restored(value, call) for key, value in kwargs.items()}
        return await _masked_result(lambda: tool(*restored, **named), call)

    body.__signature__ = inspect.signature(tool)  # type: ignore[attr-defined]
    guarded: GuardedTool = FunctionTool(body, tool.info) if isinstance(tool, FunctionTool) else RawFunctionTool(body, tool.info)
    guarded._sordino_guarded = True  # type: ignore[union-attr] # noqa: SLF001 - our own mark on our own object
    return guarded


async def _masked_result(run: Callable[[], Any], turns: CallTurns) -> Any:
    try:
        value = run()
        # livekit takes plain functions for tools too.
        if inspect.isawaitable(value):
            value = await value
    except ToolError as error:
        raise ToolError(await turns.masked(error.message)) from None
    except (StopResponse, SordinoError):
        raise
    except Exception as error:  # noqa: BLE001 - a tenant's tool may raise anything; nothing of it may leave but its class
        raise ToolError(f"the tool failed ({type(error).__name__})") from None
    return await _masked(value, turns)


async def _masked(value: Any, turns: CallTurns) -> Any:
    if isinstance(value, Agent) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return [await _masked(item, turns) for item in value]
    if isinstance(value, dict):
        return {await turns.masked(str(key)): await _masked(item, turns) for key, item in value.items()}
    if isinstance(value, ToolResult):
        return replace(value, output=await _masked(value.output, turns))
    return await turns.masked(str(value))


def _restored(value: Any, turns: CallTurns) -> Any:
    if isinstance(value, str):
        return unmask(value, turns.restore).reveal()
    if isinstance(value, list):
        return [_restored(item, turns) for item in value]
    if isinstance(value, dict):
        return {key: _restored(item, turns) for key, item in value.items()}
    return value


class PlainAgent(GuardedAgent):
    """The agent of a tenant that wrote none: instructions and a greeting from its YAML."""

    def __init__(self, instructions: str, greeting: str = "") -> None:
        super().__init__(instructions=instructions)
        self._greeting = greeting

    async def on_enter(self) -> None:
        if self._greeting:
            self.session.say(self._greeting)


def make_agent(dotted: str | None, instructions: str, greeting: str) -> Callable[[], GuardedAgent]:
    """How to make a call's agent: the class behind ``package.module:Class``, or a plain one.

    Raises:
        Misconfigured: it cannot be imported, or is no GuardedAgent (then its models would be its own).
    """
    if dotted is None:
        return lambda: PlainAgent(instructions, greeting)
    return _load(dotted)


def _load(dotted: str) -> Callable[[], GuardedAgent]:
    module_name, _, class_name = dotted.partition(":")
    hint = "name it as package.module:Class, importable from where the gateway runs"
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise Misconfigured(f"the agent {dotted!r} cannot be imported: that is no module's name", hint=hint)
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError as error:
        raise Misconfigured(f"the agent {dotted!r} cannot be imported: no module {error.name!r}", hint=hint) from None
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}"
        raise Misconfigured(f"the agent {dotted!r} cannot be imported: {where}: {error.msg}", hint="mend that line") from None
    if not (isinstance(found, type) and issubclass(found, GuardedAgent)):
        raise Misconfigured(f"the agent {dotted!r} is not a GuardedAgent", hint="derive it from gateway.livekit.GuardedAgent")
    return found
