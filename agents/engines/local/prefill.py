"""Reading prompts: each from where it leaves what has been read before, many in one pass."""

from collections import deque
from collections.abc import Iterator, Sequence
from math import inf

import torch

from sparring.agents.engines.local.kept import Kept, Key, common
from sparring.agents.engines.local.reading import Reading
from sparring.agents.engines.local.slots import Slots

SHARED = 32
"""A beginning of so many tokens that several new prompts share is worth a pass of its own."""
READ_AT_ONCE = 1 << 14  # tokens, with fill
LOGITS_AT_ONCE = 1 << 26


class Prefill:
    """Fills new rows of the row memory of ``reading``, and keeps what rows have read in ``kept``.

    ``read_at_once``: so many tokens in one pass, with fill, or one sequence.
    """

    def __init__(self, reading: Reading, kept: Kept):
        self.reading = reading
        self.kept = kept
        self.read_at_once = READ_AT_ONCE
        self.slots.taking = self.leave
        self.asked = 0  # tokens of all sequences so far,
        self.fresh = 0  # and those of them that had to be read
        self.peak = 0  # bytes that there were at most, of rows and of what is kept

    @property
    def slots(self) -> Slots:
        return self.reading.slots

    def leave(self, bytes: int) -> None:
        """Keep no more than rows of so many bytes leave of the memory."""
        if self.slots.limit < inf:
            self.kept.budget = max(int(self.slots.limit) - bytes, 0)
        self.peak = max(self.peak, self.kept.bytes + bytes)

    def chunks(self, keys: Sequence[Key], logits: int = 1) -> Iterator[list[Key]]:
        """Cut into passes of like lengths, each when the one before is read: that may have dropped
        what was kept. ``logits``: how many places of each are wanted."""
        most = max(LOGITS_AT_ONCE // (logits * self.reading.vocabulary), 1)
        left = deque(sorted(keys, key=self._new))
        while left:
            chunk: list[Key] = []
            wide = longest = 0
            while left and len(chunk) < most:
                wide = max(wide, self._new(left[0]))
                longest = max(longest, len(left[0][1]))
                rows = len(chunk) + 1
                if chunk and (rows * wide > self.read_at_once or not self.have_room(rows, longest)):
                    break
                chunk.append(left.popleft())
            yield chunk

    def _new(self, key: Key) -> int:
        """How many tokens have to be read."""
        return len(key[1]) - self.kept.longest(key)[0]

    def have_room(self, rows: int, longest: int) -> bool:
        """Whether so many more rows fit, the longest of so many tokens."""
        return self.slots.fits(len(self.slots) + rows, longest)

    def read(self, keys: Sequence[Key], last: Sequence[int] = ()) -> torch.Tensor:
        """Read these sequences into new rows, each from where it leaves what is kept, but at least
        its ``last`` tokens (one); the logits after those, [n, max(last), V], right-aligned."""
        last = last or [1] * len(keys)
        new = []
        first = len(self.slots)
        found = deque(self.kept.longest(key) for key in keys)  # rows may take the place of those
        self.slots.reserve(first + len(keys), max(len(tokens) for _, tokens in keys) + 2)
        for key, again in zip(keys, last, strict=True):
            shared, columns = found.popleft()
            shared = min(shared, len(key[1]) - again)
            self.slots.add(columns, shared)
            new.append(key[1][shared:])
            self.asked += len(key[1])
            self.fresh += len(key[1]) - shared
        adapters = [adapter or None for adapter, _ in keys]
        return self.reading.read(first, new, adapters, max(last))

    def read_shared(self, keys: Sequence[Key]) -> None:
        """Read the beginnings that several of these have in common, and nothing kept has."""
        runs: list[list[Key]] = []
        for key in sorted(keys):
            if runs and self._new_in_common(runs[-1][-1], key) >= SHARED:
                runs[-1].append(key)
            else:
                runs.append([key])
        shared = []
        for run in runs:
            if len(run) > 1 and self._new_in_common(run[0], run[-1]) >= SHARED:
                adapter, tokens = run[0]
                key = adapter, tokens[: common(tokens, run[-1][1])]
                if self.kept.wants(key, len(key[1]) * self.slots.token_bytes):
                    shared.append(key)
        for chunk in self.chunks(shared):
            if self.have_room(len(chunk), max(len(tokens) for _, tokens in chunk)):
                self.read(chunk)
                self.put_away(chunk)

    def _new_in_common(self, a: Key, b: Key) -> int:
        """How many tokens at the start of both are not kept for both."""
        if a[0] != b[0]:
            return 0
        return common(a[1], b[1]) - min(self.kept.longest(a)[0], self.kept.longest(b)[0])

    def put_away(self, keys: Sequence[Key]) -> None:
        """Keep what the newest rows have read, and free them."""
        for key in reversed(keys):
            self.keep(key, len(self.slots) - 1)
            self.slots.remove(len(self.slots) - 1)

    def keep(self, key: Key, row: int) -> None:
        """Keep what a row has read, of which ``key`` is the beginning or all."""
        tokens = self.slots.lengths[row]
        read = key[0], key[1][:tokens]
        if self.kept.wants(read, tokens * self.slots.token_bytes):
            self.kept.keep(read, self.slots.copy(row, tokens))
            self.peak = max(self.peak, self.kept.bytes + self.slots.bytes)
