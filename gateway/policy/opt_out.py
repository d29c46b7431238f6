"""Whether somebody on a call asks not to be called again: in words, or by a key (promise 31).

Revocation may come by any reasonable means (47 CFR 64.1200(a)(10)), so the words are looked for in every language that is known
here, whichever the call is held in. What stands after a "don't" of its own, or asks about the past, is no request.
"""

from __future__ import annotations

import re
import unicodedata

from gateway.values import Private

OPT_OUT_KEY = "9"
KEY_QUIET_MS = 2_000
"""A key counts alone: nothing was pressed for as long before it, and nothing is for as long after. A 9 in a number is none."""

_US_EN = r"(?:me|us|here|this (?:number|phone|line)|my (?:number|phone|house|home|cell|mobile|wife|husband|mother|father))"
_END_EN = r"(?: again| any ?more| ever(?: again)?| at all| please| thanks?(?: you)?| sir| madam)*"
_NEXT_EN = r"(?=$| (?:i|im|and|or|this|you|we|please|just|okay|ok|because|take|remove|put|or|its|it|goodbye|bye|stop|leave)\b)"
_EN = (
    rf"\b(?:stop|quit|cease) (?:calling|phoning|ringing|contacting|bothering|harassing) {_US_EN}{_END_EN}{_NEXT_EN}",
    r"\b(?:stop|quit) (?:calling|phoning|ringing)(?: please)?$",
    r"\b(?:stop|quit|end) (?:these|the|your|all|all these|all the) (?:\w+ )?calls\b",
    rf"\b(?:do not|dont|never)(?: you)?(?: ever)? (?:call|phone|ring|contact|dial) {_US_EN}{_END_EN}{_NEXT_EN}",
    r"\b(?:do not|dont|never)(?: ever)? (?:call|phone|ring) (?:again|any ?more)\b",
    r"\b(?:remove|take|delete|get|drop|strike|scratch) (?:me|us|my (?:phone )?number|this number|our number|my name|my details)"
    r" (?:from|off|out of) (?:\w+ ){0,4}(?:lists?|database|records|system|files?|directory|register|calls)\b",
    r"\b(?:remove|delete|erase) (?:my|this|our) (?:phone |telephone )?number\b",
    r"\b(?:put|add|place) (?:me|us|my number|this number) (?:on|to) (?:\w+ ){0,2}(?:do not call|no call|dnc)\b",
    r"\bopt (?:me )?out\b(?! of (?:the|a|an|my) (?:plan|paper|meeting|room))",
    r"\bunsubscribe\b",
    r"\blose my number\b",
    r"\b(?:i|we) (?:do not|dont) want (?:any |any more |more |these |your |to get |to receive )*(?:phone )?calls\b",
    r"\b(?:i|we) (?:do not|dont) (?:want|wish) (?:you )?to (?:call|be called|be contacted|contact)"
    r" ?(?:me|us)? ?(?:again|any ?more|ever)",
    r"\bno more (?:phone )?calls\b",
)
_ES = (
    r"\b(?:no|nunca|jamas) (?:me |nos )?vuelv(?:a|as|an) a (?:llamar|contactar)(?:me|nos)?\b",
    r"\bno (?:me|nos) (?:llame|llames|llamen|contacte|contacten)(?: mas| nunca mas| otra vez| de nuevo| nunca)?(?= por favor|$)",
    r"\bno (?:me |nos )?(?:llame|llames|llamen) (?:mas|nunca mas|otra vez|de nuevo)\b",
    r"\bdej(?:e|a|en) de (?:llamar|molestar)(?:me|nos)?\b",
    r"\b(?:quite|elimine|borre|saque|retire)n? (?:por favor )?(?:mi|este|nuestro) numero\b",
    r"\b(?:quite|elimine|borre|saque|retire)n?(?:me|nos) de (?:la|su|sus|esa|esta) (?:lista|base|listas)",
    r"\bno quiero (?:que (?:me|nos) llamen|(?:recibir )?(?:mas |sus )?llamadas)\b",
)
_FR = (
    r"\b(?:arretez|arrete|cessez) de (?:m|nous|me) ?(?:appeler|rappeler|telephoner|contacter|harceler)\b",
    r"\bne (?:m|me|nous) ?(?:appelez|rappelez|appelle|contactez|telephonez) (?:plus|jamais plus)\b",
    r"\b(?:m|me) ?(?:appelez|rappelez|contactez) (?:plus|plus jamais)$",
    r"\b(?:retirez|supprimez|enlevez|effacez)(?: moi|(?: s il vous plait)? (?:mon|ce|notre) numero| mon nom) ?(?:de|du)?\b",
    r"\bje ne (?:veux|souhaite) plus (?:recevoir (?:d|vos|ces|de) ?appels|etre (?:appelee?|contactee?|derangee?)|"
    r"que vous (?:m|me) ?(?:appeliez|contactiez))\b",
    r"\bplus (?:d|aucun) ?appels?\b(?= s il vous plait|$)",
)
_DE = (
    r"\bruf(?:en|t)? (?:sie )?(?:mich|uns|hier|diese nummer|bei mir|bei uns) (?:bitte )?"
    r"(?:nicht mehr|nie wieder|nie mehr|nicht wieder|nicht noch einmal)\b",
    r"\b(?:hoeren|hoer|hoert) (?:sie )?(?:bitte )?(?:damit )?auf (?:mich |uns |hier )?(?:staendig )?anzurufen\b",
    r"\bkeine (?:weiteren )?anrufe mehr\b",
    r"\b(?:loeschen|entfernen|streichen|nehmen) (?:sie )?(?:bitte )?(?:meine|unsere|diese) (?:telefon|handy|ruf)?nummer\b",
    r"\b(?:nehmen|streichen|loeschen) (?:sie )?(?:mich|uns) (?:bitte )?(?:von|aus) (?:der|ihrer|dieser|eurer) (?:\w+)?liste\b",
    r"\b(?:ich|wir) (?:moechten?|will|wollen|wuensche) (?:keine (?:weiteren )?anrufe|nicht (?:mehr|wieder) angerufen werden)\b",
)
_HI = (
    r"(?:कॉल|काल|फोन) (?:मत|न|ना|नहीं) (?:करना|करो|करें|करे|कीजिए|कीजिएगा|कीजिये|करिए|करिएगा)(?! (?:अभी|आज))",
    r"(?:कॉल|काल|फोन) करना (?:बंद|बन्द)",
    r"(?:मेरा|यह|ये|हमारा) (?:फोन |मोबाइल )?(?:नंबर|नम्बर) (?:अपनी |आपकी )?(?:लिस्ट |सूची )?(?:से )?(?:हटा|निकाल|डिलीट|मिटा)",
    r"\b(?:call|phone|fon) (?:mat|na) (?:karna|karo|karen|kare|kijiye|kijiyega|kariye|kariyega)\b",
    r"\b(?:call|phone|fon) karna band\b",
    r"\b(?:mera|yeh|ye|hamara) (?:phone |mobile )?number (?:apni |aapki )?(?:list )?(?:se )?(?:hata|nikal|delete|mita)",
)
PHRASES: dict[str, tuple[re.Pattern[str], ...]] = {
    language: tuple(re.compile(each) for each in phrases)
    for language, phrases in {"en": _EN, "es": _ES, "fr": _FR, "de": _DE, "hi": _HI}.items()
}
"""What people say, by language, over folded words (see ``folded``)."""

