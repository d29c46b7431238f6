"""Every task has an owner: each failure is reported once, and nothing outlives the owner."""

from __future__ import annotations

import asyncio

import pytest

from gateway.tasks import TaskOwner, keeping_cancellation


class Reports:
    def __init__(self) -> None:
        self.told: list[tuple[str, BaseException]] = []

    def __call__(self, name: str, error: BaseException) -> None:
        self.told.append((name, error))


async def for_ever() -> None:
    await asyncio.Event().wait()


async def fail(error: BaseException) -> None:
    raise error


async def test_a_failure_is_reported_once_by_name() -> None:
    reports, error = Reports(), ValueError("x")
    async with TaskOwner("call", on_failure=reports) as tasks:
        task = tasks.start(fail(error), name="leg")
        with pytest.raises(ValueError, match="x"):
            await task
    assert reports.told == [("call:leg", error)]


async def test_one_that_fails_does_not_stop_the_others() -> None:
    reports = Reports()
    async with TaskOwner("call", on_failure=reports) as tasks:
        going_on = tasks.start(asyncio.sleep(0.01, "done"), name="going on")
        tasks.start(fail(ValueError()), name="broken")
        assert await going_on == "done"
    assert [name for name, _ in reports.told] == ["call:broken"]


async def test_what_still_runs_is_ended_and_is_no_failure() -> None:
    reports = Reports()
    async with TaskOwner("call", on_failure=reports) as tasks:
        running = [tasks.start(for_ever(), name=str(n)) for n in range(3)]
        await asyncio.sleep(0)
    assert all(task.cancelled() for task in running)
    assert reports.told == []


async def test_it_waits_until_they_have_cleaned_up() -> None:
    cleaned = []

    async def careful() -> None:
        try:
            await for_ever()
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(True)

    async with TaskOwner("call", on_failure=Reports()) as tasks:
        tasks.start(careful(), name="careful")
        await asyncio.sleep(0)
    assert cleaned == [True]


async def test_one_that_fails_while_it_is_ended_is_reported() -> None:
    reports, error = Reports(), ValueError("while cleaning up")

    async def clumsy() -> None:
        try:
            await for_ever()
        finally:
            raise error

    async with TaskOwner("call", on_failure=reports) as tasks:
        tasks.start(clumsy(), name="clumsy")
        await asyncio.sleep(0)
    assert reports.told == [("call:clumsy", error)]


async def test_what_is_started_while_it_ends_is_ended_too() -> None:
    late: list[asyncio.Task[None]] = []

    async def starts_another() -> None:
        try:
            await for_ever()
        finally:
            late.append(tasks.start(for_ever(), name="late"))

    async with asyncio.timeout(5), TaskOwner("call", on_failure=Reports()) as tasks:
        tasks.start(starts_another(), name="first")
        await asyncio.sleep(0)
    assert [task.cancelled() for task in late] == [True]


async def test_it_may_be_closed_twice_and_from_one_of_its_own_tasks() -> None:
    reports = Reports()
    tasks = TaskOwner("call", on_failure=reports)
    other = tasks.start(for_ever(), name="other")
    async with asyncio.timeout(5):
        await tasks.start(tasks.aclose(), name="closing")
        await tasks.aclose()
    assert other.cancelled()
    assert reports.told == []


async def test_an_error_in_the_block_ends_them_and_comes_out() -> None:
    reports, running = Reports(), []

    async def block() -> None:
        async with TaskOwner("call", on_failure=reports) as tasks:
            running.append(tasks.start(for_ever(), name="running"))
            raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        await block()
    assert [task.cancelled() for task in running] == [True]
    assert reports.told == []


async def test_who_is_cancelled_as_a_librarys_answer_comes_is_cancelled() -> None:
    """Python 3.11's ``wait_for`` forgets it; a gateway that closes would then wait for ever."""
    answer = asyncio.get_running_loop().create_future()
    went_on = False

    async def asks() -> None:
        nonlocal went_on
        with keeping_cancellation():
            await asyncio.wait_for(answer, 60)
        went_on = True

    async with TaskOwner("test", on_failure=lambda _name, _failure: None) as tasks:
        task = tasks.start(asks(), name="asks")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        answer.set_result(None)
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()
    assert not went_on


async def test_a_bound_inside_that_passes_is_no_cancellation_of_who_asks() -> None:
    with keeping_cancellation(), pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.sleep(60)
