"""The demo's agent: takes a caller's details and confirms them by e-mail. Yours to change."""

from __future__ import annotations

from livekit.agents import function_tool

from gateway.livekit import GuardedAgent

INSTRUCTIONS = """\
You are the receptionist of a small shop, on the phone. Ask for the caller's name and address, then a card number, then a phone
number, then an e-mail address, one at a time, in short spoken sentences. Words like <PERSON_1> stand for what the caller said:
use them as they are. When you have an e-mail address, call send_confirmation with it, then say goodbye."""


class Receptionist(GuardedAgent):
    """Greets, asks, confirms. What it passes to its tool is real; what the model sees is not."""

    def __init__(self) -> None:
        super().__init__(instructions=INSTRUCTIONS)
        self.confirmations: list[str] = []

    async def on_enter(self) -> None:
        self.session.say("How can I help you today? May I have your name and address, please?")

    @function_tool
    async def send_confirmation(self, email: str) -> str:
        """Send a confirmation of this call by e-mail.

        Args:
            email: the caller's e-mail address.
        """
        self.confirmations.append(email)
        return f"A confirmation to {email} is on its way."
