"""Learner and workers of a cluster as discrete events.

The rules, for a learner that is at step s (the versions 0 to s of the weights are published):

- Pieces are handed out in order, to the worker that has been free longest. One of step s' may go
  out once s' ≤ s + K. It is played with version s, and its age is s' - s ≤ K.
- A worker that holds an older version first waits until its node has the new one, then loads it.
  The first worker of a node to ask makes the learner send a copy; copies leave the learner's
  uplink one after the other, in the order in which they are asked for.
- When all pieces of step s are back and the learner is free, it learns and publishes: version
  s + 1, and the learner is at step s + 1.

Time 0 is when version 0 is published. What is published at the very moment at which a piece is
handed out, that piece is played with.
"""

import heapq
from collections import Counter, deque
from dataclasses import dataclass, field

from sparring.training.cluster.inputs import Cluster

LEARNER = -1
"""Stands where else a worker's number does."""


@dataclass(frozen=True, slots=True)
class Play:
    """A piece in a worker's hands. Times in seconds: handed out at ``start``, weights loaded at
    ``ready``, back at ``end``. ``sent``: a copy of the weights left the learner for it."""

    step: int
    piece: int
    worker: int
    version: int
    start: float
    ready: float
    end: float
    sent: bool

    @property
    def age(self) -> int:
        """How many steps behind the learner the weights will be when this is learned from."""
        return self.step - self.version


@dataclass(slots=True)
class Trace:
    """What happened. ``published``: when each version was, in seconds; ``plays``: the pieces in
    the order in which they were handed out, the last of them perhaps still being played."""

    published: list[float] = field(default_factory=lambda: [0.0])
    plays: list[Play] = field(default_factory=list)


def simulate(cluster: Cluster, steps: int) -> Trace:
    """Everything from version 0 until version ``steps`` is published."""
    return _Run(cluster).until(steps)


class _Run:
    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.trace = Trace()
        self.now = 0.0
        self.events: list[tuple[float, int, int]] = []  # time, worker or LEARNER, step
        self.free = deque(range(cluster.workers))
        self.next = 0  # piece to hand out, counted from the first of step 0
        self.back: Counter[int] = Counter()  # pieces of each step
        self.learning = False
        self.held = [-1] * cluster.workers  # version
        self.arrival: dict[int, tuple[int, float]] = {}  # of the newest version on each node
        self.uplink = 0.0  # when it is free

    @property
    def version(self) -> int:
        return len(self.trace.published) - 1

    def until(self, steps: int) -> Trace:
        self._hand_out()
        while self.version < steps:
            self._next_event()
            if not self.events or self.events[0][0] > self.now:  # all that happens now has
                self._hand_out()
        return self.trace

    def _next_event(self) -> None:
        self.now, who, step = heapq.heappop(self.events)
        if who == LEARNER:
            self.trace.published.append(self.now)
            self.learning = False
        else:
            self.free.append(who)
            self.back[step] += 1
        self._learn()

    def _learn(self) -> None:
        if not self.learning and self.back[self.version] == self.cluster.pieces:
            self.learning = True
            end = self.now + self.cluster.update
            heapq.heappush(self.events, (end, LEARNER, self.version))

    def _hand_out(self) -> None:
        while self.free:
            step, piece = divmod(self.next, self.cluster.pieces)
            if step > self.version + self.cluster.staleness:
                return
            self.next += 1
            worker = self.free.popleft()
            ready, sent = self._loaded(worker)
            end = ready + self.cluster.playing(step, piece)
            play = Play(step, piece, worker, self.version, self.now, ready, end, sent)
            self.trace.plays.append(play)
            heapq.heappush(self.events, (end, worker, step))

    def _loaded(self, worker: int) -> tuple[float, bool]:
        """When the worker holds the newest weights, and whether they are sent for it."""
        if self.held[worker] == self.version:
            return self.now, False
        self.held[worker] = self.version
        node, sent = self.cluster.node(worker), False
        there = self.now
        if node >= 0:
            version, there = self.arrival.get(node, (-1, 0.0))
            if sent := version != self.version:
                there = max(self.now, self.uplink)
                there += self.cluster.weight_bytes / self.cluster.bandwidth
                self.uplink = there
                self.arrival[node] = self.version, there
        return max(self.now, there) + self.cluster.load_seconds, sent
