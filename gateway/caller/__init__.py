"""The other end of the line: a telephone and its carrier, for ``sordino call``, the demo, benches and tests."""

from gateway.caller.behaviour import Behaviour, Marks
from gateway.caller.call import Caller, Closed, ClosedBy, Ended, Heard
from gateway.caller.dialling import Number, StreamTarget
from gateway.caller.timeline import Kind, Moment, Timeline

__all__ = [
    "Behaviour",
    "Caller",
    "Closed",
    "ClosedBy",
    "Ended",
    "Heard",
    "Kind",
    "Marks",
    "Moment",
    "Number",
    "StreamTarget",
    "Timeline",
]
