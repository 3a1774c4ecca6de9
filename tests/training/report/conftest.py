"""Folders of runs and tournaments, as the library writes them, for the tests of the reports."""

import asyncio
import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sparring.agents.arena.estimates import Estimate
from sparring.agents.arena.folder import finite
from sparring.agents.arena.summary import GameSummary, Habits, Paired, Record, Summary
from sparring.agents.optimal import optimal
from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.agents.replay import ask_chances, replay
from sparring.envs import game
from sparring.envs.core import Action, Observation
from sparring.envs.solve import walk
from sparring.training.report.keep import policy

KUHN = game("KuhnPoker-v0")
EVIL = "</script><img src=x onerror=alert(1)><b>&amp;'\"`${1}"
"""What an agent might be called or say."""


@dataclass
class Says:
    """Answers by the number of its own earlier turns, with a thought."""

    answers: Sequence[str]
    name: str = "says"

    async def act(self, observation: Observation) -> Action:
        at = len(observation.turns)
        return Action(self.answers[at], private=f"secret thought {at} {EVIL}", tokens=(1,) * 3)


def told(spec: str, seats: Any = None, seed: int = 1) -> dict[str, Any]:
    """The replay of one game; ``seats`` by role, by default all random."""
    rules = game(spec)
    seats = seats or dict.fromkeys(rules.roles, RandomAgent())
    episode = asyncio.run(play(Match(rules, seats, seed, seed)))
    return replay(rules, episode, asyncio.run(ask_chances(episode, seats)))


def some_replays() -> list[dict[str, Any]]:
    """Games of several kinds; the first has refused answers, thoughts and a forfeit."""
    first = {
        "player_0": Says(["bluff", "check", "?", f"no {EVIL}"], name=f"mean {EVIL}"),
        "player_1": Says(["bet"]),
    }
    kuhn = {"player_0": optimal("KuhnPoker-v0"), "player_1": RandomAgent()}
    return [
        told("KuhnPoker-v0", first),
        told("KuhnPoker-v0", kuhn, 2),
        told("TicTacToe-v0"),
        told("RockPaperScissors-v0(rounds=2)"),
        told("DealOrNoDeal-v0"),
        told("WhoIsTheSpy-v0"),
    ]


