"""What the forecast of a cluster is made from, in seconds, games and bytes."""

import math
import random
from dataclasses import dataclass

from sparring.envs.core import BadInput

LEAST_SPREAD, MOST_SPREAD = 1e-6, 10.0
"""Below the first pieces count as equal: the gamma distribution's shape would overflow."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A learner, its workers, and what each thing takes.

    A piece of g games takes a worker (``piece_seconds`` + g × ``game_seconds``) × x. The factor x
    is 1 where ``spread`` is 0, else drawn for every piece from a gamma distribution with mean 1
    and standard deviation ``spread``, by (``seed``, step, piece): the same piece takes the same
    time whatever the number of workers.

    Raises:
        BadInput: a value is out of its range.
    """

    workers: int
    """N, processes that play."""
    games: int
    """G, games of a step."""
    game_seconds: float
    """b, what one more game adds to a piece, seconds."""
    learn_seconds: float
    """What an update takes the learner (or the group of learners), seconds."""
    piece_seconds: float = 0.0
    """a, what a piece takes beside its games, seconds."""
    put_seconds: float = 0.0
    """What publishing new weights takes the learner, once a step, seconds."""
    load_seconds: float = 0.0
    """What loading new weights takes a worker once they are on its node, seconds."""
    staleness: int = 0
    """K: how many steps ahead of the learner games may be played; 0 is synchronous."""
    rollout_pieces: int = 0
    """C, pieces of a step (--rollout-pieces of a run); 0 is one for every worker, as there, and at
    most one a game."""
    tokens_per_game: float = 0.0
    """Tokens sampled in a game."""
    spread: float = 0.0
    """Coefficient of variation of what a piece takes, at any size of it."""
    weight_bytes: float = 0.0
    """Of one published version."""
    bandwidth: float = math.inf
    """Of the learner's uplink, bytes a second. Copies leave it one after the other."""
    per_node: int = 1
    """Workers that share a node, and so one copy."""
    beside: int = 0
    """Workers on the learner's own node, to which nothing is sent."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            if not least <= getattr(self, name) < math.inf:  # nor is nan
                raise BadInput(f"{name} is {getattr(self, name)}; it takes at least {least}")
        if not self.bandwidth > 0:
            raise BadInput(f"bandwidth is {self.bandwidth}; it takes more than 0 bytes a second")
        if self.spread > MOST_SPREAD:
            raise BadInput(f"spread is {self.spread}; it takes at most {MOST_SPREAD}")
        if self.rollout_pieces > self.games:
            raise BadInput(
                f"{self.rollout_pieces} pieces of {self.games} games: some would be empty"
            )
        if self.update + self.work <= 0:
            raise BadInput("nothing takes any time; give game_seconds or learn_seconds")

    @property
    def pieces(self) -> int:
        """C, pieces of a step."""
        return self.rollout_pieces or min(self.games, self.workers)

    @property
    def update(self) -> float:
        """U = learn_seconds + put_seconds: the learner's share of a step."""
        return self.learn_seconds + self.put_seconds

    @property
    def work(self) -> float:
        """W = C·a + G·b: the workers' share of a step, seconds of one worker; without loading."""
        return self.pieces * self.piece_seconds + self.games * self.game_seconds

    def size(self, piece: int) -> int:
        """Games of the piece at this place of a step: G / C, the first G mod C one more."""
        return self.games // self.pieces + (piece < self.games % self.pieces)

    def playing(self, step: int, piece: int) -> float:
        """What a piece takes a worker that has its weights, seconds."""
        mean = self.piece_seconds + self.size(piece) * self.game_seconds
        if self.spread < LEAST_SPREAD:
            return mean
        shape = 1 / self.spread**2
        return mean * random.Random(f"{self.seed}/{step}/{piece}").gammavariate(shape, 1 / shape)

    def node(self, worker: int) -> int:
        """The node of a worker; -1 is the learner's own."""
        return -1 if worker < self.beside else (worker - self.beside) // self.per_node


LEAST = {
    "workers": 1,
    "games": 1,
    "game_seconds": 0,
    "learn_seconds": 0,
    "piece_seconds": 0,
    "put_seconds": 0,
    "load_seconds": 0,
    "staleness": 0,
    "rollout_pieces": 0,
    "tokens_per_game": 0,
    "spread": 0,
    "weight_bytes": 0,
    "per_node": 1,
    "beside": 0,
}
"""The least value of each input."""
