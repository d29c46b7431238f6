"""End-to-end encryption of a room: media that LiveKit's server carries and cannot hear, by a key that everybody in it has.

Cipher and key derivation are those of LiveKit's own clients (AES-GCM, PBKDF2), so a client needs the same secret and nothing
else: https://docs.livekit.io/transport/encryption/.
"""

from __future__ import annotations

from livekit import rtc

from gateway.errors import PolicyRefused
from gateway.values import Private

MOST_FAILURES = 10
"""Frames that may fail to decrypt before it is said that the key is wrong. LiveKit's default for Python tells it never."""
BROKEN = frozenset(
    {
        rtc.EncryptionState.ENCRYPTION_FAILED,
        rtc.EncryptionState.DECRYPTION_FAILED,
        rtc.EncryptionState.MISSING_KEY,
        rtc.EncryptionState.INTERNAL_ERROR,
    }
)
"""States in which somebody's media cannot be understood: they have another key, or none."""


def room_encryption(key: Private[str]) -> rtc.E2EEOptions:
    """How to join a room whose people all have ``key``."""
    # The secret stays the same for the call: trying 16 keys derived from it, a second for each frame, finds nothing.
    how = rtc.KeyProviderOptions(shared_key=key.reveal().encode(), failure_tolerance=MOST_FAILURES, ratchet_window_size=0)
    return rtc.E2EEOptions(key_provider_options=how)


def is_sealed(publication: rtc.RemoteTrackPublication) -> bool:
    """Whether a track is encrypted. LiveKit's client plays one that is not, also in an encrypted room."""
    return publication.encryption_type != rtc.EncryptionType.NONE


def unsealed() -> PolicyRefused:
    """What is said of a caller who cannot be understood: their track is in the clear, or under another key."""
    return PolicyRefused(
        "the caller's media is not encrypted with the room's key",
        hint="give the caller's client the secret that carrier.livekit.room_key names",
    )
