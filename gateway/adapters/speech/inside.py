"""What runs inside the speech workers, in a process of its own: the models, and nothing that talks to anybody.

A worker answers with plain values. It writes nothing to the terminal, to a log or to the disk, reaches no network, and ends
when its parent does.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
from functools import cache
from typing import Any

import numpy as np
import webrtcvad

from gateway.adapters.speech.cutting import Samples, pieces

_NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"})
_POLITE = 10
"""Audio frames of running calls come first on a busy machine."""
_SILENT_BELOW = 0.004
_BREATH_MS = 40
_PAUSE_MS = 180
_VAD_HZ = 16_000
_VAD_FRAME = _VAD_HZ // 50
_VAD_STRICTNESS = 2
_VOICED_FRAMES = 3
HIBARI_HZ = 24_000


def settle() -> None:
    """The worker's first act: no core dumps, no output, no network, no interrupt meant for the parent, no life after it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_POLITE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    logging.disable(logging.CRITICAL)
    sys.addaudithook(_refuse_network)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()


def _refuse_network(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _NETWORK:
        raise PermissionError("a speech worker reaches no network")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


@cache
def _moonshine() -> Any:
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber
    from moonshine_voice.utils import get_model_path

    # Its own voice detector cuts between the digits of a number and harms the words at the cut ("For nine, eight"), so it is
    # off (0): a stretch of ours is heard whole. Digits are many tokens: at the default bound (6.5 a second) the end of a card
    # number that is said quickly would be lost.
    options = {"vad_threshold": 0, "max_tokens_per_second": 13, "return_audio_data": "false"}
    return Transcriber(str(get_model_path("tiny-en")), ModelArch.TINY, options=options)


@cache
def _hibari() -> Any:
    from hibari import Hibari

    return Hibari(voice="heart", threads=1)


def warm_moonshine() -> None:
    """Load, and hear one second of nothing."""
    _moonshine().transcribe_without_streaming([0.0] * _VAD_HZ, _VAD_HZ)


def warm_hibari() -> None:
    """Load, and say one word."""
    _hibari()("Ready.", seed=0)


def transcribe(samples: bytes, rate: int) -> str:
    """16-bit mono audio to one line of text; nothing is said when nothing was."""
    audio = np.frombuffer(samples, dtype="<i2").astype(np.float32) / np.float32(32768)
    if not _has_voice(audio, rate):
        return ""
    lines = (line.text for piece in pieces(audio, rate) for line in _moonshine().transcribe_without_streaming(piece, rate).lines)
    return " ".join(text.strip() for text in lines if text.strip())


def _has_voice(audio: Samples, rate: int) -> bool:
    """Whether there is any voice at all: of silence the model makes words ("You")."""
    length = int(len(audio) * _VAD_HZ / rate)
    if length < _VAD_FRAME:
        return False
    heard = np.interp(np.arange(length) * (rate / _VAD_HZ), np.arange(len(audio)), audio)
    frames = (np.clip(heard, -1, 1) * 32767).astype("<i2")[: length // _VAD_FRAME * _VAD_FRAME].reshape(-1, _VAD_FRAME)
    vad = webrtcvad.Vad(_VAD_STRICTNESS)
    voiced = 0
    for frame in frames:
        voiced += vad.is_speech(frame.tobytes(), _VAD_HZ)
        if voiced >= _VOICED_FRAMES:
            return True
    return False


def synthesize(sentence: str, seed: int | None = None) -> bytes:
    """One sentence to 16-bit mono audio at ``HIBARI_HZ``, without the long silence that hibari leaves around it.

    The same words and seed make the same audio.
    """
    audio = trimmed(_hibari()(sentence, seed=seed), HIBARI_HZ)
    return bytes((np.clip(audio, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


def trimmed(audio: Samples, rate: int) -> Samples:
    """Speech with a breath of silence before it and a pause after it; what is silent throughout stays as it is.

    hibari begins with 0.3 s of silence and ends with half a second: the caller would wait for it in every sentence.
    """
    loud = np.flatnonzero(np.abs(audio) > _SILENT_BELOW)
    if not len(loud):
        return audio
    first = max(0, int(loud[0]) - rate * _BREATH_MS // 1000)
    last = min(len(audio), int(loud[-1]) + rate * _PAUSE_MS // 1000)
    return audio[first:last]
