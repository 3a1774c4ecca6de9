"""One-shot games in which all choose at once, and their repetition."""

from itertools import product
from typing import Any

from sparring.envs.adapters.openspiel import library
from sparring.envs.adapters.openspiel.render.base import Parameters, Renderer
from sparring.envs.adapters.openspiel.render.words import lower, nothing

ONE_SHOT = {
    "matrix_pd": "Both choose at once, once: cooperate or defect. Both cooperate: 5 each. Both "
    "defect: 1 each. Else the one that defects gets 10, the other 0.",
    "matrix_sh": "Both choose at once, once: stag or hare. Both stag: 2 each. Hare always gets 1, "
    "stag alone gets 0.",
    "matrix_bos": "Both choose at once, once: Bach or Stravinsky. Both Bach: player_0 gets 3, "
    "player_1 gets 2. Both Stravinsky: player_0 gets 2, player_1 gets 3. Else both get 0.",
    "matrix_mp": "Both choose at once, once: heads or tails. Where they match, player_0 wins 1 "
    "from player_1, else player_1 wins 1 from player_0.",
    "matrix_rps": "Both choose at once, once. Rock beats scissors, scissors beat paper, paper "
    "beats rock; the winner gets 1 from the loser.",
    "matching_pennies_3p": "All three choose at once, once: heads or tails. player_0 wants the "
    "same as player_1, player_1 the same as player_2, player_2 the opposite of player_0. Whoever "
    "gets what it wants wins 1, else it loses 1.",
}


MOST_CELLS = 64
"""A longer table is not written out."""


def one_shot(raw: Any) -> Renderer | None:
    """For a game in which all choose once, at once: its rules are what each choice of all pays."""
    told = _table(raw)
    return Renderer(told, see=nothing, label=lower) if told else None


def _table(raw: Any) -> str:
    """Empty for another kind of game, or one with too many choices."""
    start = raw.new_initial_state()
    if raw.max_game_length() != 1 or not start.is_simultaneous_node():
        return ""
    seats = range(raw.num_players())
    cells = list(product(*map(start.legal_actions, seats)))
    if len(cells) > MOST_CELLS:
        return ""
    rows = []
    for cell in cells:
        end = start.clone()
        end.apply_actions(list(cell))
        names = (start.action_to_string(seat, cell[seat]).lower() for seat in seats)
        paid = ", ".join(f"{payoff:g}" for payoff in end.returns())
        rows.append(f"{' - '.join(names)}: {paid}")
    roles = ", ".join(f"player_{seat}" for seat in seats)
    return f"All choose at once, once. Choices and payoffs of {roles}: {'; '.join(rows)}."


def _bare(name: str) -> str:
    return name.strip("[]").lower()


def _blotto(known: Parameters, seat: int) -> str:
    return (
        f"Everybody spreads {known['coins']} coins over {known['fields']} fields at once, once; "
        "answer with the coins on each field, in order. A field is won by whoever has most coins "
        "there, a tie by nobody. Most fields win: winners share 1, losers share -1."
    )


def _repeated(known: Parameters, seat: int) -> str:
    stage = dict(known["stage_game"])
    name = stage.pop("name")
    raw = library.pyspiel().load_game(name, stage)
    told = _blotto(raw.get_parameters(), seat) if name == "blotto" else _table(raw)
    told = ONE_SHOT.get(name, told or f"The game {name}.").replace(", once", "")
    return f"{told} Played {known['num_repetitions']} times; all choices are told after each round."


MATRIX = {
    **{name: Renderer(rules, see=nothing, label=lower) for name, rules in ONE_SHOT.items()},
    "blotto": Renderer(_blotto, see=nothing, label=_bare),
    "repeated_game": Renderer(_repeated, see=nothing, label=_bare),
}
