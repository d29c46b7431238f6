"""Which networks a trunk may stand on: speech on it is not encrypted, so it may not leave the house (promise 24)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from gateway.errors import Misconfigured

DEFAULT_PORT = 5060
_PLACE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[0-9.]+)(?::(?P<port>\d{1,5}))?", re.ASCII)
_HINT = "write an address of a private network: SORDINO_SIP_LISTEN=10.0.0.5:5060"
_OURS = tuple(
    ipaddress.ip_network(each) for each in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
"""This machine, and what RFC 1918 and RFC 4193 keep for networks of one's own. No carrier-grade NAT: others are on it too."""


def is_private(host: str) -> bool:
    """Whether this is an address of this machine or of a private network; a name is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _OURS if network.version == address.version)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the trunk listens, and who may speak to it."""

    host: str
    port: int
    peers: frozenset[str]


def place(listen: str, peers: tuple[str, ...]) -> Place:
    """From ``HOST:PORT`` and the addresses of the session border controllers.

    Raises:
        Misconfigured: one of them is public, a name, every address of the machine (``0.0.0.0``), or no peer is named.
    """
    match = _PLACE.fullmatch(listen)
    if match is None:
        raise Misconfigured("SORDINO_SIP_LISTEN is no address", hint=_HINT)
    host, port = match["host"].strip("[]"), int(match["port"] or DEFAULT_PORT)
    if not is_private(host):
        raise Misconfigured("SORDINO_SIP_LISTEN is not on a private network, and a trunk's speech is not encrypted", hint=_HINT)
    if not 0 <= port <= 65_535:
        raise Misconfigured("SORDINO_SIP_LISTEN has a port that does not exist", hint=_HINT)
    if not peers:
        raise Misconfigured(
            "SORDINO_SIP_LISTEN is set and SORDINO_SIP_PEERS is not", hint="name the addresses of your session border controllers"
        )
    for peer in peers:
        if not is_private(peer):
            raise Misconfigured(
                "SORDINO_SIP_PEERS holds what is no address of a private network", hint="names and public addresses are refused"
            )
    return Place(host, port, frozenset(str(ipaddress.ip_address(peer)) for peer in peers))
