"""A worker process may crash, hang, shout or be killed: the calls get a typed error, and the next job a working process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.adapters.speech.worker import Pool, Worker
from gateway.errors import UpstreamFailed, UpstreamTimeout
from tests.adapters.speech import jobs

LONG_S = 60.0


@contextlib.asynccontextmanager
async def working() -> AsyncIterator[Worker]:
    worker = Worker("the model", jobs.ready)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.aclose()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(true: Callable[[], bool]) -> None:
    """Bounded: other processes and the kernel send us no event to wait for."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_job_runs_in_another_process_and_its_result_comes_back() -> None:
    async with working() as worker:
        assert worker.pid not in (None, os.getpid())
        assert await worker.run(jobs.add, 2, 3, limit_s=LONG_S) == 5


async def test_a_crash_fails_that_job_alone_and_the_next_one_works() -> None:
    async with working() as worker:
        first = worker.pid
        crashing = worker.run(jobs.crash, limit_s=LONG_S)
        waiting = worker.run(jobs.add, 2, 3, limit_s=LONG_S)
        crashed, added = await asyncio.gather(crashing, waiting, return_exceptions=True)
        assert isinstance(crashed, UpstreamFailed)
        assert added == 5
        assert worker.pid != first


async def test_a_worker_that_was_killed_between_jobs_is_built_again() -> None:
    async with working() as worker:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        with contextlib.suppress(UpstreamFailed):
            await worker.run(jobs.add, 1, 1, limit_s=LONG_S)
        assert await worker.run(jobs.add, 2, 3, limit_s=LONG_S) == 5


async def test_a_failure_inside_is_told_without_its_words() -> None:
    async with working() as worker:
        with pytest.raises(UpstreamFailed) as failed:
            await worker.run(jobs.fail_with, "secret words", limit_s=LONG_S)
        error: BaseException | None = failed.value
        while error is not None:
            assert "secret" not in f"{error!r}{error}"
            error = error.__cause__ or error.__context__
        assert await worker.run(jobs.add, 2, 3, limit_s=LONG_S) == 5


async def test_a_job_that_hangs_is_ended_with_its_process_and_the_next_one_works() -> None:
    async with working() as worker:
        hanging = worker.pid
        assert hanging is not None
        with pytest.raises(UpstreamTimeout, match="longer than"):
            await worker.run(jobs.hang, limit_s=0.3)
        assert await worker.run(jobs.add, 2, 3, limit_s=LONG_S) == 5
        assert not alive(hanging)


async def test_who_waits_too_long_for_a_turn_is_told_and_the_job_is_never_done(tmp_path: Path) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    async with working() as worker, asyncio.TaskGroup() as tasks:
        busy = tasks.create_task(worker.run(jobs.wait_for, str(go), limit_s=LONG_S))
        await asyncio.sleep(0)
        with pytest.raises(UpstreamTimeout, match="busy"):
            await worker.run(jobs.touch, str(done), limit_s=0.1)
        go.touch()
        await busy
        await worker.run(jobs.add, 1, 1, limit_s=LONG_S)
        assert not done.exists()


async def test_a_caller_that_left_before_its_turn_costs_nothing(tmp_path: Path) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    async with working() as worker, asyncio.TaskGroup() as tasks:
        busy = tasks.create_task(worker.run(jobs.wait_for, str(go), limit_s=LONG_S))
        leaving = tasks.create_task(worker.run(jobs.touch, str(done), limit_s=LONG_S))
        await asyncio.sleep(0)
        leaving.cancel()
        go.touch()
        await busy
        await worker.run(jobs.add, 1, 1, limit_s=LONG_S)
        assert not done.exists()
        assert worker.load == 0


