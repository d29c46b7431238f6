"""What a team's own LiveKit agent takes from Sordino: one class.

``class Bakery(GuardedAgent)`` instead of ``class Bakery(Agent)``, and ``agent: bakery:Bakery`` in the tenant's file: then the
agent hears, thinks and speaks through processors that the policy permits, its tools see real values, and its model and its
history never do. In a session of its own, without the gateway, it does nothing at all.
"""

from gateway.adapters.conversation import GuardedAgent

__all__ = ["GuardedAgent"]
