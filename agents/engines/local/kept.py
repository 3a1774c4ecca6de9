"""What has been read before: keys and values by the tokens that they belong to.

A prompt goes on from the longest beginning that it shares with anything kept, whether that is its
own conversation, the same position in another game, or the rules that all games open with.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sparring.agents.engines.core import Tokens

Key = tuple[str, Tokens]
"""The adapter that read the tokens ("" is none), and the tokens."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The keys and values of one sequence: tensors [n, heads, tokens, size], as ``Slots`` has
    them."""

    parts: tuple[torch.Tensor, ...]
    bytes: int


def common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their start."""
    low, high = 0, min(len(a), len(b))
    while low < high:  # [0, low) is equal, and more than [0, high) is not
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class Kept:
    """Sequences with their keys and values; the least recently used are dropped first.

    Args:
        budget: how many bytes of keys and values to keep. What is dropped is read again: results
            stay as they are, up to the last digits.
    """

    def __init__(self, budget: int):
        self._budget = budget
        self._kept: OrderedDict[Key, Columns] = OrderedDict()
        self._sorted: list[Key] = []
        self.bytes = 0

    @property
    def budget(self) -> int:
        return self._budget

    @budget.setter
    def budget(self, bytes: int) -> None:
        self._budget = bytes
        self._evict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def clear(self) -> None:
        self._kept.clear()
        self._sorted.clear()
        self.bytes = 0

    def wants(self, key: Key, bytes: int) -> bool:
        """Whether it is worth keeping: it fits, and is not the beginning of what is kept."""
        if bytes > self._budget:
            return False
        at = bisect_left(self._sorted, key)
        if at == len(self._sorted):
            return True
        adapter, tokens = self._sorted[at]
        return adapter != key[0] or tokens[: len(key[1])] != key[1]

    def keep(self, key: Key, columns: Columns) -> None:
        """Take up a sequence that it ``wants``, in place of beginnings of it."""
        while (shorter := self._before(key)) is not None:
            self._drop(shorter)
        self._kept[key] = columns
        insort(self._sorted, key)
        self.bytes += columns.bytes
        self._evict()

    def _before(self, key: Key) -> Key | None:
        """A kept beginning of this sequence. Anything sorted between the two begins with it too."""
        at = bisect_left(self._sorted, key)
        if at == 0:
            return None
        adapter, tokens = before = self._sorted[at - 1]
        return before if adapter == key[0] and key[1][: len(tokens)] == tokens else None

    def longest(self, key: Key) -> tuple[int, Columns | None]:
        """The longest common beginning with anything kept: how many tokens, and of what.

        Sorted, it is a neighbour of the place where the sequence would stand.
        """
        adapter, tokens = key
        at = bisect_left(self._sorted, key)
        best, found = 0, None
        for other in self._sorted[max(at - 1, 0) : at + 1]:
            if other[0] == adapter and (shared := common(tokens, other[1])) > best:
                best, found = shared, other
        if found is None:
            return 0, None
        self._kept.move_to_end(found)
        return best, self._kept[found]

    def _drop(self, key: Key) -> None:
        self.bytes -= self._kept.pop(key).bytes
        del self._sorted[bisect_left(self._sorted, key)]

    def _evict(self) -> None:
        while self.bytes > self._budget:
            self._drop(next(iter(self._kept)))
