"""What a redacted recording still tells: callers over a telephone line, recognised, masked, silenced, and recognised again.

``make bench-recording`` prints for each recording what was said, what a recogniser still hears, how many of the spoken digits
and private words are among it (the goal is none), and how much harmless speech is lost for it. Beside the shipped recordings
it has this machine's voice speak sentences with private words at their beginning, in their middle and at their end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from gateway.adapters.conversation.ears import Listening, StretchCutter
from gateway.adapters.detectors.masker import CallMasker
from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.speech import inside
from gateway.audio import read_wav, resample
from gateway.redaction.audio_spans import HeardSpeech, numbers_in, private_stretches, taken_out
from gateway.values import Pcm, Placeholder, Private

AUDIO = Path(__file__).parents[2] / "gateway" / "demo" / "audio"
SPOKEN = (
    "My card number is four five three two one one eight zero nine six six one two three four five, and I would like to pay now.",
    "You can call me back at five five five two three four nine eight seven six after six in the evening.",
    "Hello, this is Jonathan Miller, I am calling about the delivery that should have come on Monday.",
    "Please send the invoice to forty two Oak Street in Springfield, because the office is closed.",
    "Four five three two, one one eight zero, nine six six one, two three four five is the number of my card.",
    "I have waited for more than two weeks, and my account number is seven seven four one nine two zero three.",
)
NUMBER_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
EAR_HZ = 16_000


class Nowhere:
    """A vault that keeps nothing: the bench has nobody to protect."""

    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        return

    async def recall(self) -> dict[Placeholder, Private[str]]:
        return {}

    async def destroy(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Row:
    """One recording: words before and after, digits spoken and still heard, private words still heard, sound kept."""

    name: str
    said: str
    still_heard: str
    digits: int
    digits_heard: int
    private_words: int
    private_heard: int
    harmless_words: int
    harmless_heard: int
    silenced_share: float


async def measured(name: str, pcm: Pcm, masker: CallMasker) -> Row:
    """The recording as it would be kept, heard once more."""
    line = resample(resample(pcm, 8_000), EAR_HZ)
    whole = np.frombuffer(line.samples + bytes(EAR_HZ * 2), dtype="<i2").copy()
    cutter = StretchCutter(Listening())
    said, private_text, harmless_text, kept = [], [], [], np.zeros(len(whole), dtype=bool)
    for at in range(0, len(whole), 320):
        for stretch in cutter.push(whole[at : at + 320].tobytes(), at * 1000 / EAR_HZ):
            if not stretch.whole:
                continue
            text = await asyncio.to_thread(inside.transcribe, stretch.pcm.samples, EAR_HZ)
            masked = (await masker.mask(Private(text))).text
            found = taken_out(Private(text), masked)
            places = None if found is None else [*found, *numbers_in(Private(text), "en")]
            speech = HeardSpeech(stretch.start_ms, stretch.end_ms, Private(stretch.pcm), Private(text), places)
            hidden = private_stretches(speech)
            kept[int(stretch.start_ms * 16) : int(stretch.end_ms * 16)] = True
            for start, end in hidden:
                kept[int(start * 16) : int(end * 16)] = False
            said.append(text)
            secret = [any(a <= n < b for a, b in places or ()) or places is None for n in range(len(text))]
            private_text.append("".join(sign if hide else " " for sign, hide in zip(text, secret, strict=True)))
            harmless_text.append("".join(" " if hide else sign for sign, hide in zip(text, secret, strict=True)))
    spoken = float(np.mean(kept)) if len(kept) else 0.0
    left = await asyncio.to_thread(inside.transcribe, np.where(kept, whole, 0).astype("<i2").tobytes(), EAR_HZ)
    return _row(name, " ".join(said), " ".join(private_text), " ".join(harmless_text), left, 1 - spoken)


def _row(name: str, said: str, private: str, harmless: str, left: str, silenced: float) -> Row:
    heard, secret, open_ = words(left), words(private), words(harmless)
    return Row(
        name=name,
        said=said,
        still_heard=left,
        digits=sum(word.isdigit() for word in secret),
        digits_heard=sum(word.isdigit() and word not in open_ for word in heard),
        private_words=len(secret),
        private_heard=sum(word in heard and word not in open_ for word in secret),
        harmless_words=len(open_),
        harmless_heard=sum(word in heard for word in open_),
        silenced_share=round(silenced, 2),
    )


def words(text: str) -> list[str]:
    """Words and figures; digits that are said as words are figures too."""
    found = re.findall(r"[a-z']+|\d", text.lower())
    return [str(NUMBER_WORDS.index(word)) if word in NUMBER_WORDS else word for word in found]


async def main_async(*, spoken: bool) -> list[Row]:
    detector = PresidioDetector(workers=1)
    await detector.start()
    try:
        rows = [
            await measured(path.stem, read_wav(path), CallMasker(detector, Nowhere())) for path in sorted(AUDIO.glob("*.wav"))
        ]
        for number, sentence in enumerate(SPOKEN if spoken else (), start=1):
            pcm = Pcm(await asyncio.to_thread(inside.synthesize, sentence, 7), inside.HIBARI_HZ)
            quiet = bytes(inside.HIBARI_HZ)
            pcm = Pcm(quiet + pcm.samples + quiet, pcm.rate)
            rows.append(await measured(f"spoken {number}", pcm, CallMasker(detector, Nowhere())))
        return rows
    finally:
        await detector.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-recording", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    given = parser.parse_args()
    rows = asyncio.run(main_async(spoken=True))
    console = Console(highlight=False, soft_wrap=True)
    if given.json:
        console.print_json(json.dumps([asdict(row) for row in rows]))
        return
    for row in rows:
        console.print(f"{row.name:18} said:  {row.said}\n{'':18} heard: {row.still_heard or '-'}", markup=False)
    lost = sum(row.harmless_words - row.harmless_heard for row in rows)
    console.print(f"\ndigits still heard: {sum(row.digits_heard for row in rows)} of {sum(row.digits for row in rows)}")
    console.print(
        f"private words still heard: {sum(row.private_heard for row in rows)} of {sum(row.private_words for row in rows)}"
    )
    console.print(f"harmless words lost: {lost} of {sum(row.harmless_words for row in rows)}")


if __name__ == "__main__":
    main()
