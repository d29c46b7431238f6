"""The compose file: every service without privileges, every port on this machine, every secret in a file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker"


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(path)
    return loaded


COMPOSE = read(FOLDER / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EACH = pytest.mark.parametrize("name", sorted(SERVICES))


def test_docker_accepts_the_file() -> None:
    """``docker compose config`` reads it without complaint, on a machine that has it."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no docker compose on this machine")
    command = [docker, "compose", "-f", str(FOLDER / "compose.yaml"), "config", "--quiet"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_everything_that_a_call_needs_is_there() -> None:
    """The gateway, its store, rooms, telephone calls into rooms, telemetry."""
    assert {"gateway", "valkey", "livekit", "livekit-sip", "collector"} <= SERVICES.keys()


@EACH
def test_a_service_has_no_privileges(name: str) -> None:
    """A read-only root, no capability, no way to gain one, a user who is not root, and an end to what it may use."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"}
    assert service.get("network_mode") in {None, "none", "service:gateway"}


@EACH
def test_a_service_is_reached_from_this_machine_only(name: str) -> None:
    """Whoever wants others to reach it puts TLS in front."""
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


@EACH
def test_a_service_mounts_only_its_own_files_and_reads_them_only(name: str) -> None:
    """No socket of Docker, no home; what comes from the checkout cannot be changed from inside."""
    for volume in SERVICES[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        if source in COMPOSE["volumes"]:
            continue
        assert mode == ["ro"]
        assert (FOLDER / source).resolve().is_relative_to(ROOT)
        assert (FOLDER / source).exists(), f"{target} would be an empty folder"


@EACH
def test_an_image_has_a_version(name: str) -> None:
    """Nothing changes by itself."""
    version = SERVICES[name]["image"].rpartition(":")[2]
    assert re.match(r"v?\d+\.\d+", version)


def test_no_secret_stands_in_a_file_that_is_shared() -> None:
    """Secrets are files that the repository does not hold; the environment of no service names one."""
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {f"./secrets/{name}" for name in COMPOSE["secrets"]}
    for service in SERVICES.values():
        for key in service.get("environment", {}):
            assert not re.search(r"PASSWORD|SECRET|TOKEN|API_KEY|_KEYS?$", key)
    for path in FOLDER.rglob("*"):
        if path.is_file() and "secrets" not in path.relative_to(FOLDER).parts and path.suffix != ".pyc":
            assert not re.search(r"(?i)(password|secret|api_key)\s*[:=]\s*['\"]?[A-Za-z0-9+/_-]{16,}", path.read_text())
    ignored = subprocess.run(["git", "check-ignore", "docker/secrets/master_key"], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode == 0


def test_the_store_of_the_gateway_has_no_network() -> None:
    """It is reached through a socket in a volume that only the gateway and its worker share."""
    assert SERVICES["valkey"]["network_mode"] == "none"
    sharing = {name for name, service in SERVICES.items() if any("store-socket" in v for v in service.get("volumes", []))}
    assert sharing == {"gateway", "worker", "valkey"}


def test_telemetry_never_leaves_the_gateways_own_network() -> None:
    """The collector listens on the gateway's loopback, which is why plaintext is allowed there."""
    assert SERVICES["collector"]["network_mode"] == "service:gateway"
    assert SERVICES["gateway"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
    receivers = read(FOLDER / "otel/collector.yaml")["receivers"]
    assert receivers == {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:4318"}}}}


def test_the_parts_of_livekit_find_each_other() -> None:
    """Names and ports in their own files are those of the compose file."""
    server, sip = read(FOLDER / "livekit/livekit.yaml"), read(FOLDER / "livekit/sip.yaml")
    assert server["redis"]["address"] == sip["redis"]["address"] == "livekit-store:6379"
    assert sip["ws_url"] == f"ws://livekit:{server['port']}"
    published = " ".join(SERVICES["livekit"]["ports"] + SERVICES["livekit-sip"]["ports"])
    for port in (server["port"], server["rtc"]["tcp_port"], server["rtc"]["udp_port"], sip["sip_port"], sip["rtp_port"]):
        assert f":{port}" in published
    assert "keys" not in server
    assert not sip.keys() & {"api_key", "api_secret"}
