"""The loop: play, reward, estimate, build the batch, step, publish the weights.

It is a generator of metrics. Printing, saving, drawing and evaluating happen outside it, between
two steps. All chance comes from (seed, step), so a loop that is loaded at a step goes on exactly
as the one that was saved there.
"""

import asyncio
import gc
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparring.agents.core import Agent
from sparring.agents.play import Match, play_all
from sparring.envs.core import BadInput, Episode, Game, Role
from sparring.training.batch import collate
from sparring.training.core import Estimator, Metrics, Rewards
from sparring.training.deals import Deals, independent
from sparring.training.learner import Learner
from sparring.training.opponents import Opponents, Seating, mirror
from sparring.training.rows import learning_rows

SHOWN = 5  # episodes of each step kept for a person to read


@dataclass
class SelfPlay:
    """One run of self-play: what learns, how, and where it is.

    ``player`` answers with the weights of ``learner.model``; ``publish`` is called after every
    update to bring the player's engine up to date. ``games`` are played each step; an illegal
    answer may be tried again ``retries`` times.
    """

    game: Game
    player: Agent
    learner: Learner
    estimator: Estimator
    publish: Callable[[], None]
    steps: int
    games: int
    seed: int
    retries: int = 0
    opponents: Opponents = mirror
    deals: Deals = independent
    step: int = 0
    shown: list[Episode] = field(default_factory=list)

    def run(self) -> Iterator[Metrics]:
        """Yield the metrics of each step until ``steps`` are done."""
        while self.step < self.steps:
            played, seatings = self._play()
            episodes = [e for e in played if e.void is None]
            seatings = [s for e, s in zip(played, seatings, strict=True) if e.void is None]
            if not episodes:
                raise BadInput(f"every game of this step was void: {played[0].void}")
            rewards: Rewards = [
                {role: e.payoffs[role] for role in sorted(s.learning)}
                for e, s in zip(episodes, seatings, strict=True)
            ]
            advantages = self.estimator(episodes, rewards)
            rows = learning_rows(episodes, advantages)
            batch = collate(rows, share=self.learner.config.share_prefixes)
            learned = self.learner.update(batch, self.step / max(self.steps - 1, 1))
            self.publish()
            self.shown = played[:SHOWN]
            self.step += 1
            void = (len(played) - len(episodes)) / len(played)
            yield {"step": self.step, **summary(episodes, rewards), "void": void, **learned}

    def _play(self) -> tuple[list[Episode], list[Seating]]:
        luck = random.Random(f"{self.seed}/{self.step}")
        seatings = [self.opponents(self.game, self.player, luck) for _ in range(self.games)]
        matches = [
            Match(self.game, s.seats, deal, luck.getrandbits(63))
            for s, deal in zip(seatings, self.deals(luck, self.games), strict=True)
        ]
        gc.disable()  # thousands of live, acyclic values: collecting while playing halves the speed
        try:
            episodes = asyncio.run(play_all(matches, at_once=len(matches), retries=self.retries))
        finally:
            gc.enable()
        return episodes, seatings

    def state_dict(self) -> dict[str, Any]:
        """Everything that shapes learning, except the weights of the model itself."""
        return {
            "step": self.step,
            "learner": self.learner.state_dict(),
            "estimator": self.estimator.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step = state["step"]
        self.learner.load_state_dict(state["learner"])
        self.estimator.load_state_dict(state["estimator"])
        self.publish()


def summary(episodes: Sequence[Episode], rewards: Sequence[Mapping[Role, float]]) -> Metrics:
    """What a batch of games looks like, over the seats that learn: reward by role (mean, in the
    game's payoff unit), share of legal answers, forfeits a game, answers and their tokens."""
    found: Metrics = {"games": float(len(episodes))}
    by_role: dict[Role, list[float]] = {}
    for reward in rewards:
        for role, r in reward.items():
            by_role.setdefault(role, []).append(r)
    for role in sorted(by_role):
        found[f"reward/{role}"] = sum(by_role[role]) / len(by_role[role])
    pairs = zip(episodes, rewards, strict=True)
    turns = [turn for episode, own in pairs for turn in episode.turns if turn.role in own]
    found["legal"] = sum(turn.accepted for turn in turns) / len(turns)
    found["forfeits"] = sum(bool(e.forfeits) for e in episodes) / len(episodes)
    found["turns"] = len(turns) / len(episodes)
    found["answer_tokens"] = sum(len(turn.action.tokens) for turn in turns) / len(turns)
    return found
