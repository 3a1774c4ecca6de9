"""The keys and values of the sequences that are being extended: one row of memory each.

transformers' own caches grow by copying everything at every token, and hold rows of one length.
Here a token is written in place, rows have lengths of their own, and sequences come and go: a new
one takes the next free row, and where one leaves, the last row moves in. A model reads rows
[first, last) as far as the longest of them goes; a mask hides what lies behind the end of others.
"""

from collections.abc import Sequence
from math import inf
from typing import Any

import torch
from transformers import Cache

from sparring.agents.engines.local.kept import Columns
from sparring.agents.engines.local.shapes import one_token
from sparring.envs.core import BadInput

COLUMNS = 64  # room comes in so many tokens


def room(columns: int) -> int:
    """How many tokens there is room for where so many are needed."""
    return -(-columns // COLUMNS) * COLUMNS


class Slots(Cache):  # type: ignore[misc]  # transformers has no types
    """Row memory for one model, which it sees as the ``past_key_values`` of its layers.

    parts    tensors [n, rows, heads, columns, size]: one for all layers whose keys and values are
             of one shape, which is mostly all of them
    lengths  of each row in use: how many tokens it holds
    limit    bytes that there should be at most
    most     rows that there should be at most
    """

    def __init__(self, limit: float = inf, most: int = 1 << 30) -> None:
        super().__init__(layers=[])
        self.limit = limit
        self.most = most
        self.parts: list[torch.Tensor] = []
        self.lengths: list[int] = []
        self._homes: list[tuple[tuple[int, int], tuple[int, int]]] = []  # layer: keys, values
        self._rows: slice = slice(0, 0)
        self._where: tuple[Any, Any] = (0, 0)
        self._new: list[list[tuple[torch.Tensor, torch.Tensor]]] = []

    # -- what a model calls -------------------------------------------------------------------

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write what a layer computed, [rows, heads, new, size]; all that its queries may see."""
        keys, values = (
            self._write(home, states)
            for home, states in zip(self._homes[layer_idx], (key_states, value_states), strict=True)
        )
        return keys, values

    def _write(self, home: tuple[int, int], states: torch.Tensor) -> torch.Tensor:
        part, number = home
        store = self.parts[part][number]
        rows, columns = self._where
        states = states.to(store.dtype)
        if isinstance(columns, slice):
            store[rows, :, columns] = states
        elif columns.dim() == 1:
            store[rows, :, columns] = states[:, :, 0]
        else:
            store[rows, :, columns] = states.transpose(1, 2)
        return store[self._rows, :, : self._seen]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return max(self.lengths[self._rows], default=0)

    # -- what the engine calls ----------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def rows(self) -> int:
        """How many rows there is memory for."""
        return self.parts[0].shape[1]

    @property
    def token_bytes(self) -> int:
        """Of the keys and values of one token in all layers."""
        return sum(p.shape[0] * p.shape[2] * p.shape[4] * p.element_size() for p in self.parts)

    @property
    def bytes(self) -> int:
        """Of the row memory as it is now."""
        return sum(p.numel() * p.element_size() for p in self.parts)

    def shape(self, model: Any, dtype: torch.dtype | None = None) -> None:
        """Learn from one token how large the keys and values of each layer are. They are kept in
        ``dtype``, by default as they come."""
        kinds: dict[tuple[Any, ...], list[torch.Tensor]] = {}
        homes = []
        for pair in one_token(model):
            home = []
            for one in pair:
                like = (one.shape[1], one.shape[3], one.dtype, one.device)
                group = kinds.setdefault(like, [])
                home.append((list(kinds).index(like), len(group)))
                group.append(one)
            homes.append((home[0], home[1]))
        self._homes = homes
        self.parts = [
            some[0].new_zeros((len(some), 0, some[0].shape[1], 0, some[0].shape[3]), dtype=dtype)
            for some in kinds.values()
        ]

    def fits(self, rows: int, tokens: int = 0) -> bool:
        """Whether there may be so many rows, the longest of them as long as any that is there, or
        of so many ``tokens``, and then one token more.

        Raises:
            BadInput: not even one.
        """
        longest = max(tokens, *self.lengths, 0)
        self.check_fits(longest, self.limit)
        return rows <= self.most and rows * room(longest + 2) * self.token_bytes <= self.limit

    def check_fits(self, tokens: int, limit: float) -> None:
        """Raises ``BadInput`` where a row of so many tokens takes more than ``limit`` bytes."""
        each = room(tokens + 2) * self.token_bytes
        if each > limit:
            raise BadInput(
                f"the keys and values of {tokens} tokens take {each / 2**20:.1f} MiB, and the "
                f"engine may have {limit / 2**20:.1f}; allow it more, or play a shorter game"
            )

    def reserve(self, rows: int, columns: int) -> None:
        """Have room for so many rows of so many tokens; what is there stays.

        Memory only shrinks in one direction to grow in the other where it would else have more than
        ``limit`` bytes. Old and new are there together for a moment.
        """
        have_rows, have_columns = self.parts[0].shape[1], self.parts[0].shape[3]
        if rows <= have_rows and columns <= have_columns:
            return
        used, longest = len(self.lengths), max(self.lengths, default=0)
        need = max(rows, used), room(max(columns, longest + 1))
        # Others will follow, and conversations go on: growing by half each time copies less.
        more = rows + rows // 2 if rows > have_rows > 0 else have_rows
        wider = room(columns + columns // 2) if columns > have_columns > 0 else have_columns
        both = max(need[0], more), max(need[1], wider)
        for wish in both, (both[0], max(need[1], have_columns)), need:
            rows, columns = wish
            if rows * columns * self.token_bytes <= self.limit:
                break
        for i, old in enumerate(self.parts):
            shape = (old.shape[0], rows, old.shape[2], columns, old.shape[4])
            self.parts[i] = old.new_zeros(shape)
            self.parts[i][:, :used, :, :longest] = old[:, :used, :, :longest]

    def release(self) -> None:
        """Give the memory back."""
        self.lengths.clear()
        self.parts = [part[:, :0, :, :0].clone() for part in self.parts]

    def add(self, columns: Columns | None, tokens: int) -> int:
        """A new row that begins with the first ``tokens`` tokens of ``columns``; its number."""
        row = len(self.lengths)
        self.lengths.append(tokens)
        if columns is not None:
            for part, own in zip(self.parts, columns.parts, strict=True):
                part[:, row, :, :tokens] = own[:, :, :tokens]
        return row

    def fork(self, row: int) -> int:
        """A new row that holds the same as another."""
        length = self.lengths[row]
        self.lengths.append(length)
        for part in self.parts:
            part[:, len(self.lengths) - 1, :, :length] = part[:, row, :, :length]
        return len(self.lengths) - 1

    def copy(self, row: int, tokens: int) -> Columns:
        """The keys and values of a row's first tokens, to keep."""
        parts = tuple(part[:, row, :, :tokens].clone() for part in self.parts)
        return Columns(parts, tokens * self.token_bytes)

    def remove(self, row: int) -> int:
        """Free a row; the last row gets its number, and what that was is returned."""
        last = len(self.lengths) - 1
        if row < last:
            length = self.lengths[last]
            for part in self.parts:
                part[:, row, :, :length] = part[:, last, :, :length]
            self.lengths[row] = length
        self.lengths.pop()
        return last

    def open(
        self, first: int, new: Sequence[int], device: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows [first, first + n) are about to read ``new`` tokens each, right-aligned in a line of
        as many as the longest reads. Their positions [n, W] and what each may see [n, W, columns].

        Fill on the left goes to the column behind all others, which nobody sees.
        """
        wide, last = max(new), first + len(new)
        held = self.lengths[first:last]
        self._rows = slice(first, last)
        self._seen = max(h + n for h, n in zip(held, new, strict=True))
        self.reserve(len(self.lengths), self._seen + 1)
        start = torch.tensor(held) + torch.tensor(new) - wide
        places = start[:, None] + torch.arange(wide)
        real = places >= torch.tensor(held)[:, None]
        if min(new) == wide and len(set(held)) == 1:
            self._where = (self._rows, slice(held[0], held[0] + wide))
        else:
            rows = torch.arange(first, last)
            columns = torch.where(real, places, self.parts[0].shape[3] - 1).to(device)
            if wide == 1:
                self._where = (rows.to(device), columns[:, 0])
            else:
                self._where = (rows[:, None].to(device), columns)
        positions = places.clamp(min=0)
        sees = torch.arange(self._seen) <= positions[:, :, None]
        self.lengths[first:last] = [h + n for h, n in zip(held, new, strict=True)]
        return positions.to(device), sees.to(device)
