"""Whether somebody on a call takes back their agreement to be recorded, in words (promise 13: at any time, as easily as given).

Looked for in every language that is known here, whichever the call is held in. A question about recording is none, and neither
is a request about somebody else's recording.
"""

from __future__ import annotations

import re

from gateway.policy.opt_out import folded
from gateway.values import Private

_CALL_EN = r"(?:me|us|this|it|the call|this call|our call|my voice|what i say|this conversation|the conversation|now|please)"
_EN = (
    rf"\b(?:stop|quit|end|cease|turn off|switch off|pause) (?:the |this |your |that |my )?record(?:ing|ings"
    rf"|er)?(?: {_CALL_EN})?\b",
    r"\b(?:stop|quit|cease) (?:taping|recording)\b",
    rf"\b(?:do not|dont|never)(?: you)? (?:dare )?(?:record|tape) {_CALL_EN}\b",
    r"\b(?:i|we) (?:(?:really |still |also )?(?:do not|dont|no longer|did not|didnt|never)) (?:want|wish|like|agree"
    r"|consent|agreed?"
    r"|consented)(?: for)?(?: (?:to|you to|this|this to|that|it|it to|the call|the call to))?(?: (?:be|being|get|have))?"
    r"(?: (?:me|this|this call|the call|it))?(?: being)? (?:record(?:ed|ing)?|taped)\b",
    r"\b(?:i|we)(?: would| d|d)? (?:rather|prefer) (?:not (?:be|to be|being|have this|have this call)|you (?:did not"
    r"|didnt)) record(?:ed)?\b",
    r"\b(?:i|we) (?:withdraw|revoke|take back|cancel|retract) (?:my|our|the) (?:consent|permission|agreement)\b",
    r"\b(?:i|we) (?:object|am opposed|are opposed|refuse|decline) to (?:(?:the|this|being|be|your|any) )*record(?:ing|ed)?\b",
    r"\bno (?:more )?recording(?: please)?$",
    r"\boff the record please\b",
    r"\b(?:delete|erase) (?:the|this|that|my) recording\b",
)
_ES = (
    r"\b(?:deje|deja|dejen|pare|para|paren|detenga|detengan|apague|apaga|apaguen) (?:de grabar(?:me|nos|la|lo)?"
    r"|la grabacion|esta grabacion)\b",
    r"\bno (?:me |nos |lo |la )?(?:grabe|grabes|graben)\b",
    r"\bno (?:quiero|queremos|deseo|acepto|autorizo) (?:que (?:me|nos|se|esto se)? ?(?:grabe|graben)(?: \w+)?|ser grabad[oa]s?"
    r"|(?:la|esta) grabacion|que esto se grabe|que se grabe)\b",
    r"\b(?:retiro|revoco) mi (?:consentimiento|permiso|autorizacion)\b",
)
_FR = (
    r"\b(?:arretez|arrete|cessez|coupez|stoppez) (?:de (?:m |nous |me )?enregistrer|l enregistrement|cet enregistrement)\b",
    r"\bne (?:m|nous|me) ?enregistrez pas\b|\bn enregistrez (?:pas|plus)\b",
    r"\bje (?:ne )?(?:veux|souhaite|desire|accepte) (?:pas|plus) (?:etre enregistree?|(?:que (?:vous )?(?:m|cet appel"
    r"|l appel|je) ?"
    r"(?:soit |sois )?enregistr(?:iez|ee?))|d etre enregistree?|l enregistrement)",
    r"\bje (?:retire|revoque) mon (?:consentement|accord)\b",
)
_DE = (
    r"\b(?:hoeren|hoer|hoert) (?:sie )?(?:bitte )?auf (?:mich |das |dieses gespraech |das gespraech )?aufzunehmen\b",
    r"\b(?:stoppen|stopp|beenden|stellen|schalten|schalt) (?:sie )?(?:bitte )?(?:die|diese) (?:aufnahme"
    r"|aufzeichnung)(?: (?:ab|aus|ein))?\b",
    r"\b(?:aufnahme|aufzeichnung) (?:bitte )?(?:stoppen|beenden|ausschalten|abschalten)\b",
    r"\b(?:nehmen|nimm|zeichnen|zeichne) (?:sie )?(?:mich|das|uns|dieses gespraech"
    r"|das gespraech) (?:bitte )?nicht (?:mehr )?auf\b",
    r"\b(?:ich|wir) (?:moechten?|will|wollen|wuensche) (?:bitte )?nicht (?:mehr )?(?:aufgenommen|aufgezeichnet) werden\b",
    r"\b(?:ich|wir) (?:moechten?|will|wollen) (?:bitte )?(?:keine (?:aufnahme|aufzeichnung)"
    r"|nicht dass (?:\w+ ){1,4}(?:aufgenommen|aufgezeichnet) wird)\b",
    r"\b(?:ich )?(?:widerrufe|ziehe) (?:ich )?meine (?:einwilligung|zustimmung)\b",
    r"\bich bin (?:mit der (?:aufnahme|aufzeichnung) nicht|nicht mit der (?:aufnahme|aufzeichnung)) einverstanden\b",
)
_HI = (
    r"(?:रिकॉर्डिंग|रिकार्डिंग|रिकॉर्ड) (?:करना )?(?:बंद|बन्द|रोक)",
    r"(?:रिकॉर्ड|रिकार्ड) (?:मत|न|ना) (?:करना|करो|करें|करे|कीजिए|कीजिएगा|कीजिये|करिए)",
    r"(?:रिकॉर्डिंग|रिकार्डिंग|रिकॉर्ड) (?:होना |करवाना |कराना )?नहीं चाह",
    r"\brecord(?:ing)? (?:karna )?(?:band|bandh|rok)\b",
    r"\brecord (?:mat|na) (?:karna|karo|karen|kare|kijiye|kijiyega|kariye)\b",
    r"\brecord(?:ing)? (?:hona |karwana |karana )?nahin? chah",
)
_IT = (
    r"\b(?:smetta|smetti|smettete|smettetela) di registrar(?:mi|ci|e|la|lo)\b",
    r"\b(?:fermi|ferma|fermate|interrompa|interrompi|interrompete|spenga|spegni) (?:la|questa) registrazione\b",
    r"\bnon (?:mi |ci |lo |la )?(?:registri|registrate|registrare|registrarmi)\b",
    r"\bnon (?:voglio|desidero|vogliamo|accetto) (?:piu )?(?:di )?(?:essere registrat[oaie]"
    r"|che (?:mi )?(?:registriate|registri|venga registrat[oa])|la registrazione)\b",
    r"\b(?:ritiro|revoco) il (?:mio )?consenso\b",
)
_PT = (
    r"\b(?:pare|parem|para|deixe|deixem) de (?:me )?gravar\b|\b(?:pare|parem|interrompa|desligue) (?:a|esta|essa) gravacao\b",
    r"\bnao (?:me |nos |a )?(?:grave|gravem|grava)\b",
    r"\bnao (?:quero|queremos|desejo|aceito|autorizo) (?:mais )?(?:ser gravad[oa]s?|que (?:me |nos )?(?:grave|gravem)"
    r"|(?:a|esta) gravacao|que (?:\w+ ){1,3}seja gravad[oa])\b",
    r"\b(?:retiro|revogo) (?:o )?(?:meu )?consentimento\b",
)
PHRASES: dict[str, tuple[re.Pattern[str], ...]] = {
    language: tuple(re.compile(each) for each in phrases)
    for language, phrases in {"en": _EN, "es": _ES, "fr": _FR, "de": _DE, "hi": _HI, "it": _IT, "pt": _PT}.items()
}
"""What people say, by language, over folded words (``gateway.policy.opt_out.folded``)."""

