"""The detector finds what callers say, off the loop; it keeps what it reads to itself, and when it breaks nothing leaves."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from gateway.adapters.detectors import worker
from gateway.adapters.detectors.presidio import PresidioDetector, workers_for
from gateway.errors import RedactionUnavailable
from gateway.redaction.mask import Replacement
from gateway.redaction.spans import resolve
from gateway.values import EntityType, Private

PATIENCE_S = 60


async def found(detector: PresidioDetector, said: str, previous: str = "") -> dict[str, str]:
    spans = resolve(said, await detector.detect(Private(said), language="en", previous=previous))
    return {str(span.entity): said[span.start : span.end] for span in spans}


@pytest.fixture(scope="module")
def inside() -> Iterator[ProcessPoolExecutor]:
    """A process settled as the detector's are, in which a test may call what it likes."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=worker.begin, initargs=(("US",), 20.0)) as pool:
        yield pool


CALLER = [
    ("Hello, thank you for calling. How can I help you today?", {}),
    (
        "My card number is four, five, three, two. One, one, eight, zero, nine, six, six, one, two, three, four, five.",
        {"CREDIT_CARD": "four, five, three, two. One, one, eight, zero, nine, six, six, one, two, three, four, five"},
    ),
    ("The security code on the back is seven, three, one.", {"CVV": "seven, three, one"}),
    (
        "My name is Jonathan Miller and I live at forty two oak street in Springfield.",
        {"PERSON": "Jonathan Miller", "STREET_ADDRESS": "forty two oak street", "LOCATION": "Springfield"},
    ),
    ("I would like to cancel my subscription, please.", {}),
    ("My email address is John Dot Smith at example Dot Com.", {"EMAIL_ADDRESS": "John Dot Smith at example Dot Com"}),
    ("I was born on the third of March, nineteen eighty four.", {"DATE_OF_BIRTH": "the third of March, nineteen eighty four"}),
    ("No I did not make that payment of one hundred and twenty nine dollars.", {}),
    ("What are your opening hours on Saturday?", {}),
    ("I want to book an appointment with Dr. Williams on Tuesday at ten thirty.", {"PERSON": "Williams"}),
    # What Presidio and the tagger add to the rules for speech.
    ("Angela Merkel was in Hamburg yesterday.", {"PERSON": "Angela Merkel", "LOCATION": "Hamburg"}),
    ("write to jane@example.co.uk", {"EMAIL_ADDRESS": "jane@example.co.uk"}),
    ("mm hmm", {}),
    ("", {}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "private"), CALLER)
async def test_what_callers_say_is_found_and_harmless_talk_is_not(
    detector: PresidioDetector, said: str, private: dict[str, str]
) -> None:
    assert await found(detector, said) == private


async def test_an_answer_is_understood_by_its_question(detector: PresidioDetector) -> None:
    assert await found(detector, "seven three one two", "what is your pin number") == {"PIN": "seven three one two"}
    assert await found(detector, "seven three one two") == {"ID_NUMBER": "seven three one two"}
    assert await found(detector, "seventy three twelve") == {}


async def test_every_finding_says_who_found_it_and_why(detector: PresidioDetector) -> None:
    spans = await detector.detect(Private("my pin is 7312 and my name is Ann Lee"), language="en")
    assert {"SpokenNumbers", "SpokenNames"} <= {span.detector for span in spans}
    assert all(span.detector and span.why for span in spans)
    assert not any("7312" in span.why or "Ann" in span.why for span in spans)


async def test_presidio_puts_tokens_in_their_places_to_the_letter(detector: PresidioDetector) -> None:
    """Also neighbours with a space between, which its anonymizer would merge if they were of one kind."""
    person = EntityType("PERSON")
    replacements = [
        Replacement(0, 3, person, "<PERSON_1>"),
        Replacement(4, 7, person, "<PERSON_1>"),
        Replacement(7, 9, person, "é"),
    ]
    replaced = await detector.replace(Private("Ann Ann😀 and more"), replacements)
    assert replaced.reveal() == "<PERSON_1> <PERSON_1>éand more"


@pytest.mark.parametrize("language", ["zh", "", "xx-YY"])
async def test_a_language_without_a_detector_is_refused(detector: PresidioDetector, language: str) -> None:
    with pytest.raises(RedactionUnavailable, match="language"):
        await detector.detect(Private("hello"), language=language)


