"""What came from a caller shows itself to nobody who does not ask for it by name (law 4)."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import string
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call.events import KeyPressed
from gateway.ports import TurnShown
from gateway.values import HIDDEN, Pcm, Private

SECRET = "4532118096612345"
P = Private(SECRET)


@dataclass(frozen=True)
class Holding:
    name: str
    value: Private[str]


SHOWN: list[tuple[str, Callable[[], str]]] = [
    ("repr", lambda: repr(P)),
    ("str", lambda: str(P)),
    ("an f-string", lambda: f"{P}"),
    ("an f-string with a format", lambda: f"{P:>40}"),
    ("an f-string with !r", lambda: f"{P!r}"),
    ("an f-string with !a", lambda: f"{P!a}"),
    ("an f-string with =", lambda: f"{P=}"),
    ("percent", lambda: "%s %r" % (P, P)),  # noqa: UP031 - one of the ways
    ("str.format", lambda: "{0} {0!r} {0:s}".format(P)),  # noqa: UP032 - one of the ways
    ("a template", lambda: string.Template("$p").substitute(p=P)),
    ("in a list", lambda: str([P])),
    ("in a mapping", lambda: str({P: P})),
    ("in a dataclass", lambda: repr(Holding("card", P))),
    ("in another private", lambda: repr(Private(P))),
    ("in an event", lambda: repr(KeyPressed(P))),
    ("in what an observer is shown", lambda: repr(TurnShown("heard", text=P))),
    ("pprint", lambda: pprint.pformat({"p": P})),
    ("json with default=str", lambda: json.dumps({"p": P}, default=str)),
    ("an error", lambda: str(ValueError("no such card", P))),
    ("a log record", lambda: logging.LogRecord("x", 20, "f", 1, "heard %s", (P,), None).getMessage()),
    ("private bytes", lambda: repr(Private(SECRET.encode()))),
    ("private sound", lambda: repr(Private(Pcm(SECRET.encode(), 8_000)))),
    ("sound itself", lambda: repr(Pcm(SECRET.encode(), 8_000))),
]


@pytest.mark.parametrize(("way", "show"), SHOWN, ids=[way for way, _ in SHOWN])
def test_it_does_not_show_itself(way: str, show: Callable[[], str]) -> None:
    assert SECRET not in show()


KEPT: list[tuple[str, Callable[[], object]]] = [
    ("pickle", lambda: pickle.dumps(P)),
    ("pickle inside of something", lambda: pickle.dumps({"card": [P]})),
    ("copy", lambda: copy.copy(P)),
    ("deepcopy", lambda: copy.deepcopy([P])),
    ("json", lambda: json.dumps({"card": P})),
    ("dataclasses.asdict", lambda: dataclasses.asdict(Holding("card", P))),
    ("joining", lambda: "".join([P])),  # type: ignore[list-item]
    ("adding", lambda: "card " + P),  # type: ignore[operator]
    ("vars", lambda: vars(P)),
    ("iterating", lambda: list(P)),  # type: ignore[call-overload]
    ("measuring", lambda: len(P)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("way", "take"), KEPT, ids=[way for way, _ in KEPT])
def test_it_is_not_taken_along_by_accident(way: str, take: Callable[[], object]) -> None:
    """It fails loudly, and the error does not show it either."""
    with pytest.raises(TypeError) as caught:
        take()
    assert SECRET not in str(caught.value)


def test_a_traceback_with_its_variables_does_not_show_it() -> None:
    """As crash reporters make them."""

    def handle(heard: Private[str]) -> None:
        number = Private(heard.reveal())
        raise ValueError("broken", number)

    with pytest.raises(ValueError, match="broken") as caught:
        handle(P)
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "number = " in told
    assert SECRET not in told
    assert HIDDEN in told


@given(st.text(min_size=1))
def test_whatever_it_holds_it_looks_the_same(text: str) -> None:
    assert {repr(Private(text)), str(Private(text)), f"{Private(text)}"} == {HIDDEN}


@given(st.text())
def test_it_gives_the_value_to_who_asks_by_name(text: str) -> None:
    assert Private(text).reveal() == text
    assert Private(text).map(len) == Private(len(text))


def test_it_can_be_compared_and_kept_in_sets() -> None:
    assert Private("a") == Private("a")
    assert Private("a") != Private("b")
    assert Private("a") != "a"
    assert {Private("a"), Private("a"), Private("b")} == {Private("a"), Private("b")}
    assert hash(Private("a")) != hash("a")
    assert [bool(Private("")), bool(Private("a"))] == [False, True]


def test_sound_knows_how_long_it_is() -> None:
    assert Pcm(bytes(320), 8_000).ms == 20.0
    assert repr(Pcm(bytes(320), 8_000)) == "Pcm(20 ms at 8000 Hz)"