def write_lines(path: Path, lines: Sequence[Any]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def metrics(steps: int, seed: int = 0) -> list[dict[str, Any]]:
    """The numbers of a run that goes well."""
    luck = random.Random(seed)
    lines: list[dict[str, Any]] = [{"step": 0, "nash_conv": 0.91, "legal_mass_min": 0.9}]
    for step in range(1, steps + 1):
        win = -1 / 18 + luck.gauss(0, 0.03)
        lines.append(
            {
                "step": step,
                "games": 256.0,
                "reward/player_0": win,
                "reward/player_1": -win,
                "legal": 1 - 0.05 * math.exp(-step / 30),
                "entropy": 0.4 + 0.25 * math.exp(-step / 20) + luck.gauss(0, 0.01),
                "kl_step": 0.01 * math.exp(-step / 60),
                "kl_magnet": 0.1,
                "answer_tokens": 2.0 + luck.random() / 10,
                "advantage_size": 1.0 + math.exp(-step / 30),
                "kept": 0.5 + 0.1 * luck.random(),
                "seconds": 0.7 * step,
            }
        )
        if step % 5 == 0:
            lines[-1] |= {"nash_conv": 0.9 * math.exp(-step / 50), "value/player_0": -1 / 18}
    return lines


GAMES = ("KuhnPoker-v0", "TicTacToe-v0(board=False)", "pettingzoo:classic/chess_v6")


def metrics_of_several(steps: int) -> list[dict[str, Any]]:
    """The numbers of a run of three games, of which two are small enough to solve."""
    luck = random.Random(7)
    lines: list[dict[str, Any]] = [{"step": 0, **{f"nash_conv/{g}": 0.9 for g in GAMES[:2]}}]
    for step in range(1, steps + 1):
        line: dict[str, Any] = {"step": step, "games": 96.0, "legal": 0.9, "entropy": 0.5}
        line |= {"answer_tokens": 4.0, "advantage_size": 1.0, "kept": 1.0, "seconds": 0.5 * step}
        for i, name in enumerate(GAMES):
            roles = ("white", "black") if i == 2 else ("player_0", "player_1")
            line |= {f"reward/{name}/{role}": luck.gauss(0, 0.1) for role in roles}
            line |= {f"{kind}/{name}": 0.8 + i / 10 for kind in ("legal", "advantage_size")}
            line |= {f"share/{name}": (1 + step / steps * (i - 1) / 2) / 3}
            line |= {f"answer_tokens/{name}": 2.0 + i}
        if step % 5 == 0:
            line |= {f"nash_conv/{g}": (i + 1) / step for i, g in enumerate(GAMES[:2])}
            line |= {f"value/{GAMES[0]}/player_{i}": (-1) ** (i + 1) / 18 for i in (0, 1)}
        lines.append(line)
    return lines


@pytest.fixture(scope="session")
def new_mix() -> Callable[..., Path]:
    """A function that writes the folder of a run of several games, with alarms."""

    def make(folder: Path, *, steps: int = 40) -> Path:
        folder.mkdir(parents=True)
        options = {"mix": list(GAMES), "steps": steps, "trackers": ["tensorboard"]}
        (folder / "config.json").write_text(json.dumps({"recipe": "spiral", "options": options}))
        write_lines(folder / "metrics.jsonl", metrics_of_several(steps))
        said = {"says": f"Fewer answers are legal. {EVIL}", "do": "See in transcripts/."}
        news = [
            {"step": 12, "alarm": f"legal/{GAMES[2]}", **said},
            {"step": 15, "alarm": "entropy", "says": "The policy hardly varies.", "do": "Less."},
            {"step": 20, "alarm": f"legal/{GAMES[2]}", "over": True},
        ]
        write_lines(folder / "alarms.jsonl", news)
        write_lines(folder / "replays.jsonl", [{"step": steps, **told(g)} for g in GAMES[:2]])
        return folder

    return make


@pytest.fixture(scope="session")
def new_run() -> Callable[..., Path]:
    """A function that writes the folder of a run."""

    def make(folder: Path, *, steps: int = 60, seed: int = 0, rate: float = 0.1) -> Path:
        folder.mkdir(parents=True)
        options = {"game": "KuhnPoker-v0", "steps": steps, "seed": seed, "update": {"rate": rate}}
        config = {"recipe": "kuhn", "options": options}
        (folder / "config.json").write_text(json.dumps(config))
        write_lines(folder / "metrics.jsonl", metrics(steps, seed))
        table = policy(RandomAgent(), walk(KUHN), steps)
        (folder / "policy.json").write_text(json.dumps(table))
        write_lines(folder / "replays.jsonl", [{"step": steps, **g} for g in some_replays()])
        return folder

    return make


def estimate(mean: float, half: float = 0.05) -> Estimate:
    return Estimate(mean, mean - half, mean + half, 100)


def game_summary(name: str, agents: Sequence[str], **changes: Any) -> GameSummary:
    """One game, every part of it there."""
    n = len(agents)
    strength = {agent: 0.1 * (n / 2 - i) for i, agent in enumerate(agents)}
    scores = {agent: estimate(s) for agent, s in strength.items()}
    cross = {a: {b: estimate(strength[a] - strength[b]) for b in agents if b != a} for a in agents}
    record = Record(100, estimate(0.5), estimate(0.2), estimate(0.3), estimate(0.1))
    habits = Habits(estimate(0.99, 0.01), estimate(0.0, 0.0), estimate(2.0), estimate(7.5))
    made = GameSummary(
        game=name,
        sum="zero-sum",
        games=100 * n * (n - 1),
        deals=100,
        void=2,
        scores=scores,
        cross=cross,
        records={a: {"player_0": record, "player_1": record} for a in agents},
        habits=dict.fromkeys(agents, habits),
        measures={"right_votes": scores},
        paired=(
            Paired(agents[0], agents[-1], estimate(0.4), 0.0001),
            Paired(agents[0], agents[1], estimate(0.01), 0.7),
        ),
        ratings={a: estimate(1000 * s, 20) for a, s in strength.items()},
        sides={"player_0": estimate(-12.0, 5), "player_1": estimate(12.0, 5)},
        nash={a: estimate(1 / n, 0.1) for a in agents},
        alpha_rank={a: estimate(1 / n, 0.1) for a in agents},
    )
    return replace(made, **changes)


AGENTS = ("optimal", "run:runs/kuhn@200", "run:runs/kuhn@50", "random")


@pytest.fixture(scope="session")
def new_tournament() -> Callable[..., Path]:
    """A function that writes the folder of a tournament."""

    def make(
        folder: Path, *games: GameSummary, agents: Sequence[str] = AGENTS, whole: bool = True
    ) -> Path:
        folder.mkdir(parents=True)
        listed = games or (game_summary("KuhnPoker-v0", agents),)
        config = {"agents": list(agents), "game": [g.game for g in listed]}
        (folder / "config.json").write_text(json.dumps(config))
        overall = listed[0].ratings if len(listed) > 1 else None
        summary = Summary({g.game: g for g in listed}, overall)
        (folder / "summary.json").write_text(json.dumps(finite(asdict(summary))))
        if whole:
            lines = [{"index": i, **g} for i, g in enumerate(some_replays())]
            write_lines(folder / "replays.jsonl", lines)
        return folder

    return make


@pytest.fixture(scope="session")
def evil() -> str:
    return EVIL


@pytest.fixture(scope="session")
def summary_of() -> Callable[..., GameSummary]:
    return game_summary
