"""The schema of ``data.json``, which goes along in every bundle as ``data.schema.json`` (JSON Schema, draft 2020-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.reports.rights_dossier import SCHEMA

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": TEXT}
COUNTS: Schema = {"type": "object", "additionalProperties": COUNT}
TIME: Schema = {"type": "string", "format": "date-time"}
MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}


def _object(members: Mapping[str, Schema], **more: Any) -> Schema:
    """Every member is there; later versions may add others."""
    return {"type": "object", "required": list(members), "properties": dict(members), **more}


def _told(schema: Schema, says: str) -> Schema:
    return {**schema, "description": says}


CONSENT = _object({"at": TIME, "answer": TEXT, "purpose": TEXT, "how": TEXT})
CALL = _object(
    {
        "call": _told(TEXT, "the id of the call"),
        "started": MAYBE_TIME,
        "ended": MAYBE_TIME,
        "duration_ms": COUNT,
        "outcome": _told(MAYBE_TEXT, "completed, never_listened or failed"),
        "carrier": MAYBE_TEXT,
        "direction": MAYBE_TEXT,
        "language": MAYBE_TEXT,
        "policy": _told(MAYBE_TEXT, "SHA-256 of the instructions in force on the call"),
        "announcements": _told(TEXTS, "ids of what was announced to its end"),
        "consents": {"type": "array", "items": CONSENT},
        "masked": _told(COUNTS, "kind of personal detail to how many were replaced"),
        "sent_to": _told(COUNTS, "processor to how often it was sent something"),
        "recorded_ms": COUNT,
        "retention_s": _told(COUNTS, "class of data to the seconds that it was promised to be kept"),
    }
)
RECIPIENT = _object(
    {
        "processor": TEXT,
        "name": _told(TEXT, "the legal name"),
        "country": _told(TEXT, "region, or region/part; local: the company's own machine"),
        "hosts": TEXTS,
        "steps": _told(TEXTS, "stt, llm, tts, …"),
        "purposes": TEXTS,
        "categories": _told(TEXTS, "what kinds of data it got"),
        "about": _told(TEXTS, "what the data spoke of, also where it was masked"),
        "masked": _told({"type": "boolean"}, "whether everything that it got was masked"),
        "mechanisms": _told(TEXTS, "the basis of a transfer"),
        "training": TEXTS,
        "models": TEXTS,
        "calls": COUNT,
        "times": COUNT,
        "first": TIME,
        "last": TIME,
    }
)
FILE = _object({"path": TEXT, "class": TEXT, "of": TEXT, "bytes": COUNT, "sha256": TEXT})

DATA_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "What is kept of one person's calls, and who received it",
    **_object(
        {
            "schema": {"const": SCHEMA},
            "right": {"enum": ["access", "export", "know"]},
            "controller": _told(TEXT, "who is responsible"),
            "subject": _told(TEXT, "the person, as the keyed hash of their number, or of what they said"),
            "case": TEXT,
            "made_at": TIME,
            "identity": _told({"type": "object"}, "how it was checked who asks"),
            "evidence": _object({"entries": COUNT, "head": TEXT}),
            "sources": TEXTS,
            "calls": {"type": "array", "items": CALL},
            "calls_without_evidence": TEXTS,
            "recipients": {"type": "array", "items": RECIPIENT},
            "consents": {"type": "array", "items": CONSENT},
            "not_to_be_called_since": MAYBE_TIME,
            "restricted_since": MAYBE_TIME,
            "masked": COUNTS,
            "retention_s": COUNTS,
            "files": {"type": "array", "items": FILE},
        }
    ),
}
