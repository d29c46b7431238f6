"""How a gateway is set up, from its environment. Every fault is named with the variable that mends it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.stores.policy_folder import shipped_policies
from gateway.errors import Misconfigured
from gateway.values import Private

_ICE_SERVER = re.compile(r"(stun|turns?):[\w.-]+(:\d{1,5})?(\?transport=(udp|tcp))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One gateway. ``redis_url`` None: an embedded Valkey under ``data``. ``port`` 0: any free one."""

    data: Path = Path(".sordino")
    policies: Path
    redis_url: str | None = None
    master_key_file: Path | None = None
    master_key: Private[str] | None = None
    """The master key itself, in base64, for who keeps secrets in the environment; ``master_key_next``: what takes its place."""
    master_key_next: Private[str] | None = None
    master_key_url: str | None = None
    """The key service that locks the master key: ``awskms:///KEY_ARN?region=…`` or ``vault://HOST/transit/KEY``."""
    public_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    demo_llm: str | None = None
    """Address of a model server on this machine that takes the place of the scripted demo model."""
    demo_model: str | None = None
    ice_servers: tuple[str, ...] = ()
    """STUN and TURN servers that calls from browsers may use, as their URLs (RFC 7064, 7065). Asking them is egress: none."""

    sip_listen: str = ""
    """Where the SIP trunk listens: an address of a private network, ``10.0.0.5:5060``. Empty: there is no trunk."""
    sip_peers: tuple[str, ...] = ()
    """The addresses of the session border controllers that may call over it."""

    tls_cert: Path | None = None
    tls_key: Path | None = None
    """The listener's certificate chain and its key, PEM. Without them it speaks plain HTTP."""
    behind_proxy: bool = False
    """Whether somebody in front of us speaks TLS, so that plain HTTP may come from another machine."""
    tls_minimum: str = "1.3"
    """``1.3``, or ``1.2`` for a carrier that speaks no better."""

    @staticmethod
    def from_env(env: Mapping[str, str], **given: object) -> Settings:
        """The environment's values, unless ``given`` (from the command line) says otherwise; None there means not given.

        Raises:
            Misconfigured: a value that cannot be used.
        """
        data = Path(env.get("SORDINO_DATA") or ".sordino")
        found: dict[str, object] = {
            "data": data,
            "policies": Path(env.get("SORDINO_POLICIES") or shipped_policies()),
            "redis_url": env.get("SORDINO_REDIS_URL") or None,
            "master_key_file": Path(env["SORDINO_MASTER_KEY_FILE"]) if env.get("SORDINO_MASTER_KEY_FILE") else None,
            "master_key": Private(env["SORDINO_MASTER_KEY"]) if env.get("SORDINO_MASTER_KEY") else None,
            "master_key_next": Private(env["SORDINO_MASTER_KEY_NEXT"]) if env.get("SORDINO_MASTER_KEY_NEXT") else None,
            "master_key_url": env.get("SORDINO_MASTER_KEY_URL") or None,
            "public_url": env.get("SORDINO_PUBLIC_URL") or None,
            "demo_llm": env.get("SORDINO_DEMO_LLM") or None,
            "demo_model": env.get("SORDINO_DEMO_MODEL") or None,
            "tls_cert": Path(env["SORDINO_TLS_CERT"]) if env.get("SORDINO_TLS_CERT") else None,
            "tls_key": Path(env["SORDINO_TLS_KEY"]) if env.get("SORDINO_TLS_KEY") else None,
            "behind_proxy": env.get("SORDINO_BEHIND_PROXY") == "1",
            "tls_minimum": env.get("SORDINO_TLS_MINIMUM") or "1.3",
            "sip_listen": env.get("SORDINO_SIP_LISTEN", "").strip(),
            "sip_peers": tuple(env.get("SORDINO_SIP_PEERS", "").replace(",", " ").split()),
            "ice_servers": tuple(env.get("SORDINO_ICE_SERVERS", "").split()),
        }
        found |= {name: value for name, value in given.items() if value is not None}
        settings = Settings(**found)  # type: ignore[arg-type]
        places = {"": settings.master_key, "_FILE": settings.master_key_file, "_URL": settings.master_key_url}
        named = [f"SORDINO_MASTER_KEY{ending}" for ending, value in places.items() if value]
        if len(named) > 1:
            raise Misconfigured(f"{' and '.join(named)} are both set", hint="keep the master key in one place: unset one")
        if settings.redis_url and not named:
            raise Misconfigured(
                "SORDINO_REDIS_URL is set and SORDINO_MASTER_KEY_FILE is not",
                hint="a shared store needs a shared master key: head -c 32 /dev/urandom | base64 > key; chmod 600 key",
            )
        if (settings.tls_cert is None) != (settings.tls_key is None):
            missing = "SORDINO_TLS_KEY" if settings.tls_cert else "SORDINO_TLS_CERT"
            raise Misconfigured(f"{missing} is not set", hint="TLS needs both: a certificate chain and its key, in PEM")
        if settings.tls_minimum not in ("1.2", "1.3"):
            raise Misconfigured("SORDINO_TLS_MINIMUM is no version of TLS that is safe", hint="write 1.3 or 1.2")
        if not all(_ICE_SERVER.fullmatch(url) for url in settings.ice_servers):
            raise Misconfigured("SORDINO_ICE_SERVERS holds what is no server", hint="write stun:HOST:PORT or turn:HOST:PORT")
        if not 0 <= settings.port <= 65_535:
            raise Misconfigured(f"there is no port {settings.port}", hint="name one up to 65535 with --port; 0 is any free one")
        if settings.data.exists() and not settings.data.is_dir():
            raise Misconfigured(f"{settings.data} is no folder", hint="name a folder with SORDINO_DATA")
        if not settings.policies.is_dir():
            raise Misconfigured(
                f"there is no folder {settings.policies}", hint="name the policies with --policies or SORDINO_POLICIES"
            )
        return settings
