"""What a caller's answer means: yes, no, or neither. Phrases in seven languages, nothing that learns.

A yes must be plain: beside a question, a doubt or a no it counts as unclear, and the call asks once more. So what is misheard
costs a repetition and gives no consent that nobody gave (GDPR art. 4(11): unambiguous).
"""

from __future__ import annotations

import re
from enum import StrEnum

from gateway.policy.opt_out import folded
from gateway.values import Private

LONGEST_ANSWER = 14
"""Words. Whoever says more tells a story, and no yes is taken out of a story."""


class Meaning(StrEnum):
    """What was meant by an answer."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


_YES = {
    "en": r"yes|yeah|yep|yup|yea|ya|aye|sure|certainly|absolutely|definitely|of course|ok|okay|alright|all right|fine|agreed"
    r"|i (?:do )?(?:agree|accept|consent)|i do(?! not)|go ahead|no problem|no worries|not at all a problem"
    r"|i (?:do not|dont) mind"
    r"|that is fine|thats fine|you may|correct",
    "es": r"si|sip|claro(?: que si)?|por supuesto|de acuerdo|vale|acepto|esta bien|conforme|dale|ok|como no"
    r"|no hay problema|afirmativo",
    "fr": r"oui|ouais|ouaip|d accord|bien sur|absolument|certainement|j accepte|je suis d accord|entendu|ok|allez y|volontiers"
    r"|pas de probleme|ca marche",
    "de": r"ja|jawohl|jo|jep|klar|natuerlich|selbstverstaendlich|gerne?|einverstanden|okay|ok|in ordnung|(?:ich )?stimme zu"
    r"|bin einverstanden|kein problem|passt|genau|na klar|aber sicher",
    "hi": r"हाँ|हां|हा|जी|जी हाँ|जी हां|ठीक है|ठीक|बिल्कुल|बिलकुल|मंजूर है|मंज़ूर है|सहमत हूँ|सहमत हूं|हाँ जी|हां जी"
    r"|कोई बात नहीं"
    r"|haan?|haan ji|ha ji|ji|ji haan?|theek hai|thik hai|bilkul|manzoor hai|sahmat hoon|koi baat nahi",
    "it": r"si|certo|certamente|certo che si|d accordo|va bene|accetto|acconsento|sono d accordo|ok|nessun problema"
    r"|volentieri|come no",
    "pt": r"sim|claro(?: que sim)?|com certeza|de acordo|concordo|aceito|tudo bem|esta bem|ta bom|pode ser|ok"
    r"|sem problema|isso",
}
_NO = {
    "en": r"no|nope|nah|naw|never|negative|no way|no thanks|no thank you|not (?:really|at all|okay|ok|fine|agreed?|now)"
    r"|(?:i )?(?:would )?rather not|(?:i )?(?:do not|dont|cannot|cant|will not|wont) (?:agree|accept|consent|want|wish|like)"
    r"(?: (?:to|that|it|this))?|(?:i )?(?:refuse|decline|disagree|object)|i do mind|please (?:do not|dont)",
    "es": r"no|nunca|jamas|para nada|de ninguna manera|no gracias|no acepto|no quiero|no estoy de acuerdo|rechazo"
    r"|mejor no|negativo",
    "fr": r"non|jamais|pas du tout|non merci|je refuse|je n accepte pas|je ne suis pas d accord|je ne veux pas|pas d accord"
    r"|surtout pas|absolument pas|certainement pas|bien sur que non",
    "de": r"nein|nee|ne|noe|niemals|auf keinen fall|lieber nicht|nein danke|(?:bin )?(?:ich )?nicht einverstanden"
    r"|(?:ich )?stimme (?:dem )?nicht zu|(?:ich )?(?:moechte|will) (?:das )?nicht|ich lehne (?:das )?ab"
    r"|natuerlich nicht|bitte nicht",
    "hi": r"नहीं|नही|ना|जी नहीं|मत|बिल्कुल नहीं|बिलकुल नहीं|मंजूर नहीं|सहमत नहीं|नहीं चाहिए"
    r"|nahi|nahin|naa?|ji nahi|ji nahin|mat|bilkul nahi|manzoor nahi|sahmat nahi|nahi chahiye",
    "it": r"no|mai|no grazie|assolutamente no|certo che no|non accetto|non voglio|non sono d accordo|rifiuto|meglio di no"
    r"|per niente|non acconsento",
    "pt": r"nao|nunca|jamais|de jeito nenhum|nao obrigad[oa]|nao aceito|nao quero|nao concordo|recuso|melhor nao|claro que nao",
}
_DOUBT = {
    "en": r"but|although|unless|if|depends|maybe|perhaps|what|why|who|how|which|where|pardon|sorry|repeat|again"
    r"|again please|huh"
    r"|not sure|guess|suppose|think|later|wait|hold on|already",
    "es": r"pero|aunque|si no|depende|quizas?|tal vez|que|por que|quien|como|cual|perdon|repita|repetir|espere|luego"
    r"|no se|creo",
    "fr": r"mais|sauf|si|depend|peut etre|quoi|pourquoi|qui|comment|quel|pardon|repeter|repetez|attendez|plus tard"
    r"|je ne sais pas|je crois",
    "de": r"aber|ausser|wenn|falls|vielleicht|was|warum|wieso|wer|wie|welche[rs]?|wiederholen|nochmal|moment|spaeter"
    r"|weiss nicht"
    r"|glaube|kommt darauf an|kommt drauf an",
    "hi": r"लेकिन|मगर|पर|अगर|शायद|क्या|क्यों|कौन|कैसे|फिर|दोबारा|रुकिए|पता नहीं"
    r"|lekin|magar|agar|shayad|kya|kyon?|kyun|kaun|kaise|dobara|rukiye|pata nahi",
    "it": r"ma|pero|se|dipende|forse|cosa|che cosa|perche|chi|come|quale|scusi|ripeta|ripetere|aspetti|dopo|non so|credo",
    "pt": r"mas|se|depende|talvez|o que|por que|quem|como|qual|desculpe|repita|repetir|espere|depois|nao sei|acho",
}
LANGUAGES = tuple(_YES)
_DOUBTFUL = "doubt"


def _alternatives(table: str) -> list[str]:
    """The phrases of a table: cut at the bars that stand in no group."""
    parts, depth = [""], 0
    for sign in table:
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _compiled(language: str) -> re.Pattern[str]:
    """One pattern in which longer phrases go first, so that "no problem" is no "no". The name of the group is the meaning."""
    said = [
        (phrase if phrase.isascii() else folded(phrase), meaning)
        for meaning, table in ((Meaning.NO, _NO), (Meaning.YES, _YES), (_DOUBTFUL, _DOUBT))
        for phrase in _alternatives(table[language])
    ]
    groups = [
        f"(?P<{meaning}{number}>{phrase})"
        for number, (phrase, meaning) in enumerate(sorted(said, key=lambda each: len(each[0]), reverse=True))
    ]
    # A word ends where a space or the text ends: Devanagari's vowel signs are no word characters.
    return re.compile(rf"(?<!\S)(?:{'|'.join(groups)})(?!\S)")


_PATTERNS = {language: _compiled(language) for language in LANGUAGES}


def meaning_of(words: Private[str], language: str) -> Meaning:
    """What these words of a caller answer. ``language``: the announcement's; English is understood beside it."""
    return words.map(lambda text: read(text, language)).reveal()


def read(text: str, language: str) -> Meaning:
    """The same for a text that is not private. A language that is not known here is read as English."""
    plain = folded(text)
    if not plain or len(plain.split()) > LONGEST_ANSWER:
        return Meaning.UNCLEAR
    own = language.lower().replace("_", "-").split("-")[0]
    for each in dict.fromkeys((own if own in LANGUAGES else "en", "en")):
        said = {str(found.lastgroup).rstrip("0123456789") for found in _PATTERNS[each].finditer(plain)}
        if said:
            return _joined(said)
    return Meaning.UNCLEAR


def _joined(said: set[str]) -> Meaning:
    if Meaning.NO in said:
        return Meaning.UNCLEAR if Meaning.YES in said else Meaning.NO
    return Meaning.YES if said == {Meaning.YES} else Meaning.UNCLEAR
