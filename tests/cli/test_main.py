"""The command line: every mistake of a user is told on stderr with how to mend it, and never as a traceback."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.cli import main as command
from gateway.cli.main import main, parser
from gateway.errors import EvidenceUnavailable, Finding, Location, NoPermittedRoute, PolicyInvalid, SordinoError

ROOT = Path(__file__).parents[2]


class Group:
    """A group of commands with one, ``do``, that does as the test says."""

    def __init__(self, do: Callable[[argparse.Namespace], int]) -> None:
        self._do = do

    def add_parser(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        commands.add_parser("do").set_defaults(run=self._do)


def raising(error: BaseException) -> Group:
    def do(_: argparse.Namespace) -> int:
        raise error

    return Group(do)


def subparsers(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command and sub-command."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield each
                yield from subparsers(each)


COMMANDS = {each.prog: each for each in subparsers(parser())}


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_exit_code_is_the_commands_own(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "GROUPS", (Group(lambda _: code),))
    assert main(["do"]) == code


TOLD: list[tuple[BaseException, int, list[str]]] = [
    (
        EvidenceUnavailable("the ledger is gone", hint="start Valkey"),
        1,
        ["sordino: the ledger is gone", "to mend it: start Valkey"],
    ),
    (
        NoPermittedRoute("nobody may receive it", reasons=("far: its region is us", "near: it is pending")),
        1,
        ["sordino: nobody may receive it", "- far: its region is us", "- near: it is pending"],
    ),
    (
        PolicyInvalid((Finding("unknown field", Location("tenants/acme.yaml", 3, 5), "remove it"),)),
        1,
        ["tenants/acme.yaml:3:5: unknown field", "remove it"],
    ),
    (PermissionError(13, "Permission denied", "out/conversation.wav"), 1, ["sordino: Permission denied: out/conversation.wav"]),
    (ConnectionResetError(), 1, ["sordino: ConnectionResetError"]),
    (KeyboardInterrupt(), 130, []),
]


@pytest.mark.parametrize(("error", "code", "lines"), TOLD, ids=[type(error).__name__ for error, _, _ in TOLD])
def test_an_error_is_told_on_stderr(
    error: BaseException, code: int, lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "GROUPS", (raising(error),))
    assert main(["do"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.strip() for line in err.splitlines()] == lines


def test_a_fault_of_ours_is_no_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its traceback, for whoever mends it."""
    monkeypatch.setattr(command, "GROUPS", (raising(ValueError("ours")),))
    with pytest.raises(ValueError, match="ours"):
        main(["do"])


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve", "--dance"], ["serve", "--port", "many"], ["call"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: sordino" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"sordino \S+( installed\))?\n", capsys.readouterr().out)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example_that_works(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The example is a command line of ours, and the files in it are there."""
    words = name.split()[1:]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: {name}")
    if list(subparsers(COMMANDS[name])):
        return
    example = re.search(r"example: (sordino .*)", " ".join((COMMANDS[name].epilog or "").split()))
    assert example, "no example"
    given = shlex.split(example[1].split(" > ")[0])[1:]
    assert given[: len(words)] == words
    parsed = parser().parse_args(given)
    assert parsed.run
    for file in getattr(parsed, "files", ()):
        assert (ROOT / file).is_file(), file


def test_a_reader_who_has_seen_enough_ends_it_quietly() -> None:
    """``sordino … | head -1``: nothing is told on stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "gateway.cli.main", "policy", "explain", "--tenant", "demo"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (ended.stderr, ended.returncode) == ("", 1)


class TestServe:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--policies", "/nowhere"], "there is no folder /nowhere"),
            (["--port", "70000"], "there is no port 70000"),
            (["--policies", "{empty}"], "subprocessors.yaml"),
        ],
    )
    def test_what_cannot_start_is_told(
        self,
        arguments: list[str],
        told: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()
        monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
        assert main(["serve", *(each.format(empty=empty) for each in arguments)]) == 1
        err = capsys.readouterr().err
        assert told in err
        assert "Traceback" not in err

    def test_a_port_that_is_taken_is_told_with_another_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
        monkeypatch.setattr("gateway.app.Gateway._start", _listening)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert main(["serve", "--port", str(port)]) == 1
        err = capsys.readouterr().err
        assert f"somebody listens at 127.0.0.1:{port} already" in err
        assert "--port" in err
        assert "Traceback" not in err


async def _listening(gateway: object) -> None:
    """What a gateway does last: its models need not be loaded to see a port that is taken."""
    import asyncio

    from gateway.app import Gateway

    assert isinstance(gateway, Gateway)
    await asyncio.get_running_loop().create_server(asyncio.Protocol, gateway.settings.host, gateway.settings.port)


def test_no_error_of_ours_is_without_a_message() -> None:
    assert str(SordinoError("what", hint="how")) == "what (how)"
