"""A text space that holds whatever a language model may say.

Gymnasium's own ``Text`` needs a finite character set and walks the string to check it
(milliseconds for a long transcript); this one checks only that it is text.
"""

from collections.abc import Callable, Sequence
from typing import Any

from gymnasium.spaces import Text

_WORDS = ("yes", "no", "pass", "1", "2", "[1]", "hello there", "")


class AnyText(Text):
    """All strings. ``sample`` draws from what ``offers()`` gives then, else from a few words."""

    def __init__(self, offers: Callable[[], Sequence[str]] = tuple):
        super().__init__(max_length=1 << 30, min_length=0)
        self.offers = offers

    def contains(self, x: Any) -> bool:
        return isinstance(x, str)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        if mask is not None or probability is not None:
            raise ValueError("a text space takes no mask; legal answers are in the infos")
        words = self.offers() or _WORDS
        return words[int(self.np_random.integers(len(words)))]

    def __repr__(self) -> str:
        return "AnyText()"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, AnyText)

    __hash__ = None  # type: ignore[assignment]
