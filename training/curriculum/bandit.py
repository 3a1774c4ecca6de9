"""Play more where there is more to learn: a bandit on the size of the advantages.

The self-evolving curriculum (SEC, arXiv 2505.14970) takes every category of problems as an arm, the
mean |advantage| of its samples as the arm's reward, and follows it as it changes (TD(0)):

    Q_c ← (1 − α)·Q_c + α·mean|A| of c in the step,     Q starts at 0
    share_c = floor/n + (1 − floor)·softmax(Q/temperature)_c         over the n games

The floor is ours: without it a game that is no longer played is never looked at
again. The paper's runs take α = 0.5 and a temperature of 0.2, 0.4 or 1 by task. A temperature is in
the unit of the advantages, so games with larger payoffs pull harder unless these are whitened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, isfinite
from typing import Any

from sparring.envs.core import BadInput
from sparring.training.core import Metrics

SIZE = "advantage_size/"


@dataclass
class Bandit:
    """Shares of ``games`` (``Entry.name``) that follow the metrics "advantage_size/GAME".

    ``rate``: α, in (0, 1]. ``floor``: in [0, 1], what is shared out equally; no game gets less than
    floor/n. ``sizes``: Q of each game. A game that a step did not play keeps its Q.
    """

    games: Sequence[str]
    rate: float = 0.5
    temperature: float = 1.0
    floor: float = 0.2
    sizes: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        if not self.games:
            raise BadInput("a curriculum needs at least one game")
        if not 0 < self.rate <= 1 or not 0 <= self.floor <= 1 or self.temperature <= 0:
            raise BadInput("rate must be in (0, 1], floor in [0, 1] and temperature above 0")
        self.sizes = dict.fromkeys(self.games, 0.0)

    def weights(self) -> Mapping[str, float]:
        """The shares; they add up to 1."""
        most = max(self.sizes.values())
        grown = {game: exp((q - most) / self.temperature) for game, q in self.sizes.items()}
        total, even = sum(grown.values()), self.floor / len(grown)
        return {game: even + (1 - self.floor) * g / total for game, g in grown.items()}

    def learned(self, metrics: Metrics) -> None:
        for game, before in self.sizes.items():
            found = [x for key, x in metrics.items() if _of(key, game) and isfinite(x)]
            if found:  # with several players one of each
                now = sum(found) / len(found)
                self.sizes[game] = (1 - self.rate) * before + self.rate * now

    def state_dict(self) -> dict[str, Any]:
        return {"sizes": dict(self.sizes)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.sizes = dict(state["sizes"])


def _of(key: str, game: str) -> bool:
    """Whether a metric is the size of a game's advantages: all of them, or one player's."""
    return key == SIZE + game or key.startswith(f"{SIZE}{game}@")