async def test_a_caller_that_leaves_in_the_middle_does_not_disturb_the_next(tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    async with working() as worker, asyncio.TaskGroup() as tasks:
        leaving = tasks.create_task(worker.run(jobs.touch_and_wait_for, str(begun), str(go), limit_s=LONG_S))
        await until(begun.exists)
        leaving.cancel()
        next_one = tasks.create_task(worker.run(jobs.add, 2, 3, limit_s=LONG_S))
        go.touch()
        assert await next_one == 5


async def test_the_event_loop_goes_on_while_a_job_runs(tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with working() as worker, asyncio.TaskGroup() as tasks:
        busy = tasks.create_task(worker.run(jobs.wait_for, str(go), limit_s=LONG_S))
        await asyncio.sleep(0)
        assert not busy.done()
        go.touch()
        assert await busy == str(go)


async def test_a_model_that_cannot_be_loaded_is_told_at_the_start_without_its_words() -> None:
    worker = Worker("the model", jobs.cannot_start)
    with pytest.raises(UpstreamFailed, match="could not start") as failed:
        await worker.start()
    assert "secret" not in str(failed.value)
    await worker.aclose()


async def test_a_model_that_never_gets_ready_is_given_up_and_its_process_ended() -> None:
    worker = Worker("the model", jobs.never_ready, start_limit_s=3.0)
    with pytest.raises(UpstreamTimeout, match="did not start"):
        await worker.start()
    assert worker.pid is None
    await worker.aclose()


async def test_a_closed_worker_answers_with_an_error_and_leaves_no_process(tmp_path: Path) -> None:
    worker = Worker("the model", jobs.ready)
    await worker.start()
    pid = worker.pid
    assert pid is not None
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(refused(worker, tmp_path)) for _ in range(2)]
        await asyncio.sleep(0)
        await worker.aclose()
    assert [task.result() for task in both] == ["the model is closed"] * 2
    assert not alive(pid)
    assert await refused(worker, tmp_path) == "the model is closed"
    await worker.aclose()


async def refused(worker: Worker, folder: Path) -> str:
    with pytest.raises(UpstreamFailed) as failed:
        await worker.run(jobs.wait_for, str(folder / "never"), limit_s=LONG_S)
    return failed.value.message


async def test_a_worker_writes_nothing_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    async with working() as worker:
        await worker.run(jobs.shout, "secret words", limit_s=LONG_S)
    assert capfd.readouterr() == ("", "")


async def test_a_worker_reaches_no_network_and_leaves_no_core_dump() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert jobs.reach_out(port) == "connected"
        async with working() as worker:
            assert await worker.run(jobs.reach_out, port, limit_s=LONG_S) == "a speech worker reaches no network"
            assert await worker.run(jobs.resource_limits, limit_s=LONG_S) == (0, 0)


PARENT = """
import asyncio, sys
from gateway.adapters.speech.worker import Worker
from tests.adapters.speech import jobs

async def main():
    worker = Worker("the model", jobs.ready)
    await worker.start()
    print(worker.pid, flush=True)
    await worker.run(jobs.hang, limit_s=3600)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_worker_ends_when_its_parent_is_killed_even_in_the_middle_of_a_job(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT, "utf-8")
    root = str(Path(__file__).parents[3])
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    )
    assert parent.stdout is not None
    async with asyncio.timeout(60):
        pid = int(await parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        await parent.wait()
    await until(lambda: not alive(pid))


async def test_a_pool_gives_a_job_to_the_worker_with_the_least_to_do(tmp_path: Path) -> None:
    go = tmp_path / "go"
    pool = Pool("the model", jobs.ready, workers=2)
    await pool.start()
    try:
        assert len(set(pool.pids)) == 2
        async with asyncio.TaskGroup() as tasks:
            busy = tasks.create_task(pool.run(jobs.wait_for, str(go), limit_s=LONG_S))
            await asyncio.sleep(0)
            assert await pool.run(jobs.add, 2, 3, limit_s=LONG_S) == 5
            assert not busy.done()
            go.touch()
    finally:
        await pool.aclose()