async def test_a_failure_inside_carries_no_word_of_the_text(detector: PresidioDetector) -> None:
    """A lone surrogate is text that the models cannot read."""
    with pytest.raises(RedactionUnavailable) as failed:
        await detector.detect(Private("my secret is \ud800 swordfish"), language="en")
    assert "Error" in str(failed.value)
    assert "swordfish" not in repr(failed.value) + str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None
    assert await found(detector, "my name is Ann Lee") == {"PERSON": "Ann Lee"}


async def test_the_worker_cannot_reach_the_network(inside: ProcessPoolExecutor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with pytest.raises(PermissionError, match="network"):
            await asyncio.wrap_future(inside.submit(socket.create_connection, address))
        with pytest.raises(PermissionError, match="network"):
            await asyncio.wrap_future(inside.submit(socket.gethostbyname, "localhost"))
        # The same call succeeds here: it is the worker that may not.
        socket.create_connection(address).close()


async def test_the_worker_shows_nothing_on_the_terminal(inside: ProcessPoolExecutor, capfd: pytest.CaptureFixture[str]) -> None:
    await asyncio.wrap_future(inside.submit(print, "swordfish", flush=True))
    await asyncio.wrap_future(inside.submit(os.write, 2, b"swordfish"))
    shown = capfd.readouterr()
    assert shown.out + shown.err == ""


async def test_a_detector_that_was_not_started_or_was_closed_answers_nothing() -> None:
    detector = PresidioDetector()
    await detector.aclose()
    with pytest.raises(RedactionUnavailable, match="not running"):
        await detector.detect(Private("hello"), language="en")


async def test_a_hanging_worker_is_a_timeout_and_a_killed_one_is_replaced() -> None:
    """Both fail closed at once; the new worker answers by itself, without a restart of the gateway."""
    detector = PresidioDetector(timeout_s=0.5)
    try:
        await detector.start()
        (pid,) = detector.pids
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(RedactionUnavailable, match="in time"):
            await detector.detect(Private("hello"), language="en")
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            await recovered(detector)
        assert pid not in detector.pids
    finally:
        await detector.aclose()
    assert not detector.pids


async def test_of_two_workers_one_goes_on_when_the_other_dies() -> None:
    """Nobody is refused meanwhile, and in the end there are two again."""
    detector = PresidioDetector(workers=2, timeout_s=20)
    try:
        await detector.start()
        dead, alive = detector.pids
        os.kill(dead, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            while dead in detector.pids:  # noqa: ASYNC110 (what is awaited is another process)
                await asyncio.sleep(0.01)
            assert await found(detector, "my name is Ann Lee") == {"PERSON": "Ann Lee"}
            while len(detector.pids) < 2:
                await found(detector, "my name is Ann Lee")
        assert alive in detector.pids
    finally:
        await detector.aclose()


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (4, 2), (8, 4), (64, 4)])
def test_a_machine_with_more_cores_reads_with_more_processes_up_to_four(cores: int, workers: int) -> None:
    assert workers_for(cores) == workers


async def test_many_questions_at_once_are_each_answered_their_own(detector: PresidioDetector) -> None:
    """Also long ones, and beside those that nobody waits for any more."""
    numbers = [f"my pin is {number}" for number in range(1000, 1040)]
    async with asyncio.TaskGroup() as group:
        gone = [group.create_task(detector.detect(Private("hello " * 3_000), language="en")) for _ in range(3)]
        asked = [group.create_task(found(detector, said)) for said in numbers]
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
    assert [each.result() for each in asked] == [{"PIN": said[-4:]} for said in numbers]


async def recovered(detector: PresidioDetector) -> None:
    refused = 0
    while True:
        try:
            await detector.detect(Private("hello"), language="en")
        except RedactionUnavailable:
            refused += 1
            await asyncio.sleep(0.05)  # the new worker loads for seconds
        else:
            assert refused
            return


PARENT = """
import asyncio, sys, time
from gateway.adapters.detectors.presidio import PresidioDetector

async def main():
    detector = PresidioDetector()
    await detector.start()
    print(*detector.pids, flush=True)
    await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_worker_ends_with_its_parent_even_when_that_is_killed(tmp_path: os.PathLike[str]) -> None:
    script = os.path.join(tmp_path, "parent.py")  # noqa: PTH118
    with open(script, "w") as file:  # noqa: ASYNC230, PTH123
        file.write(PARENT)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}  # noqa: PTH109
    parent = await asyncio.create_subprocess_exec(sys.executable, script, stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        worker = int(await parent.stdout.readline())
        parent.kill()
        await parent.wait()
        while alive(worker):  # noqa: ASYNC110 (what is awaited is another process)
            await asyncio.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
