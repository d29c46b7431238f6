"""Makes the spoken announcements of ``policies/announcements/`` again: ``python -m gateway.demo.make_announcements``.

Each is read by hibari's American English voice with a fixed seed, so the same words give the same file. The announcements of
the index that are not listed here were made with another voice; they are kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import wave
from pathlib import Path
from typing import Any

from hibari import Hibari, write_wav

VOICE = "hibari 0.2.1 heart"
LICENCE = "Apache-2.0 model, generated speech"
TEXTS = {
    "ai-and-privacy.en.wav": (
        "Hello. You are speaking with an automated assistant. "
        "Personal details are removed before any outside company receives your words. This call is not recorded."
    ),
    "apology.en.wav": (
        "I am sorry. Something is not working on our side, so I cannot continue this call safely. "
        "Please call again later. Goodbye."
    ),
    "ai.en.wav": "Hello. You are speaking with an automated assistant.",
    "refused.en.wav": "I am sorry. This call cannot be continued. Goodbye.",
    "declined.en.wav": "All right. Without your agreement I cannot go on with this call. Goodbye.",
    "child.en.wav": "I am sorry. I may not talk with children by myself. Please ask a grown-up to call us. Goodbye.",
    "transfer.en.wav": "All right. I am connecting you to a person now. Please stay on the line.",
    "restricted.en.wav": (
        "I am sorry. For this number we may only store data and not use it, so this call cannot be continued. Goodbye."
    ),
    "payment-number.en.wav": (
        "Please do not say your card number. Key it in on your telephone, and then press the hash key. "
        "I cannot hear you meanwhile."
    ),
    "payment-expiry.en.wav": "Please key in the month and year in which the card expires, and then press the hash key.",
    "payment-code.en.wav": (
        "Please do not say the security code of your card. Key it in on your telephone, and then press the hash key. "
        "I cannot hear you meanwhile."
    ),
    "payment-more.en.wav": "Please key in the next piece of your card details, and then press the hash key.",
    "payment-accepted.en.wav": "Thank you. Your card details were accepted. I can hear you again.",
    "payment-declined.en.wav": "I am sorry. Your card was not accepted. I can hear you again.",
    "payment-failed.en.wav": "I am sorry. Card details cannot be taken at the moment. I can hear you again.",
    "payment-overdue.en.wav": "I am sorry. Your card details could not be taken, so I have to end this call. Goodbye.",
    "nobody.en.wav": "All right. Nobody can take this call in person at the moment. Please call us again later. Goodbye.",
}

BEGINNINGS = {
    "ai.es.wav": ("recording-and-ai.es.wav", 2930),
    "ai.fr.wav": ("recording-and-ai.fr.wav", 3520),
    "ai.hi.wav": ("recording-and-ai.hi.wav", 3790),
    "ai.it.wav": ("recording-and-ai.it.wav", 3300),
    "ai.pt.wav": ("recording-and-ai.pt.wav", 3085),
}
"""What is the beginning of another one: its first two sentences, to the middle of the silence after them (ms)."""


def facts(folder: Path, known: dict[str, Any]) -> dict[str, Any]:
    """An index entry with what a listener can check: the length in ms and the digest of the whole file."""
    path = folder / str(known["file"])
    with wave.open(str(path), "rb") as audio:
        ms = round(audio.getnframes() / audio.getframerate() * 1000)
    return {**known, "ms": ms, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def make(folder: Path) -> None:
    """Write the WAV files (16 bit, mono) and their entries in ``index.json``."""
    voice = Hibari(voice="heart")
    index = folder / "index.json"
    entries = json.loads(index.read_text("utf-8")) if index.exists() else []
    kept = [entry for entry in entries if entry["file"] not in {**TEXTS, **BEGINNINGS}]
    whole = {str(entry["file"]): entry for entry in entries}
    made = [_beginning(folder, name, whole[of], ms) for name, (of, ms) in BEGINNINGS.items() if of in whole]
    for name, text in TEXTS.items():
        write_wav(str(folder / name), voice(text, seed=0))
        made.append({"file": name, "language": "en", "text": text, "voice": VOICE, "licence": LICENCE})
    listed = [facts(folder, entry) for entry in (*kept, *made)]
    index.write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _beginning(folder: Path, name: str, known: dict[str, Any], ms: int) -> dict[str, Any]:
    with wave.open(str(folder / known["file"]), "rb") as audio, wave.open(str(folder / name), "wb") as cut:
        cut.setparams(audio.getparams())
        cut.writeframes(audio.readframes(audio.getframerate() * ms // 1000))
    sentences = re.findall(r".+?[.।]", str(known["text"]))
    return {**known, "file": name, "text": "".join(sentences[:2])}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--into", type=Path, default=Path("policies/announcements"), help="the folder of the announcements")
    make(parser.parse_args().into)


if __name__ == "__main__":
    main()
