"""What stands under a name of the store, as a record of a backup: a kind for each type."""

from __future__ import annotations

from gateway.adapters.audit.backup_file import Kind, Record
from gateway.adapters.stores.snapshot import Piece, Type

_KINDS = {
    Type.STRING: Kind.STRING,
    Type.HASH: Kind.HASH,
    Type.LIST: Kind.LIST,
    Type.SET: Kind.SET,
    Type.ZSET: Kind.ZSET,
    Type.STREAM: Kind.STREAM,
}
TYPES = {kind: type_ for type_, kind in _KINDS.items()}


def record_of(piece: Piece) -> Record:
    """The record of a piece."""
    return Record(_KINDS[piece.type], piece.name, piece.parts, piece.first, piece.expires_ms)
