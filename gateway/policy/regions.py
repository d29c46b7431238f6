"""Where data may be: a small hierarchy of places.

``local`` is this machine. ``eu`` holds its 27 members (europa.eu, country list), ``eea`` holds those and Iceland,
Liechtenstein and Norway. A country is ISO 3166-1 alpha-2 in lower case. Whatever follows a slash lies inside:
``in/ap-south-1`` is a part of ``in``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable

LOCAL = "local"
UNKNOWN = "unknown"

_EU = "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se"
_ISO_3166 = """
    ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz ca cc
    cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm fo fr ga gb gd
    ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh
    ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw
    mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc
    sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug um us uy
    uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""

EU = frozenset(_EU.split())
EEA = EU | {"is", "li", "no"}
COUNTRIES = frozenset(_ISO_3166.split())
_GROUPS = frozenset(("eu", "eea"))
_MEANT = {
    "uk": "gb",
    "usa": "us",
    "america": "us",
    "europe": "eu",
    "european-union": "eu",
    "india": "in",
    "germany": "de",
    "france": "fr",
    "ireland": "ie",
    "localhost": "local",
    "here": "local",
    "ap-south-1": "in/ap-south-1",
    "eu-central-1": "de/eu-central-1",
    "eu-west-1": "ie/eu-west-1",
    "us-east-1": "us/us-east-1",
}


def is_region(code: str) -> bool:
    """Whether ``code`` names a place of the hierarchy."""
    head, *parts = code.split("/")
    known = head in COUNTRIES or head in _GROUPS or (head == LOCAL and not parts)
    return known and len(code) <= 80 and all(re.fullmatch("[a-z0-9][a-z0-9-]*", part) for part in parts)


def suggest_region(code: str) -> str | None:
    """The region that somebody who wrote ``code`` probably meant."""
    lowered = code.strip().lower().replace("_", "-").replace(" ", "-")
    if is_region(lowered):
        return lowered
    if lowered in _MEANT:
        return _MEANT[lowered]
    close = difflib.get_close_matches(lowered, [*_MEANT, LOCAL, "eea"], n=1, cutoff=0.75)
    return _MEANT.get(close[0], close[0]) if close else None


def ancestors(code: str) -> frozenset[str]:
    """Every region that holds ``code``, itself included: ``de/fra`` gives ``de/fra``, ``de``, ``eu``, ``eea``."""
    parts = code.split("/")
    found = {"/".join(parts[: end + 1]) for end in range(len(parts))}
    if parts[0] in EU or parts[0] == "eu":
        found |= {"eu", "eea"}
    elif parts[0] in EEA:
        found.add("eea")
    return frozenset(found)


def within(code: str, allowed: Collection[str]) -> bool:
    """Whether ``code`` lies in one of ``allowed``. ``local`` always does: data on this machine has not left it."""
    return code == LOCAL or not ancestors(code).isdisjoint(allowed)


def narrower(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    """The places that lie in both, sorted and without what another of them holds: ``{eu, us}`` and ``{de, eea}`` give ``eu``."""
    left, right = set(first), set(second)
    both = {code for code in left if not ancestors(code).isdisjoint(right)}
    both |= {code for code in right if not ancestors(code).isdisjoint(left)}
    return simplest(both)


def simplest(codes: Collection[str]) -> tuple[str, ...]:
    """The same places, sorted, without those that another of them holds."""
    return tuple(sorted(code for code in codes if (ancestors(code) - {code}).isdisjoint(codes)))
