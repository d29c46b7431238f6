"""Processors that hear and speak elsewhere, through livekit's plugins: each request under its Grant, over a line of ours."""

from gateway.adapters.conversation.plugins.clients import preload
from gateway.adapters.conversation.plugins.hearing import PluginEar, plugin_ears
from gateway.adapters.conversation.plugins.speaking import PluginVoice, plugin_voices

__all__ = ["PluginEar", "PluginVoice", "plugin_ears", "plugin_voices", "preload"]
