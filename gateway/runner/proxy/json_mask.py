"""The mask of JSON: inside its strings, numbers and names, so that it stays JSON.

A value is read three times: under its name ("4821" is a number like any other, and ``{"pin": "4821"}`` is not), alone, and among
the values around it (``{"label": "PIN", "value": "4821"}``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import InvalidRequest
from gateway.runner.proxy.conversations import ConversationMasker
from gateway.runner.proxy.json_text import DEEPEST, read_result, unlike
from gateway.values import MaskedText, Private

BLOCK = 1_500
"""How many characters of a JSON's values are read together."""
_LABELS = ("label", "field", "key", "title", "question", "name", "kind", "type")
_VALUES = frozenset(("value", "values", "content", "answer", "text", "data"))
_LONGEST_LABEL = 60
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[^\w]+|_+")


@dataclass(slots=True)
class _Leaf:
    """One value that is masked. ``value`` is a text or a number; ``masked`` is ``text`` as long as nothing was found."""

    lead: str
    text: str
    value: Any
    masked: str = ""

    @property
    def line(self) -> str:
        return self.lead + self.text.replace("\n", " ")

    @property
    def quiet(self) -> bool:
        return self.masked == self.text


@dataclass(frozen=True, slots=True)
class JsonMask:
    """``mask`` masks one text. Raises what that raises."""

    mask: Callable[[Private[str]], Awaitable[MaskedText]]
    masker: ConversationMasker

    async def written(self, lines: Sequence[Private[Any] | str]) -> MaskedText:
        """Values (``read_result``) masked and written as JSON; what stands between them as it is. Raises InvalidRequest."""
        leaves: list[_Leaf] = []
        trees = [await self._tree(line.reveal(), leaves) if isinstance(line, Private) else None for line in lines]
        await self._read_together(leaves)
        out = [
            json.dumps(_settled(tree), ensure_ascii=False) if isinstance(line, Private) else line
            for line, tree in zip(lines, trees, strict=True)
        ]
        return MaskedText("".join(out))

    async def value(self, value: Private[Any]) -> Any:
        """One value, masked. Raises InvalidRequest when it is nested too deeply."""
        leaves: list[_Leaf] = []
        tree = await self._tree(value.reveal(), leaves)
        await self._read_together(leaves)
        return _settled(tree)

    async def _tree(self, value: Any, leaves: list[_Leaf], key: str = "", depth: int = 0) -> Any:
        """The same with a leaf in the place of each text and number; names are masked already."""
        if depth > DEEPEST:
            raise InvalidRequest("JSON in the request is nested too deeply", hint=f"at most {DEEPEST} levels")
        if isinstance(value, Mapping):
            out: dict[str, Any] = {}
            label = _label(value)
            for name, item in value.items():
                ours = unlike(await self.mask(Private(str(name))), out)
                out[ours] = await self._tree(item, leaves, label if name in _VALUES and label else str(name), depth + 1)
            return out
        if isinstance(value, list):
            return [await self._tree(item, leaves, key, depth + 1) for item in value]
        if isinstance(value, str) and (within := read_result(Private(value))) is not None:
            trees = [
                await self._tree(line.reveal(), leaves, key, depth + 1) if isinstance(line, Private) else line for line in within
            ]
            return _Within(trees)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            leaf = _Leaf(_lead(key), value if isinstance(value, str) else str(value), value)
            leaf.masked = await self._alone(leaf)
            leaves.append(leaf)
            return leaf
        return value

    async def _alone(self, leaf: _Leaf) -> str:
        text = Private(leaf.text)
        if (name := self.masker.named(text)) is not None:
            return name
        if not leaf.lead:
            return await self.mask(text)
        whole = await self.mask(Private(leaf.lead + leaf.text))
        told = not whole.endswith(leaf.text)
        if told and whole.startswith(leaf.lead):
            return whole.removeprefix(leaf.lead)
        alone = await self.mask(text)
        # The mask may take a name and what stands under it for one value: then the whole of it stands here.
        return whole if told and alone == leaf.text else alone

    async def _read_together(self, leaves: Sequence[_Leaf]) -> None:
        """Mask what is told to be private by the values around it."""
        for block in _blocks(leaves):
            if len(block) < 2 or not any(leaf.quiet for leaf in block):
                continue
            found = await self.masker.found(Private("\n".join(leaf.line for leaf in block)))
            at, told = 0, set()
            for place, leaf in enumerate(block):
                start, at = at + len(leaf.lead), at + len(leaf.line) + 1
                if leaf.quiet and any(span.start < at - 1 and start < span.end for span in found):
                    told.add(place)
            if told:
                masked = await self._lines(block)
                for place in told:
                    block[place].masked = masked[place]

    async def _lines(self, block: Sequence[_Leaf]) -> list[str]:
        """Each leaf as it stands when all of them are masked as one text; by halves where lines are taken for one value."""
        if len(block) == 1:
            return [leaf.masked for leaf in block]
        lines = (await self.mask(Private("\n".join(leaf.line for leaf in block)))).split("\n")
        if len(lines) != len(block):
            half = len(block) // 2
            return [*await self._lines(block[:half]), *await self._lines(block[half:])]
        return [_of_line(line, leaf) for line, leaf in zip(lines, block, strict=True)]


@dataclass(frozen=True, slots=True)
class _Within:
    """JSON that stands in a text of JSON."""

    trees: Sequence[Any]


def _settled(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _settled(item) for name, item in tree.items()}
    if isinstance(tree, list):
        return [_settled(item) for item in tree]
    if isinstance(tree, _Leaf):
        return tree.value if tree.quiet else tree.masked
    if isinstance(tree, _Within):
        return "".join(each if isinstance(each, str) else json.dumps(_settled(each), ensure_ascii=False) for each in tree.trees)
    return tree


def _of_line(line: str, leaf: _Leaf) -> str:
    if line == leaf.line or line.endswith(leaf.line.removeprefix(leaf.lead)):
        return leaf.masked
    return line.removeprefix(leaf.lead)


def _label(fields: Mapping[str, Any]) -> str:
    """What an object says that its value is."""
    said = (fields.get(name) for name in _LABELS)
    return next((each for each in said if isinstance(each, str) and 0 < len(each) <= _LONGEST_LABEL), "")


def _lead(key: str) -> str:
    """A name as the words before a value: ``phoneNumber`` is "phone number: "."""
    words = _WORDS.sub(" ", key).strip().lower()
    return f"{words}: " if words else ""


def _blocks(leaves: Sequence[_Leaf]) -> Iterator[list[_Leaf]]:
    block: list[_Leaf] = []
    size = 0
    for leaf in leaves:
        if block and size + len(leaf.line) > BLOCK:
            yield block
            block, size = [], 0
        block.append(leaf)
        size += len(leaf.line) + 1
    if block:
        yield block
