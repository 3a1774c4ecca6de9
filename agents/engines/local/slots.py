"""The keys and values of the sequences that are being extended: one row of memory each.

transformers' own caches grow by copying everything at every token, and hold rows of one length.
Here a token is written in place, rows have lengths of their own, and sequences come and go: a new
one takes the next free row, and where one leaves, the last row moves in. A model reads rows
[first, last) as far as the longest of them goes; a mask hides what lies behind the end of others.
"""

from collections.abc import Callable, Sequence
from math import inf, prod
from typing import Any

import torch
from transformers import Cache

from sparring.agents.engines.local.kept import Columns
from sparring.agents.engines.local.pages import Drop, nothing, zeros
from sparring.agents.engines.local.places import Places, aligned, in_line
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
    taking   called before the rows take more, with the bytes that they then have
    """

    def __init__(self, limit: float = inf, most: int = 1 << 30) -> None:
        super().__init__(layers=[])
        self.limit = limit
        self.most = most
        self.taking: Callable[[int], None] = lambda bytes: None
        self.parts: list[torch.Tensor] = []
        self._drops: list[Drop] = []  # of each part
        self.lengths: list[int] = []
        self._homes: list[tuple[tuple[int, int], tuple[int, int]]] = []  # layer: keys, values
        self._used = 0, 0  # how far rows and columns have been used, as they are laid out now
        self._rows: slice = slice(0, 0)
        self._places: Places

    # -- what a model calls -------------------------------------------------------------------

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write what a layer computed, [lines, heads, new, size]; all that its queries may see."""
        keys, values = (
            self._write(home, states)
            for home, states in zip(self._homes[layer_idx], (key_states, value_states), strict=True)
        )
        return keys, values

    def _write(self, home: tuple[int, int], states: torch.Tensor) -> torch.Tensor:
        part, number = home
        store = self.parts[part][number]
        rows, columns = self._places.rows, self._places.columns
        states = states.to(store.dtype)
        if isinstance(columns, slice):
            store[rows, :, columns] = states
        elif self._places.spans:
            store[rows, :, columns] = states[0].transpose(0, 1)
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
    def token_bytes(self) -> int:
        """Of the keys and values of one token in all layers."""
        return sum(p.shape[0] * p.shape[2] * p.shape[4] * p.element_size() for p in self.parts)

    @property
    def bytes(self) -> int:
        """Of the row memory as it is now; on a CPU, as far as it has been used."""
        return self._cost(self._used, self._have)

    def _cost(self, used: tuple[int, int], have: tuple[int, int]) -> int:
        """Bytes of row memory that is used and laid out so far."""
        return prod(used if self._lazy else have) * self.token_bytes

    @property
    def _have(self) -> tuple[int, int]:
        """How many rows of how many columns are laid out."""
        return (self.parts[0].shape[1], self.parts[0].shape[3]) if self.parts else (0, 0)

    @property
    def _lazy(self) -> bool:
        """Whether memory takes none before it is used."""
        return bool(self.parts) and self.parts[0].device.type == "cpu"

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
        self._drops = [nothing] * len(self.parts)

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
        ``limit`` bytes. Old and new are there together for a moment; on a CPU, of one layer.
        """
        live, longest = len(self.lengths), max(self.lengths, default=0)
        need = max(rows, live), room(max(columns, longest + 1))
        used = max(need[0], self._used[0]), max(need[1], self._used[1])
        have = self._have
        if used[0] <= have[0] and used[1] <= have[1]:
            self._take(used, have)
            return
        rows, columns = self._layout(need)
        self._take(need, (rows, columns))
        for i, old in enumerate(self.parts):
            shape = (old.shape[0], rows, old.shape[2], columns, old.shape[4])
            self.parts[i], drop = zeros(shape, old)
            for n, before in enumerate(old):
                self.parts[i][n, :live, :, :longest] = before[:live, :, :longest]
                self._drops[i](n)
            self._drops[i] = drop

    def _take(self, used: tuple[int, int], have: tuple[int, int]) -> None:
        self._used = used
        self.taking(self._cost(used, have))

    def _layout(self, need: tuple[int, int]) -> tuple[int, int]:
        """How many rows and columns to lay out for those that are needed: others will follow, and
        conversations go on, so growing well beyond copies less."""
        have = self._have
        more = need[0] + need[0] // 2 if need[0] > have[0] > 0 else have[0]
        grown = 2 * need[1] if self._lazy else need[1] + need[1] // 2
        wider = room(grown) if need[1] > have[1] > 0 else have[1]
        both = max(need[0], more), max(need[1], wider)
        for wish in both, (both[0], max(need[1], have[1])):
            if wish[0] * wish[1] * self.token_bytes <= self.limit:
                return wish
        if not self._lazy:
            return need
        most = int(self.limit // (need[0] * self.token_bytes)) // COLUMNS * COLUMNS
        return need[0], max(need[1], min(most, both[1]))

    def release(self) -> None:
        """Give the memory back."""
        self.lengths.clear()
        self._used = 0, 0
        self.parts = [part[:, :0, :, :0].clone() for part in self.parts]
        self._drops = [nothing] * len(self.parts)
        self.taking(0)

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

    def open(self, first: int, new: Sequence[int], device: Any, line: bool = False) -> Places:
        """Rows [first, first + n) are about to read ``new`` tokens each: where they go, each row in
        a line of its own or all in one."""
        held = self.lengths[first : first + len(new)]
        self._rows = slice(first, first + len(new))
        self._seen = max(h + n for h, n in zip(held, new, strict=True))
        self.reserve(len(self.lengths), self._seen + 1)
        if line:
            self._places = in_line(first, held, new, device)
        else:
            self._places = aligned(first, held, new, device)
        self.lengths[self._rows] = [h + n for h, n in zip(held, new, strict=True)]
        return self._places
