"""The image: not root, nothing to write to but its volume, healthy when the gateway says so, started with its secrets."""

from __future__ import annotations

import http.server
import json
import os
import re
import runpy
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()
ENTRYPOINT = runpy.run_path(str(ROOT / "docker/entrypoint.py"))
prepared, command = ENTRYPOINT["prepared"], ENTRYPOINT["command"]
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]


def test_it_runs_as_a_user_without_rights() -> None:
    """The last word on the user is a number that is not 0, so that Kubernetes' runAsNonRoot can check it."""
    users = re.findall(r"^USER (.+)$", FINAL, re.MULTILINE)
    assert users == ["10001:10001"]


def test_it_writes_to_its_volume_only() -> None:
    """Data has a volume; Python writes no bytecode."""
    assert re.findall(r"^VOLUME (.+)$", FINAL, re.MULTILINE) == ["/data"]
    assert "SORDINO_DATA=/data" in FINAL
    assert "PYTHONDONTWRITEBYTECODE=1" in FINAL


def test_it_is_built_from_the_lock_alone() -> None:
    """With hashes, and the project without fetching anything more."""
    installs = re.findall(r"pip install (.+?)(?: \\)?$", DOCKERFILE, re.MULTILINE)
    assert installs == ["--require-hashes -r requirements.lock", "--no-deps --no-build-isolation ."]
    assert not re.search(r"curl|wget|apt-get|ADD http|:latest", DOCKERFILE)


def test_what_it_copies_exists_and_is_let_through() -> None:
    """The ignore file lets through what is copied, and nothing else."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {name for line in lines for name in line.split()}
    ignore = (ROOT / "docker/Dockerfile.dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    assert copied == let_through
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_it_asks_the_gateway_how_it_is() -> None:
    """The health check is a program of the image's own."""
    assert 'CMD ["python", "/app/docker/healthcheck.py"]' in FINAL


class Health(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


class Sick(Health):
    status = 503


def check_health(port: int) -> int:
    env = {"SORDINO_HEALTH_PORT": str(port)}
    return subprocess.run([sys.executable, ROOT / "docker/healthcheck.py"], env=env, check=False, timeout=30).returncode


@pytest.mark.parametrize(("handler", "expected"), [(Health, 0), (Sick, 1)])
def test_the_health_check_follows_the_gateways_answer(handler: type[Health], expected: int) -> None:
    """Exit code 0 for 200, 1 for anything else."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            assert check_health(server.server_port) == expected
        finally:
            server.shutdown()
            thread.join()


def test_the_health_check_fails_when_nobody_answers() -> None:
    """Without a traceback."""
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as closed:
        port = closed.server_port
    assert check_health(port) == 1


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "valkey_password").write_text("p@ss/word:1\n")
    (folder / "master_key").write_text("a" * 43 + "=\n")
    return folder


def test_the_stores_password_goes_into_its_address(secrets: Path, tmp_path: Path) -> None:
    """Quoted, so that redis-py reads back what the file holds."""
    from redis.asyncio.connection import parse_url

    env = prepared({"SORDINO_STORE": "unix:///run/valkey/valkey.sock"}, secrets, tmp_path)
    read = parse_url(env["SORDINO_REDIS_URL"])
    assert (read["password"], read["path"]) == ("p@ss/word:1", "/run/valkey/valkey.sock")
    tls = prepared({"SORDINO_STORE": "rediss://store.example:6380/1"}, secrets, tmp_path)
    read = parse_url(tls["SORDINO_REDIS_URL"])
    assert (read["password"], read["host"], read["port"], read["db"]) == ("p@ss/word:1", "store.example", 6380, 1)


def test_the_master_key_is_kept_where_only_the_gateway_reads(secrets: Path, tmp_path: Path) -> None:
    """Mounted secrets are often readable by all; the gateway refuses such a key. A restart finds its own copy in the way."""
    prepared({}, secrets, tmp_path)
    env = prepared({}, secrets, tmp_path)
    kept = Path(env["SORDINO_MASTER_KEY_FILE"])
    assert kept.read_text() == "a" * 43 + "=\n"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_next_master_key_is_kept_beside_it(secrets: Path, tmp_path: Path) -> None:
    (secrets / "master_key_next").write_text("b" * 43 + "=\n")
    kept = Path(prepared({}, secrets, tmp_path)["SORDINO_MASTER_KEY_FILE"])
    following = kept.with_name(kept.name + ".next")
    assert following.read_text() == "b" * 43 + "=\n"
    assert following.stat().st_mode & 0o777 == 0o600


def test_what_the_operator_set_stays(tmp_path: Path) -> None:
    """A full address of a store, a key file elsewhere, and no secrets at all: the embedded default."""
    given = {"SORDINO_REDIS_URL": "rediss://elsewhere", "SORDINO_MASTER_KEY_FILE": "/keys/master"}
    assert prepared(given, tmp_path / "none", tmp_path) == given
    assert prepared({}, tmp_path / "none", tmp_path) == {}


FAKE = f"""#!{sys.executable}
import json, os, sys
print(json.dumps([sys.argv[1:], os.environ.get("SORDINO_REDIS_URL"), os.getpid()]))
"""


def start(tmp_path: Path, secrets: Path) -> subprocess.CompletedProcess[str]:
    fake = tmp_path / "sordino"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}{os.pathsep}/usr/bin",
        "SORDINO_STORE": "unix:///run/valkey/valkey.sock",
        "SORDINO_SECRETS": str(secrets),
        "SORDINO_PRIVATE": str(tmp_path),
    }
    command = [sys.executable, str(ROOT / "docker/entrypoint.py"), "serve", "--port", "8080"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=30)


def test_the_entrypoint_becomes_sordino(tmp_path: Path, secrets: Path) -> None:
    """The same process with the arguments of the command, so that a stop signal reaches the gateway."""
    ended = start(tmp_path, secrets)
    arguments, url, _ = json.loads(ended.stdout)
    assert arguments == ["serve", "--port", "8080"]
    assert url.startswith("unix://:")
    assert ended.stderr == ""


def test_the_worker_gets_livekits_keys_and_is_started_as_itself(tmp_path: Path) -> None:
    (tmp_path / "livekit_keys").write_text("sordino: s3cret\n")
    ready = prepared({}, tmp_path, tmp_path)
    assert (ready["LIVEKIT_API_KEY"], ready["LIVEKIT_API_SECRET"]) == ("sordino", "s3cret")
    assert command(["worker"]) == ["python", "-m", "agents.worker", "start"]
    assert command(["serve", "--port", "1"]) == ["sordino", "serve", "--port", "1"]


def test_a_missing_secret_is_named_with_the_way_to_make_it(tmp_path: Path) -> None:
    """No traceback, and no start with a store that has no password."""
    ended = start(tmp_path, tmp_path / "nowhere")
    assert ended.returncode == 1
    assert "valkey_password: No such file or directory" in ended.stderr
    assert "docker/make-secrets.sh" in ended.stderr
    assert "Traceback" not in ended.stderr
