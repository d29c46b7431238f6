"""What calls play that no processor of theirs made: recordings, and announcements that this machine's voice spoke beforehand."""

from gateway.adapters.sounds.recorded import APOLOGY, REFUSED, TELEPHONE_HZ, Sound, Sounds
from gateway.adapters.sounds.spoken import Spoken, voice_name

__all__ = ["APOLOGY", "REFUSED", "TELEPHONE_HZ", "Sound", "Sounds", "Spoken", "voice_name"]
