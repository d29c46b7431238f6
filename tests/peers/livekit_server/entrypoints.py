"""Small agents for the tests of the fake server itself; importable by name, as a worker's child process needs it."""

from __future__ import annotations

import asyncio

from livekit import rtc
from livekit.agents import JobContext

from tests.peers.livekit_server.audio import FRAME_BYTES, RATE, tone


async def beep(ctx: JobContext) -> None:
    """Join, wait for the caller, say one second of 880 Hz, and then stay until told to go."""
    await ctx.connect()
    caller = await ctx.wait_for_participant()
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    publication = await ctx.room.local_participant.publish_track(track)
    await publication.wait_for_subscription()
    await ctx.room.local_participant.set_attributes({"heard.phone": caller.attributes.get("sip.phoneNumber", "")})
    sound = tone(880, 1.0).samples
    for at in range(0, len(sound), FRAME_BYTES):
        await source.capture_frame(rtc.AudioFrame(sound[at : at + FRAME_BYTES], RATE, 1, FRAME_BYTES // 2))
    await source.wait_for_playout()


async def crash(ctx: JobContext) -> None:
    """An agent that fails before it joins."""
    await asyncio.sleep(0)
    raise RuntimeError("planted")
