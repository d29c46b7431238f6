"""Small agents for the tests of the fake server itself; importable by name, as a worker's child process needs it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from livekit import rtc
from livekit.agents import Agent, AgentSession, JobContext
from livekit.agents.voice.room_io import AudioInputOptions, RoomOptions

from gateway.values import Pcm
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
    async for frame in _frames(tone(880, 1.0)):
        await source.capture_frame(frame)
    await source.wait_for_playout()


SPOKEN = "your card ends in 4242"


async def talk_in_clear(ctx: JobContext) -> None:
    """A plain AgentSession with LiveKit's defaults: what it says also goes out as text."""
    await _talk(ctx, RoomOptions(), hosted=True)


async def talk_in_private(ctx: JobContext) -> None:
    """The same with every text of the room switched off."""
    options = RoomOptions(text_output=False, text_input=False, audio_input=AudioInputOptions(pre_connect_audio=False))
    await _talk(ctx, options, hosted=False)


async def _talk(ctx: JobContext, options: RoomOptions, *, hosted: bool) -> None:
    await ctx.connect()
    session: AgentSession[None] = AgentSession(vad=None, turn_detection="manual")
    await session.start(Agent(instructions=""), room=ctx.room, room_options=options, session_host=hosted, record=False)
    await session.say(SPOKEN, audio=_frames(tone(880, 1.0)), allow_interruptions=False)


async def _frames(sound: Pcm) -> AsyncIterator[rtc.AudioFrame]:
    for at in range(0, len(sound.samples), FRAME_BYTES):
        yield rtc.AudioFrame(sound.samples[at : at + FRAME_BYTES], RATE, 1, FRAME_BYTES // 2)


async def crash(ctx: JobContext) -> None:
    """An agent that fails before it joins."""
    await asyncio.sleep(0)
    raise RuntimeError("planted")


async def hang_up_early(ctx: JobContext) -> None:
    """The caller is gone before a session began; some library has logged what it should not have."""
    await ctx.connect()
    logging.getLogger("third.party").warning("the caller said %s", SPOKEN)
    ctx.shutdown("hung up")
