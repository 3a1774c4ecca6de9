"""What a dispatcher keeps account of."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sparring.training.cluster.parcels import Parcel
from sparring.training.cluster.replica import Moment, Order, Report


@dataclass(frozen=True, slots=True)
class Piece:
    """Games ``part``, ``part + of``, ... of a step of so many ``games``; ``memory`` is what
    opponents and mixture remembered when it was planned."""

    step: int
    part: int
    of: int
    games: int
    memory: Parcel

    @property
    def size(self) -> int:
        """How many games it is."""
        return len(range(self.part, self.games, self.of))

    def order(self, weights: Parcel) -> Order:
        """What a worker is told."""
        return Order(self.step, self.part, self.of, Moment(weights, self.memory))


def pieces(step: int, of: int, games: int, memory: Parcel) -> Iterator[Piece]:
    """A whole step."""
    return (Piece(step, part, of, games, memory) for part in range(of))


@dataclass(frozen=True, slots=True)
class Answer:
    """A piece that was played: by which worker, with the weights after how many updates."""

    part: int
    worker: int
    version: int
    report: Report


@dataclass
class Counts:
    """What went wrong so far: games handed out again, games that came back second, deaths."""

    replayed: int = 0
    discarded: int = 0
    deaths: int = 0


@dataclass
class Step:
    """A step that is being played; when its first piece was handed out, when its last came."""

    pieces: int
    answers: dict[int, Answer] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0


@dataclass(slots=True, eq=False)
class Flight:
    """A piece that a worker has; ``stopped``: the worker took too long and was killed."""

    piece: Piece
    version: int
    began: float
    stopped: bool = False
