"""Tournaments with known strengths, to see whether intervals keep their word.

Agents of ratings θ meet in a game for two, every pair on every deal, from both seats. In seat order
the first wins with exactly the Bradley-Terry probability p, and all games of a deal share its luck:

    the first seat wins  iff  Φ(√ρ·z_deal + √(1 − ρ)·ε_game) < p,    z, ε ~ N(0, 1)

Φ(...) is uniform on (0, 1) for every ρ, so ρ changes how games hang together and nothing else. The
payoff is +1 or −1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import expit
from scipy.stats import norm

from sparring.agents.arena.cells import Floats, Ints
from sparring.agents.arena.ratings import ELO
from sparring.agents.arena.table import SCHEMA

GAME = "Simulated"
SEATS = ("player_0", "player_1")


@dataclass(frozen=True, slots=True)
class Setting:
    """``elo``: each agent's rating. ``seat``: Elo points that the first seat is worth more than the
    second. ``shared``: ρ, how much of a game's luck is its deal's."""

    elo: Sequence[float]
    deals: int
    seat: float = 0.0
    shared: float = 0.8

    @property
    def agents(self) -> list[str]:
        return [f"agent_{n}" for n in range(len(self.elo))]

    def wins(self) -> Floats:
        """p: the probability that the row's agent, in the first seat, beats the column's."""
        elo = np.asarray(self.elo, dtype=np.float64)
        return np.asarray(expit((elo[:, None] - elo[None, :] + self.seat) / ELO))

    def payoffs(self) -> Floats:
        """The true mean payoff of the row's agent against the column's, both seatings."""
        p = self.wins()
        return np.asarray(p - p.T)

    def ratings(self) -> Floats:
        """The true ratings, mean 0."""
        elo = np.asarray(self.elo, dtype=np.float64)
        return np.asarray(elo - elo.mean())


def simulate(setting: Setting, luck: np.random.Generator) -> pl.DataFrame:
    """The table (``table.py``) of one such tournament."""
    n = len(setting.elo)
    one, two = np.nonzero(~np.eye(n, dtype=bool))  # every ordered pair: first seat, second seat
    shape = setting.deals, len(one)
    own, shared = luck.standard_normal(shape), luck.standard_normal((setting.deals, 1))
    drawn = norm.cdf(np.sqrt(setting.shared) * shared + np.sqrt(1 - setting.shared) * own)
    won = drawn < setting.wins()[one, two]
    first, second = np.broadcast_to(one, shape), np.broadcast_to(two, shape)
    deal = np.broadcast_to(np.arange(setting.deals)[:, None], shape).ravel()
    paid = np.where(won, 1.0, -1.0).ravel()
    names = np.array(setting.agents)
    games = len(deal)

    def seat(number: int, agent: Ints, opponent: Ints, payoff: Floats) -> pl.DataFrame:
        columns: dict[str, Any] = {
            "game": pl.repeat(GAME, games, eager=True),
            "index": np.arange(games),
            "deal": deal,
            "seed": deal,
            "seat": np.full(games, number),
            "role": pl.repeat(SEATS[number], games, eager=True),
            "side": pl.repeat(SEATS[number], games, eager=True),
            "agent": names[agent.ravel()],
            "opponent": names[opponent.ravel()],
            "payoff": payoff,
        }
        rest = {"round": 0, "part": "", "rated": True, "answers": 1, "legal": 1, "tokens": 0}
        ends = {"turns": 2, "end": "played", "forfeited": False, "why": ""}
        made = pl.DataFrame(columns).with_columns(
            **{k: pl.lit(v) for k, v in (rest | ends).items()}
        )
        return made.select(*SCHEMA).cast(SCHEMA)  # type: ignore[arg-type]

    return pl.concat([seat(0, first, second, paid), seat(1, second, first, -paid)])
