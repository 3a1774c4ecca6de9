"""The tidy table of a tournament: one row for each seat of each game.

Every statistic of the arena is computed from these columns and from nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from sparring.envs.core import Episode, Role

SCHEMA: dict[str, pl.datatypes.DataTypeClass] = {
    "game": pl.String,  # the spec: KuhnPoker-v0(players=3)
    "index": pl.Int64,  # number of the game in the tournament; its seats share it
    "round": pl.Int32,  # of the schedule, from 0
    "deal": pl.Int64,  # number of the deal among those of this game: the cluster of every interval
    "seed": pl.Int64,  # of the deal
    "seat": pl.Int16,  # number of the role, in the game's order
    "role": pl.String,
    "part": pl.String,  # the hidden part that it played; "" in games without parts
    "side": pl.String,  # who wins and loses together: the team where there are teams, else the role
    "agent": pl.String,
    "opponent": pl.String,  # the other agent of the pairing; its own name in self-play
    "rated": pl.Boolean,  # not so for an agent that holds a fixed seat, such as a judge
    "payoff": pl.Float64,  # in the game's own unit
    "answers": pl.Int32,  # of this seat, refused ones included
    "legal": pl.Int32,  # of them, accepted
    "tokens": pl.Int64,  # sampled in them; 0 for agents without tokens
    "turns": pl.Int32,  # answers of all seats of the game
    "end": pl.String,  # "played", "forfeit" or "void"
    "forfeited": pl.Boolean,  # this seat did
    "why": pl.String,  # the game is void; "" where it is not
}
"""Columns and their types. A game's own measures follow, each a Float64 ``outcome.NAME``."""

OUTCOME = "outcome."


def rows(
    episode: Episode,
    *,
    index: int,
    round: int,
    deal: int,
    names: Mapping[Role, str],
    opponents: Mapping[Role, str],
    sides: Mapping[Role, str],
    rated: Mapping[Role, bool],
) -> list[dict[str, Any]]:
    """The rows of one game. ``names`` (all roles, in the game's order), ``opponents``, ``sides``
    and ``rated`` are by role."""
    end = "void" if episode.void is not None else "forfeit" if episode.forfeits else "played"
    found = []
    for seat, role in enumerate(names):
        turns = episode.turns_of(role)
        found.append(
            {
                "game": episode.game,
                "index": index,
                "round": round,
                "deal": deal,
                "seed": episode.seed,
                "seat": seat,
                "role": role,
                "part": episode.parts.get(role, ""),
                "side": sides[role],
                "agent": names[role],
                "opponent": opponents[role],
                "rated": rated[role],
                "payoff": float(episode.payoffs[role]),
                "answers": len(turns),
                "legal": sum(turn.accepted for turn in turns),
                "tokens": sum(len(turn.action.tokens) for turn in turns),
                "turns": len(episode.turns),
                "end": end,
                "forfeited": role in episode.forfeits,
                "why": episode.void or "",
                **{f"{OUTCOME}{name}": float(v) for name, v in episode.outcome.items()},
            }
        )
    return found


def table(found: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """A data frame of rows, with the types of ``SCHEMA``; measures that a game lacks are null."""
    measures = sorted({name for row in found for name in row if name.startswith(OUTCOME)})
    schema = {**SCHEMA, **dict.fromkeys(measures, pl.Float64)}
    return pl.DataFrame(list(found), schema=schema)
