"""Tables of tournaments that were never played."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest

from sparring.agents.arena.table import SCHEMA


@dataclass(frozen=True)
class Played:
    """One game: its deal, and of each role the agent and its payoff, in seat order."""

    deal: int
    seats: Mapping[str, tuple[str, float]]
    sides: Mapping[str, str] = field(default_factory=dict)
    unrated: Sequence[str] = ()
    void: bool = False
    game: str = "G"
    more: Mapping[str, Any] = field(default_factory=dict)


def made(games: Sequence[Played]) -> pl.DataFrame:
    """The table of these games. The opponent is the other agent among the rated, or oneself."""
    rows = []
    for index, game in enumerate(games):
        rated = {agent for role, (agent, _) in game.seats.items() if role not in game.unrated}
        for seat, (role, (agent, payoff)) in enumerate(game.seats.items()):
            counts = role not in game.unrated
            rows.append(
                {
                    "game": game.game,
                    "index": index,
                    "round": 0,
                    "deal": game.deal,
                    "seed": game.deal,
                    "seat": seat,
                    "role": role,
                    "part": "",
                    "side": game.sides.get(role, role),
                    "agent": agent,
                    "opponent": min(rated - {agent}, default=agent) if counts else "",
                    "rated": counts,
                    "payoff": 0.0 if game.void else float(payoff),
                    "answers": 4,
                    "legal": 3,
                    "tokens": 20,
                    "turns": 4 * len(game.seats),
                    "end": "void" if game.void else "played",
                    "forfeited": False,
                    **game.more,
                }
            )
    measures = sorted({name for row in rows for name in row if name not in SCHEMA})
    return pl.DataFrame(rows, schema={**SCHEMA, **dict.fromkeys(measures, pl.Float64)})


@pytest.fixture(scope="session")
def played() -> type[Played]:
    return Played


@pytest.fixture(scope="session")
def tabled() -> Callable[[Sequence[Played]], pl.DataFrame]:
    return made


@pytest.fixture(scope="session")
def duels() -> Callable[..., pl.DataFrame]:
    """A table from (first, second, payoff of the first) or (…, deal): a deal for each, if none."""

    def build(found: Sequence[tuple[Any, ...]], **more: Any) -> pl.DataFrame:
        return made(
            [
                Played(
                    deal=rest[0] if rest else at,
                    seats={"first": (one, payoff), "second": (two, -payoff)},
                    **more,
                )
                for at, (one, two, payoff, *rest) in enumerate(found)
            ]
        )

    return build