_ABOUT = re.compile(
    r"record|tap(?:e|ing)|grab|grav|aufn|aufzu|aufge|nehm|nimm|zeichn|registr|consen|permi|agreement|autoriz|accord|einwillig|zustimm"
    r"|रिकॉर्ड|रिकार्ड"
)
"""One of these stands in every phrase: a turn without any is read no further."""
_UNSAID = re.compile(
    r"(?:\b(?:dont|do not|didnt|did not|never|not need to|no need to|when|after|before|if|why|how|can i|how do i"
    r"|does it|did it)"
    r"(?: \w+){0,3}|\b(?:did|have|had|do|does|will|would|can|when|why did|if) (?:they|he|she|it|the police"
    r"|my \w+)(?: \w+){0,2}) $"
)
"""What stands before words that are no request: "you don't have to stop recording", "if I stop the recording"."""


def withdraws(words: Private[str]) -> bool:
    """Whether these words of a caller ask for the recording to stop."""
    return words.map(lambda text: language_of_withdrawal(text) is not None).reveal()


def language_of_withdrawal(text: str) -> str | None:
    """The language in which ``text`` takes back the agreement to be recorded, or None where it does not."""
    plain = folded(text)
    if _ABOUT.search(plain) is None:
        return None
    for language, phrases in PHRASES.items():
        for phrase in phrases:
            if any(_UNSAID.search(plain[: found.start()]) is None for found in phrase.finditer(plain)):
                return language
    return None
