"""The kinds of value that stand in policy files, each with its check and its sentence for the person who wrote it."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.policy.regions import UNKNOWN, is_region, suggest_region


class Model(BaseModel):
    """A part of a policy file: no unknown keys, unchangeable, and never shows what was written when it is wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


def fault(message: str, hint: str = "") -> PydanticCustomError:
    """A fault in a file: the sentence and how to mend it."""
    return PydanticCustomError("policy", "{message}", {"message": message, "hint": hint})


def _region(value: str) -> str:
    if is_region(value):
        return value
    suggestion = suggest_region(value)
    hint = (
        f"did you mean `{suggestion}`?"
        if suggestion
        else "write local, eu, eea, a country (de, in, us…) or a part of one (in/ap-south-1)"
    )
    raise fault(f"{value[:40]!r} is not a region", hint)


def _known_region(value: str) -> str:
    return value if value == UNKNOWN else _region(value)


REGION_PATTERN = r"^[a-z]{2,3}(/[a-z0-9-]+)*$|^local$"

Region = Annotated[str, AfterValidator(_region), WithJsonSchema({"type": "string", "pattern": REGION_PATTERN})]
"""``local`` (this machine), ``eu``, ``eea``, an ISO 3166 country in lower case, or a part of one: ``in/ap-south-1``."""

ClaimedRegion = Annotated[
    str, AfterValidator(_known_region), WithJsonSchema({"type": "string", "pattern": REGION_PATTERN + "|^unknown$"})
]
"""A region as a sub-processor claims it; ``unknown`` where nobody found it stated, and that passes no policy."""


class Training(StrEnum):
    """What happens to the data at the processor: used to train models or not. Strictest first."""

    PROHIBITED = "prohibited"
    OPT_OUT = "opt-out"
    PERMITTED = "permitted"
    UNKNOWN = "unknown"

    @property
    def laxity(self) -> int:
        """Place in the order from the strictest: 0, 1…"""
        return _TRAINING[self]


_TRAINING = {training: place for place, training in enumerate(Training)}


def _demanded_training(value: Training) -> Training:
    if value is Training.UNKNOWN:
        raise fault("a policy cannot ask for unknown training terms", "write prohibited, opt-out or permitted")
    return value


DemandedTraining = Annotated[
    Training,
    AfterValidator(_demanded_training),
    WithJsonSchema({"type": "string", "enum": ["prohibited", "opt-out", "permitted"]}),
]


class Tls(StrEnum):
    """The least version of TLS that a processor is reached with. Strictest first."""

    V1_3 = "1.3"
    V1_2 = "1.2"

    @property
    def laxity(self) -> int:
        """Place in the order from the strictest: 0, 1…"""
        return _TLS[self]


_TLS = {tls: place for place, tls in enumerate(Tls)}


def _quoted(value: Any) -> Any:
    if isinstance(value, float):
        raise fault("a version of TLS is text, not a number", f'put it in quotes: "{value}"')
    return value


LeastTls = Annotated[Tls, BeforeValidator(_quoted)]


def strictest_tls(*stated: Tls | None) -> Tls | None:
    """The highest of those that are stated, if any is."""
    return min((each for each in stated if each is not None), key=_TLS.__getitem__, default=None)


class Mask(StrEnum):
    """What becomes of a private value on its way to a processor. Strictest first."""

    DROP = "drop"
    CATEGORY = "category"
    PSEUDONYM = "pseudonym"
    SURROGATE = "surrogate"
    LAST4 = "last4"
    KEEP = "keep"

    @property
    def laxity(self) -> int:
        """Place in the order from the strictest: 0, 1…"""
        return _MASKS[self]


_MASKS = {mask: place for place, mask in enumerate(Mask)}


class Unknown(StrEnum):
    """What becomes of personal data in an answer that nobody gave the model: strictest first."""

    DROP = "drop"
    """The sentence is left out."""
    MASK = "mask"
    """Its kind stands in its place: ``(phone number)``."""
    PASS = "pass"  # noqa: S105  (no secret: data passes)
    """Nobody looks, and nothing waits."""

    @property
    def laxity(self) -> int:
        """Place in the order from the strictest: 0, 1…"""
        return tuple(Unknown).index(self)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(0|[1-9][0-9]{0,5})([smhd])", value) if isinstance(value, str) else None
    if match is None:
        raise fault("this is not a duration", "write a whole number and a unit: 0s, 90s, 15m, 24h or 30d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _shown_duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit = next((unit for unit in "dhm" if seconds and seconds % _UNITS[unit] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_shown_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^(0|[1-9][0-9]{0,5})[smhd]$"}),
]
"""``30d``, ``24h``, ``15m``, ``0s``: how long something is kept."""


def _matching(pattern: str, message: str, hint: str) -> Any:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise fault(message, hint)
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


_slug = _matching(
    "[a-z0-9][a-z0-9-]{0,62}", "this is not a name we can use", "use small letters, digits and hyphens, 63 at most: acme-eu"
)
_secret = _matching(
    "[A-Z][A-Z0-9_]{1,63}",
    "this is not the name of a secret",
    "write the name of an environment variable or secret file (OPENAI_API_KEY), and never the secret itself",
)
_e164 = _matching(
    r"\+[1-9][0-9]{6,14}", "this is not a phone number in E.164 form", "write + and the country code, digits only: +15550100"
)
_entity = _matching(
    "default|[A-Z][A-Z0-9_]{1,40}", "this is not a kind of personal data", "write default, or a kind: PERSON, CREDIT_CARD…"
)
_language = _matching(
    "[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", "this is not a language tag", "write a BCP 47 tag: en, de, pt-BR"
)
_asset = _matching(
    "[a-z0-9][a-z0-9._-]{0,80}\\.wav",
    "this is not the name of an announcement's audio",
    "name a WAV file in announcements/: notice.en.wav",
)
_dotted = _matching(
    r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*",
    "this is not the path of an agent",
    "write module:Class, as in agents.receptionist:Receptionist, or a mapping: {instructions: …, greeting: …}",
)
_account = _matching(
    "AC[0-9a-f]{32}", "this is not a Twilio account", "it is AC and 32 hexadecimal digits, and stands on Twilio's console"
)
_setting = _matching(
    r"[a-z_]+(\.[A-Za-z0-9_]+)?",
    "this is not the name of a setting",
    "write it as it stands in the file: training, masking.CVV, retention.audio",
)


def _unsigned(value: Any) -> Any:
    """YAML reads digits without their + as a number; what is meant is the whole number with it."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Slug = Annotated[str, *_slug]
SettingName = Annotated[str, *_setting]
SecretName = Annotated[str, *_secret]
E164 = Annotated[str, BeforeValidator(_unsigned), *_e164]
EntityKey = Annotated[str, *_entity]
Language = Annotated[str, *_language]
Asset = Annotated[str, *_asset]
DottedPath = Annotated[str, *_dotted]
TwilioAccount = Annotated[str, *_account]


def _text(value: str) -> str:
    if not value.strip():
        raise fault("this is empty", "write it out, or remove the line")
    if len(value) > 2000:
        raise fault("this is longer than 2000 characters", "shorten it")
    return value


Text = Annotated[str, AfterValidator(_text), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 2000})]
