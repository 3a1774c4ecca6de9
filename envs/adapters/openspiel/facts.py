"""What never changes about a game of OpenSpiel, read from the library once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sparring.envs.adapters.openspiel import library
from sparring.envs.adapters.openspiel.render import PLAIN, RENDERERS, Renderer, one_shot
from sparring.envs.core import Declaration, Role, Sum, seats

STRINGS = {"observation": "observation_string", "information": "information_state_string"}


@dataclass(frozen=True, slots=True)
class Facts:
    """``string``: the method that says what a player sees; ``None`` if the moves say it all.

    ``moves_told``: everybody is told every move. ``paid_at_end``: payoffs are 0 before the end.
    ``sampled``: the library draws the luck itself. ``cloned``: its states can be cloned; those of
    a sampled game share one generator.
    """

    raw: Any
    long_name: str
    renderer: Renderer
    roles: tuple[Role, ...]
    parameters: Mapping[str, Any]
    declares: Declaration
    string: str | None
    moves_told: bool
    paid_at_end: bool
    sampled: bool
    cloned: bool


@cache
def facts(name: str, options: library.Options) -> Facts:
    """Raises ``BadInput`` where OpenSpiel does not load it."""
    raw = library.raw(name, options)
    kind, types = raw.get_type(), library.pyspiel().GameType
    renderer = RENDERERS.get(name) or one_shot(raw) or PLAIN
    players = raw.num_players()
    all_open = kind.information != types.Information.IMPERFECT_INFORMATION
    hidden = not all_open if renderer.hidden is None else renderer.hidden
    return Facts(
        raw=raw,
        long_name=kind.long_name,
        renderer=renderer,
        roles=seats(players),
        parameters={**raw.get_parameters(), "players": players},
        declares=_declares(raw, kind, types, hidden),
        string=_string(kind, renderer.string),
        moves_told=all_open if renderer.moves is None else renderer.moves,
        paid_at_end=kind.reward_model == types.RewardModel.TERMINAL,
        sampled=library.sampled(raw),
        cloned=not library.sampled(raw) and name not in library.BROKEN_CLONES,
    )


def _string(kind: Any, preferred: str) -> str | None:
    """The preferred string, else the other; asking for one that is missing prints an error."""
    has = {
        "observation": kind.provides_observation_string,
        "information": kind.provides_information_state_string,
    }
    for which in sorted(has, key=lambda which: which != preferred):
        if has[which]:
            return STRINGS[which]
    return None


def _declares(raw: Any, kind: Any, types: Any, hidden: bool) -> Declaration:
    sums = {
        types.Utility.ZERO_SUM: Sum.ZERO,
        types.Utility.CONSTANT_SUM: Sum.CONSTANT,
        types.Utility.IDENTICAL: Sum.COOPERATIVE,
    }
    players = raw.num_players()
    adds = Sum.GENERAL if players == 1 else sums.get(kind.utility, Sum.GENERAL)
    at_once = kind.dynamics == types.Dynamics.SIMULTANEOUS
    return Declaration(
        sum=adds,
        total=raw.utility_sum() if adds is Sum.CONSTANT else 0.0,
        hidden_information=hidden,
        max_turns=raw.max_game_length() * (players if at_once else 1),
        low=raw.min_utility(),
        high=raw.max_utility(),
    )
