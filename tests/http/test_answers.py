"""Whatever goes wrong, a client gets a typed answer in the contract's form that says nothing of anybody's data."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from gateway import errors
from gateway.errors import SordinoError
from gateway.http.answers import needs_operator, refusal
from gateway.values import Private
from tests.http.listening import serving

KEY = "k3y-of-the-operator"
SECRET = "4532118096612345"


async def fine(_: web.Request) -> web.Response:
    return web.Response(text="fine")


def raising(error: Exception) -> web.RouteDef:
    async def handle(_: web.Request) -> NoReturn:
        raise error

    return web.get("/", handle)


def every_error() -> list[SordinoError]:
    made: list[SordinoError] = []
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, SordinoError) and kind is not errors.PolicyInvalid:
            two = kind in (errors.CarrierProtocolError, errors.BundleInvalid)
            arguments = ("kind", "what is wrong") if two else ("what is wrong",)
            made.append(kind(*arguments, hint="mend it so"))
    return made


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
async def test_each_of_our_errors_has_its_code_status_and_hint(error: SordinoError) -> None:
    async with serving([raising(error)]) as client, client.get("/") as answer:
        assert answer.status == error.http_status
        assert answer.content_type == "application/json"
        assert error.message.endswith("what is wrong")
        assert await answer.json() == {
            "error": {"code": error.code, "message": error.message, "hint": "mend it so", "sordino": {"reasons": []}}
        }


async def test_a_refusal_carries_its_reasons_as_sentences() -> None:
    error = errors.NoPermittedRoute("nobody may", reasons=("far: its region is us", "near: it is pending"))
    async with serving([raising(error)]) as client, client.get("/") as answer:
        assert (await answer.json())["error"]["sordino"]["reasons"] == ["far: its region is us", "near: it is pending"]


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), RuntimeError(SECRET), OSError(SECRET)])
async def test_an_error_that_nobody_foresaw_gives_internal_and_nothing_of_its_text(error: Exception) -> None:
    async with serving([raising(error)]) as client, client.get("/") as answer:
        text = await answer.text()
        assert (answer.status, json.loads(text)["error"]["code"]) == (500, "internal")
        assert SECRET not in text
        assert SECRET not in str(answer.headers)
        assert type(error).__name__ not in text


async def test_after_an_answer_has_begun_an_error_cuts_it_and_adds_nothing() -> None:
    """A second answer in the middle of the first would be read as its body."""

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise ValueError(SECRET)

    async with serving([web.get("/", half)]) as client, client.get("/") as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", b"", 404, "invalid_request"),
        ("GET", "/%2e%2e/etc/passwd", b"", 404, "invalid_request"),
        ("DELETE", "/", b"", 405, "invalid_request"),
        ("POST", "/echo", b"x" * 2_000, 413, "payload_too_large"),
    ],
    ids=["unknown path", "a path out of here", "wrong method", "too large"],
)
async def test_what_the_server_itself_refuses_is_typed_too(method: str, path: str, body: bytes, status: int, code: str) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async with (
        serving([web.get("/", fine), web.post("/echo", echo)], max_bytes=1_000) as client,
        client.request(method, path, data=body) as answer,
    ):
        error = (await answer.json())["error"]
        assert (answer.status, error["code"]) == (status, code)
        assert sorted(error) == ["code", "hint", "message", "sordino"]
        assert ("Allow" in answer.headers) is (status == 405)


async def test_a_redirect_stays_one() -> None:
    async def elsewhere(_: web.Request) -> NoReturn:
        raise web.HTTPFound("/there")

    async with serving([web.get("/", elsewhere)]) as client, client.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/there")


GIVEN: list[tuple[str, dict[str, str], int]] = [
    ("the key", {"Authorization": f"Bearer {KEY}"}, 200),
    ("nothing", {}, 401),
    ("another key", {"Authorization": "Bearer another"}, 401),
    ("the key alone", {"Authorization": KEY}, 401),
    ("another scheme", {"Authorization": f"Basic {KEY}"}, 401),
    ("a beginning of it", {"Authorization": f"Bearer {KEY[:-1]}"}, 401),
    ("more than it", {"Authorization": f"Bearer {KEY}x"}, 401),
    ("no key", {"Authorization": "Bearer "}, 401),
    ("the wrong header", {"X-Api-Key": KEY}, 401),
    ("other letters", {"Authorization": "Bearer \u00fc\u00e9"}, 401),
]


@pytest.mark.parametrize(("what", "headers", "status"), GIVEN, ids=[what for what, _, _ in GIVEN])
async def test_the_operators_paths_open_to_the_operators_key_alone(what: str, headers: dict[str, str], status: int) -> None:
    routes = [web.get("/", needs_operator(Private(KEY), fine))]
    async with serving(routes) as client, client.get("/", headers=CIMultiDict(headers)) as answer:
        text = await answer.text()
        assert answer.status == status
        if status == 401:
            assert json.loads(text)["error"]["code"] == "unauthenticated"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert KEY not in text


async def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a key could be guessed letter by letter."""
    compared: list[Any] = []

    def compare(given: bytes, wanted: bytes) -> bool:
        compared.append((given, wanted))
        return False

    monkeypatch.setattr("gateway.http.answers.hmac.compare_digest", compare)
    routes = [web.get("/", needs_operator(Private(KEY), fine))]
    async with serving(routes) as client, client.get("/", headers={"Authorization": "Bearer x"}) as answer:
        assert answer.status == 401
    assert compared == [(b"Bearer x", f"Bearer {KEY}".encode())]


def test_an_empty_key_opens_nothing() -> None:
    with pytest.raises(errors.Misconfigured):
        needs_operator(Private(""), fine)


def test_a_refusal_is_plain_json() -> None:
    answer = refusal(errors.Forbidden("you may not"))
    assert answer.body is not None
    assert (answer.status, answer.content_type) == (403, "application/json")
