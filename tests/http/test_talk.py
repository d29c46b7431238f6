"""The page to call from: it asks nobody but this gateway, runs nothing that does not stand here, and keeps no token."""

from __future__ import annotations

import re

import pytest

from gateway.http.talk import talk_routes
from tests.http.listening import serving

FILES = [("/talk", "text/html"), ("/talk.css", "text/css"), ("/talk.js", "text/javascript"), ("/talk.svg", "image/svg+xml")]


@pytest.mark.parametrize(("path", "kind"), FILES)
async def test_its_files_are_served_so_that_nothing_foreign_can_run_in_them(path: str, kind: str) -> None:
    async with serving(talk_routes()) as client, client.get(path) as answer:
        assert (answer.status, answer.content_type, answer.charset) == (200, kind, "utf-8")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "microphone=(self)" in answer.headers["Permissions-Policy"]


async def test_the_page_obeys_its_own_policy() -> None:
    """No script or style stands in it, and every file that it names is served here, but for the public list."""
    async with serving(talk_routes()) as client:
        async with client.get("/talk") as answer:
            page = await answer.text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:|https?://", page)
        for path in set(re.findall(r'(?:src|href)="([^"#]+)"', page)) - {"/subprocessors"}:
            async with client.get(path) as answer:
                assert answer.status == 200, path


async def test_the_page_keeps_its_token_nowhere() -> None:
    """Not in the address, not in the tab's storage, not in a cookie."""
    async with serving(talk_routes()) as client, client.get("/talk.js") as answer:
        script = await answer.text()
    assert "history.replaceState" in script
    assert not re.search(r"sessionStorage|localStorage|document\.cookie|indexedDB|innerHTML|eval\(", script)
