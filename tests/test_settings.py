"""How a gateway is set up from its environment; each mistake names what is wrong and what mends it."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest

from gateway.adapters.keys.files import read_key
from gateway.adapters.stores.policy_folder import shipped_policies
from gateway.errors import Misconfigured
from gateway.serving import listener_tls
from gateway.settings import Settings


def test_an_empty_environment_is_enough() -> None:
    assert Settings.from_env({}) == Settings(policies=shipped_policies())


def test_everything_can_be_set(tmp_path: Path) -> None:
    found = Settings.from_env(
        {
            "SORDINO_DATA": str(tmp_path / "data"),
            "SORDINO_POLICIES": str(tmp_path),
            "SORDINO_REDIS_URL": "redis://127.0.0.1:6379/0",
            "SORDINO_MASTER_KEY_FILE": str(tmp_path / "key"),
            "SORDINO_PUBLIC_URL": "https://voice.example",
            "SORDINO_DEMO_LLM": "http://127.0.0.1:11434/v1",
            "SORDINO_DEMO_MODEL": "llama3.2",
            "SORDINO_ICE_SERVERS": "stun:stun.example:3478 turn:turn.example?transport=tcp",
        }
    )
    assert found == Settings(
        data=tmp_path / "data",
        policies=tmp_path,
        redis_url="redis://127.0.0.1:6379/0",
        master_key_file=tmp_path / "key",
        public_url="https://voice.example",
        demo_llm="http://127.0.0.1:11434/v1",
        demo_model="llama3.2",
        ice_servers=("stun:stun.example:3478", "turn:turn.example?transport=tcp"),
    )


@pytest.mark.parametrize(
    "name",
    [
        "SORDINO_DATA",
        "SORDINO_POLICIES",
        "SORDINO_REDIS_URL",
        "SORDINO_MASTER_KEY_FILE",
        "SORDINO_PUBLIC_URL",
        "SORDINO_DEMO_LLM",
        "SORDINO_DEMO_MODEL",
        "SORDINO_ICE_SERVERS",
    ],
)
def test_an_empty_variable_is_one_that_is_not_set(name: str) -> None:
    """As compose files and shells leave them."""
    assert Settings.from_env({name: ""}) == Settings.from_env({})


def test_the_command_line_goes_before_the_environment(tmp_path: Path) -> None:
    found = Settings.from_env({"SORDINO_POLICIES": "/nowhere"}, policies=tmp_path, port=0, host=None)
    assert (found.policies, found.port, found.host) == (tmp_path, 0, "127.0.0.1")


@pytest.mark.parametrize(
    ("env", "given", "what", "mended"),
    [
        ({"SORDINO_REDIS_URL": "redis://x"}, {}, "SORDINO_MASTER_KEY_FILE is not", "chmod 600"),
        ({"SORDINO_POLICIES": "/nowhere"}, {}, "there is no folder /nowhere", "--policies or SORDINO_POLICIES"),
        ({}, {"policies": Path("/nowhere")}, "there is no folder /nowhere", "--policies or SORDINO_POLICIES"),
        ({"SORDINO_DATA": __file__}, {}, "is no folder", "SORDINO_DATA"),
        ({}, {"port": 70_000}, "there is no port 70000", "--port"),
        ({}, {"port": -1}, "there is no port -1", "--port"),
        ({"SORDINO_ICE_SERVERS": "stun:a.example https://b.example"}, {}, "SORDINO_ICE_SERVERS", "stun:HOST:PORT"),
    ],
    ids=[
        "no key beside a store",
        "no such folder",
        "no such folder given",
        "a file for a folder",
        "port too large",
        "no port",
        "no server",
    ],
)
def test_what_cannot_be_used_is_told_with_how_to_mend_it(
    env: dict[str, str], given: dict[str, object], what: str, mended: str
) -> None:
    with pytest.raises(Misconfigured, match=re.escape(what)) as caught:
        Settings.from_env(env, **given)
    assert mended in caught.value.hint


def test_the_key_that_the_hint_makes_is_one(tmp_path: Path) -> None:
    """``head -c 32 /dev/urandom | base64``: who follows the advice can start."""
    key = tmp_path / "key"
    key.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
    key.chmod(0o600)
    assert len(read_key(key)) == 32


PLAINTEXT = {
    "this machine": ({"host": "127.0.0.1"}, {}, True),
    "this machine by name": ({"host": "localhost"}, {}, True),
    "other machines": ({"host": "0.0.0.0"}, {}, False),  # noqa: S104
    "other machines, behind a proxy": ({"host": "10.0.0.5"}, {"SORDINO_BEHIND_PROXY": "1"}, True),
    "other machines, behind a proxy perhaps": ({"host": "10.0.0.5"}, {"SORDINO_BEHIND_PROXY": "yes"}, False),
}


@pytest.mark.parametrize(("given", "env", "well"), PLAINTEXT.values(), ids=PLAINTEXT.keys())
def test_plain_http_is_spoken_to_this_machine_and_to_a_proxy_only(
    given: dict[str, object], env: dict[str, str], well: bool
) -> None:
    settings = Settings.from_env(env, **given)
    if well:
        assert listener_tls(settings) is None
    else:
        with pytest.raises(Misconfigured, match="plain text"):
            listener_tls(settings)


@pytest.mark.parametrize("one", ["SORDINO_TLS_CERT", "SORDINO_TLS_KEY"])
def test_a_certificate_without_its_key_is_refused_by_name(one: str) -> None:
    with pytest.raises(Misconfigured, match="SORDINO_TLS_"):
        Settings.from_env({one: "/somewhere.pem"})


@pytest.mark.parametrize("version", ["1.1", "1.4", "tls1.3"])
def test_a_version_of_tls_that_is_not_safe_or_none_is_refused(version: str) -> None:
    with pytest.raises(Misconfigured, match="SORDINO_TLS_MINIMUM"):
        Settings.from_env({"SORDINO_TLS_MINIMUM": version})