_UNSAID = re.compile(
    r"(?:\b(?:dont|do not|didnt|did not|never|wont|will not|not|nicht|pas|no)(?: \w+){0,3}"
    r"|\b(?:did|have|had|when|why did|if) (?:you|they|he|she|we|i)(?: \w+){0,2}) $"
)
"""What stands before words that are no request: "I don't want you to stop calling me", "why did you stop calling me"."""


def asks_to_stop(words: Private[str]) -> bool:
    """Whether these words of the called person ask not to be called again."""
    return words.map(lambda text: language_of_request(text) is not None).reveal()


def language_of_request(text: str) -> str | None:
    """The language in which ``text`` asks not to be called again, or None where it does not."""
    words = folded(text)
    for language, phrases in PHRASES.items():
        for phrase in phrases:
            if any(_UNSAID.search(words[: found.start()]) is None for found in phrase.finditer(words)):
                return language
    return None


class KeyWatch:
    """Whether the key for "do not call again" was pressed alone. Feed it every key, and the time now and then."""

    def __init__(self, key: str = OPT_OUT_KEY, *, quiet_ms: int = KEY_QUIET_MS) -> None:
        self._key = key
        self._quiet_ms = quiet_ms
        self._last_ms: int | None = None
        self._armed = False

    def pressed(self, key: Private[str], at_ms: int) -> None:
        """A key of the called person, at a time that only grows."""
        alone = self._last_ms is None or at_ms - self._last_ms >= self._quiet_ms
        self._armed = alone and key == Private(self._key)
        self._last_ms = at_ms

    def asked(self, at_ms: int) -> bool:
        """Whether by now the key stood alone for long enough. True once."""
        if not self._armed or self._last_ms is None or at_ms - self._last_ms < self._quiet_ms:
            return False
        self._armed = False
        return True

    def ended(self) -> bool:
        """The call is over: a key that nothing followed stood alone."""
        asked, self._armed = self._armed, False
        return asked


def folded(text: str) -> str:
    """Small letters without accents, apostrophes and signs; one space between words. German umlauts become ae, oe, ue."""
    text = text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    kept: list[str] = []
    for sign in unicodedata.normalize("NFD", text):
        if "̀" <= sign <= "ͯ" or sign == "़":
            continue
        if sign in "'’‘ʼ":
            kept.append("'")
        else:
            kept.append(sign if sign.isalnum() or unicodedata.category(sign).startswith("M") else " ")
    words = unicodedata.normalize("NFC", "".join(kept))
    words = re.sub(r"\b(do|did|wo)n't\b", r"\1nt", words)
    return " ".join(words.replace("i'm", "im").replace("it's", "its").replace("'", " ").split())
