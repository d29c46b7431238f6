"""livekit-agents: how any agent hears, thinks and speaks, one guarded session a call. Nothing else here imports livekit."""

from gateway.adapters.conversation.agent import GuardedAgent, PlainAgent, make_agent
from gateway.adapters.conversation.quiet import silence_livekit
from gateway.adapters.conversation.session import ConversationParts, LiveKitConversation

__all__ = ["ConversationParts", "GuardedAgent", "LiveKitConversation", "PlainAgent", "make_agent", "silence_livekit"]
