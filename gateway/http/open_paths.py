"""Paths that no right of ours guards: for everybody, or behind another proof. The other half of ``access.py``'s table."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.http.rule import Open, Reach, Rule

_PUBLIC = Reach.SELF
OTHERS: Mapping[tuple[str, str], Rule] = {
    ("GET", "/"): Rule(Open.PUBLIC, _PUBLIC, "The console: a page without data.", gives="text/html"),
    ("GET", "/console.css"): Rule(Open.PUBLIC, _PUBLIC, "The console's look.", gives="text/css"),
    ("GET", "/console.js"): Rule(Open.PUBLIC, _PUBLIC, "The console's program.", gives="text/javascript"),
    ("GET", "/talk"): Rule(Open.PUBLIC, _PUBLIC, "A page to call from.", gives="text/html"),
    ("GET", "/talk.css"): Rule(Open.PUBLIC, _PUBLIC, "Its look.", gives="text/css"),
    ("GET", "/talk.js"): Rule(Open.PUBLIC, _PUBLIC, "Its program.", gives="text/javascript"),
    ("GET", "/talk.svg"): Rule(Open.PUBLIC, _PUBLIC, "Its picture.", gives="image/svg+xml"),
    ("GET", "/healthz"): Rule(Open.PUBLIC, _PUBLIC, "Whether the gateway is alive."),
    ("GET", "/readyz"): Rule(Open.PUBLIC, _PUBLIC, "Whether it can serve; reasons if not."),
    ("GET", "/metrics"): Rule(Open.PUBLIC, _PUBLIC, "Prometheus metrics, no private data.", gives="text/plain"),
    ("GET", "/openapi.json"): Rule(Open.PUBLIC, _PUBLIC, "This document."),
    ("GET", "/signin"): Rule(Open.SIGN_IN, _PUBLIC, "To the identity provider.", gives="text/html", status=302),
    ("GET", "/signin/offered"): Rule(Open.PUBLIC, _PUBLIC, "Whether people can sign in; 404 if not."),
    ("GET", "/signin/callback"): Rule(Open.SIGN_IN, _PUBLIC, "Back from it, into a session.", gives="text/html", status=303),
    ("POST", "/signout"): Rule(Open.SIGN_IN, _PUBLIC, "End one's session."),
    ("GET", "/subprocessors"): Rule(Open.PUBLIC, _PUBLIC, "The public list of sub-processors.", gives="text/html"),
    ("GET", "/subprocessors.json"): Rule(Open.PUBLIC, _PUBLIC, "The same for programs."),
    ("POST", "/v1/chat/completions"): Rule(Open.TENANT_KEY, Reach.SELF, "OpenAI's chat completions."),
    ("POST", "/openai/v1/chat/completions"): Rule(Open.TENANT_KEY, Reach.SELF, "The same, as Azure's clients ask."),
    ("POST", "/openai/deployments/{model}/chat/completions"): Rule(Open.TENANT_KEY, Reach.SELF, "The same, by deployment."),
    ("GET", "/v1/models"): Rule(Open.TENANT_KEY, Reach.SELF, "Models that the tenant's policy permits."),
    ("GET", "/v1/models/{model}"): Rule(Open.TENANT_KEY, Reach.SELF, "One of them."),
    ("POST", "/v1/messages"): Rule(Open.TENANT_KEY, Reach.SELF, "Anthropic's messages."),
    ("POST", "/v1/audio/transcriptions"): Rule(Open.TENANT_KEY, Reach.SELF, "OpenAI's transcriptions."),
    ("POST", "/v1/audio/speech"): Rule(Open.TENANT_KEY, Reach.SELF, "OpenAI's speech.", gives="audio/*"),
    ("POST", "/webrtc/token"): Rule(Open.TENANT_KEY, Reach.SELF, "A token for one call from a page."),
    ("POST", "/webrtc/offer"): Rule(Open.PAGE_TOKEN, Reach.SELF, "An offer in, an answer out."),
    ("OPTIONS", "/webrtc/{path}"): Rule(Open.PUBLIC, Reach.SELF, "What a page of another origin may do."),
    ("PATCH", "/webrtc/{session}"): Rule(Open.PAGE_TOKEN, Reach.SELF, "Further candidates of a call's line."),
    ("DELETE", "/webrtc/{session}"): Rule(Open.PAGE_TOKEN, Reach.SELF, "Hang up."),
    ("GET", "/webrtc/{session}/events"): Rule(Open.PAGE_TOKEN, Reach.SELF, "How the call goes.", gives="text/event-stream"),
}
"""Paths beside the control interface: each says what else guards it."""

CARRIERS = ("/voice/", "/media/")
"""Below these every carrier has paths of its own. Each proves itself by its signature, or by a sealed token."""
