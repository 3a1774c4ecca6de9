"""The loop: play, reward, filter, learn, publish the weights.

It is a generator of metrics. Printing, saving, drawing and evaluating happen outside it, between
two steps. All chance comes from (seed, step), so a loop that is loaded at a step goes on exactly
as the one that was saved there.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparring.agents.play import Match
from sparring.envs.core import BadInput, Episode, Game, Role
from sparring.training import importance
from sparring.training.branching import Branching
from sparring.training.collector import set_aside
from sparring.training.core import Filter, Metrics, Reward, Sample, Split
from sparring.training.credit import whole
from sparring.training.filters.core import Filters
from sparring.training.group import ALONE, Group
from sparring.training.methods.core import Method
from sparring.training.mixture import Mixture
from sparring.training.opponents.core import Opponents
from sparring.training.opponents.mirror import Mirror
from sparring.training.player import Player
from sparring.training.rewards import payoff
from sparring.training.rollouts import InProcess, Planned, Played, Rollouts
from sparring.training.schedules.core import Everyone, Schedule
from sparring.training.summary import summary

SHOWN = 5  # episodes of each step kept for a person to read


def one_for_all(role: Role) -> str:
    """The name of the only player."""
    return "learner"


@dataclass
class SelfPlay:
    """One run of self-play: what is played, what learns and how, and where it is.

    ``games_a_step`` are played each step; an illegal answer may be tried again ``retries`` times.
    ``player_of`` says which of the ``players`` sits in a role: one for all, or one each; in a
    league the seating says whose seat it is.
    """

    mixture: Mixture
    players: Mapping[str, Player]
    method: Method
    steps: int
    games_a_step: int
    seed: int
    retries: int = 0
    player_of: Callable[[Role], str] = one_for_all
    opponents: Opponents = field(default_factory=Mirror)
    schedule: Schedule = field(default_factory=Everyone)
    reward: Reward = payoff
    credit: Split = whole
    filters: Sequence[Filter] = ()
    branching: Branching | None = None
    rollouts: Rollouts = field(default_factory=InProcess)
    step: int = 0
    shown: list[Episode] = field(default_factory=list)

    def run(self) -> Iterator[Metrics]:
        """Yield the metrics of each step until ``steps`` are done."""
        while self.step < self.steps:
            self.forget()
            yield self._learn_from(self.rollouts.play(self))

    def _learn_from(self, games: Sequence[Played]) -> Metrics:
        """One step, once its games are played."""
        with set_aside():
            trunks = [(game, game.episodes[0]) for game in games]
            teeth = [(game, e) for game in games for e in game.episodes[1:]]
            played = [episode for _, episode in trunks + teeth]
            some = min(SHOWN, len(played))
            self.shown = [played[i * len(played) // some] for i in range(some)]  # of every game
            samples = []
            for game, episode in trunks + teeth:
                self.opponents.record(game.seating, episode)
                samples += self._samples(game, episode)
            if not samples:
                raise BadInput(f"every game of this step was void: {played[0].void}")
            metrics = summary(samples)
            metrics["void"] = sum(e.void is not None for e in played) / len(played)
            metrics |= self._learn(samples)
            self.step += 1
            self.mixture.learned(metrics)
            self.schedule.learned(metrics)
            self.opponents.updated(self.step)
            self.rollouts.updated(self)
            metrics |= self.mixture.metrics() | self.opponents.metrics() | self.rollouts.metrics()
            return {"step": self.step, **metrics}

    def plan(self, step: int) -> list[Planned]:
        """The games of a step and who sits where: from (seed, step) and what the opponents and
        the mixture remember now."""
        luck = random.Random(f"{self.seed}/{step}")
        counts = self.mixture.counts(luck, self.games_a_step)
        entries = [e for e, n in zip(self.mixture.entries, counts, strict=True) for _ in range(n)]
        self.opponents.begin()
        seatings = [self.opponents.seat(e.game, self.agents(e.game), luck) for e in entries]
        pairs = zip(self.mixture.entries, counts, strict=True)
        deals = [deal for entry, n in pairs if n for deal in entry.deals(luck, n)]
        return [
            Planned(Match(entry.game, s.seats, deal, luck.getrandbits(63)), s)
            for entry, s, deal in zip(entries, seatings, deals, strict=True)
        ]

    def agents(self, game: Game) -> dict[Role, Any]:
        """The learning agent of each role of a game."""
        return {role: self.players[self.player_of(role)].agent for role in game.roles}

    def _samples(self, game: Played, episode: Episode) -> list[Sample]:
        if episode.void is not None:
            return []
        return [self._sample(game, episode, role) for role in sorted(game.seating.learning)]

    def _sample(self, game: Played, episode: Episode, role: Role) -> Sample:
        credit = self.credit(len(episode.turns_of(role)))
        reward = self.reward(episode, role)
        player = game.seating.owner.get(role) or self.player_of(role)
        return Sample(episode, role, reward, credit, player=player, version=game.version)

    def _learn(self, samples: Sequence[Sample]) -> Metrics:
        """Each player learns from its own samples; with several, their metrics bear its name."""
        for player in self.players.values():
            player.rest()
        learners = {name: player.learner for name, player in self.players.items()}
        weighed, metrics = importance.of_games(learners, samples, self.step)
        kept = [s for s in weighed if self.schedule.learns(s.part, self.step)]
        for drop in self.filters:
            kept = drop(kept)
            metrics |= drop.metrics() if isinstance(drop, Filters) else {}
        metrics["kept"] = len(kept) / len(samples)
        progress = self.step / max(self.steps - 1, 1)
        for name, player in self.players.items():
            own = [s for s in kept if s.player == name]
            something = any(s.turns for s in own)  # was said that could be learned from
            learned: Metrics = {}
            if something:
                learned = player.learner.mismatch(own)  # before the weights change
                learned |= self.method.learn(player.learner, own, progress)
            player.publish()  # even so: its engine was at rest
            mark = f"@{name}" if len(self.players) > 1 else ""
            if mark and own:
                learned["reward"] = sum(s.reward for s in own) / len(own)
            metrics |= {f"{key}{mark}": value for key, value in learned.items()}
        return metrics

    @property
    def group(self) -> Group:
        """The processes that train these players together: the same of all of them."""
        return next((player.learner.group for player in self.players.values()), ALONE)

    def forget(self) -> None:
        """Empty the engines' memories. What was read before changes the last digits of what comes,
        and a resumed run, which measures at other times, goes on exactly."""
        for player in self.players.values():
            player.forget()
        self.opponents.forget()

    def publish(self) -> None:
        """Bring every engine up to date with the weights of its learner."""
        for player in self.players.values():
            player.publish()

    def state_dict(self) -> dict[str, Any]:
        """Everything that shapes learning, except the weights of the models themselves. All of a
        learner group must call it, and only rank 0's has the learners' tensors."""
        return {
            "step": self.step,
            "learners": {name: p.learner.state_dict() for name, p in self.players.items()},
            "method": self.method.state_dict(),
            "mixture": self.mixture.state_dict(),
            "opponents": self.opponents.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step = state["step"]
        for name, player in self.players.items():
            player.learner.load_state_dict(state["learners"][name])
        self.method.load_state_dict(state["method"])
        self.mixture.load_state_dict(state["mixture"])
        self.opponents.load_state_dict(state["opponents"])
        self.schedule.load_state_dict(state["schedule"])
        self.publish()
