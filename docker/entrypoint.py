"""Starts ``sordino`` in a container, or with ``worker`` the LiveKit worker, with what its secrets hold.

A secret is a file under ``/run/secrets``, as Docker, Compose and Kubernetes mount them, often readable by more than its owner:

* ``valkey_password``: joined with ``SORDINO_STORE`` (``unix:///run/valkey/valkey.sock`` or ``rediss://HOST:6379/0``) into
  ``SORDINO_REDIS_URL``, so that no password stands in the compose file or in ``docker inspect``.
* ``master_key``: copied to a file that only the gateway's user may read, in memory (``/run/sordino`` is a tmpfs); beside it
  ``master_key_next``, the key that ``sordino keys rotate`` changes to.
* ``livekit_keys``: the line ``KEY: SECRET`` of the LiveKit server becomes the worker's ``LIVEKIT_API_KEY`` and ``…_SECRET``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote


def with_password(address: str, password: str) -> str:
    """The store's address with the password where redis-py reads it."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://:{quote(password, safe='')}@{rest}"


def keep(secret: Path, kept: Path) -> None:
    """A copy that only its owner may read, in place of an older one."""
    kept.unlink(missing_ok=True)
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret.read_bytes())


def prepared(env: Mapping[str, str], secrets: Path, private: Path) -> dict[str, str]:
    """The environment for the gateway. Raises OSError when a secret cannot be read or kept."""
    ready = dict(env)
    store = ready.pop("SORDINO_STORE", "")
    if store and "SORDINO_REDIS_URL" not in ready:
        password = (secrets / "valkey_password").read_text(encoding="utf-8").strip()
        ready["SORDINO_REDIS_URL"] = with_password(store, password)
    master_key = secrets / "master_key"
    if master_key.exists() and "SORDINO_MASTER_KEY_FILE" not in ready:
        kept = private / "master_key"
        keep(master_key, kept)
        if (following := secrets / "master_key_next").exists():
            keep(following, private / "master_key.next")
        ready["SORDINO_MASTER_KEY_FILE"] = str(kept)
    livekit = secrets / "livekit_keys"
    if livekit.exists() and "LIVEKIT_API_KEY" not in ready:
        key, _, secret = livekit.read_text(encoding="utf-8").strip().partition(": ")
        ready |= {"LIVEKIT_API_KEY": key, "LIVEKIT_API_SECRET": secret}
    return ready


def command(arguments: list[str]) -> list[str]:
    """What the container becomes."""
    if arguments[:1] == ["worker"]:
        return ["python", "-m", "agents.worker", "start", *arguments[1:]]
    return ["sordino", *arguments]


def main(arguments: list[str]) -> None:
    folder = Path(os.environ.get("SORDINO_SECRETS", "/run/secrets"))
    private = Path(os.environ.get("SORDINO_PRIVATE", "/run/sordino"))
    try:
        env = prepared(os.environ, folder, private)
    except OSError as error:
        sys.exit(f"entrypoint: {error.filename}: {error.strerror}\n    make the secrets first: docker/make-secrets.sh")
    becomes = command(arguments)
    os.execvpe(becomes[0], becomes, env)  # noqa: S606 - one process, found on the image's own PATH


if __name__ == "__main__":
    main(sys.argv[1:])
