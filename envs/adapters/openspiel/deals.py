"""All that chance can do in a game, where that does not depend on play and is short to list."""

import random
from itertools import product
from typing import Any

MOST_DEALS = 5_000
MOST_POSITIONS = 20_000
MOST_DRAWS = 16
"""Longer deals are not tried: with two outcomes at each draw they would be too many."""

Deal = tuple[int, ...]
"""The outcomes of the chance nodes of one game, in order; a game may end before all are used."""

Outcomes = tuple[tuple[int, float], ...]


def deals(game: Any) -> list[tuple[float, Deal]] | None:
    """Every deal with its probability; ``None`` where play changes the chances, or too many.

    A game may draw in the middle, like the public card of Leduc poker: what may be drawn then
    depends on earlier draws only, so all can be drawn beforehand. That is checked by a walk, which
    goes no further than the most draws that the game says it makes. Some make more than they say
    (Leduc poker for three): a random game from the end of each deal checks that too.
    """
    most = game.max_chance_nodes_in_history()
    if most > MOST_DRAWS:
        return None
    rng = random.Random(0)
    seen: dict[Deal, Outcomes] = {}
    left, walked = [(game.new_initial_state(), Deal())], 0
    while left:
        state, drawn = left.pop()
        walked += 1
        if walked > MOST_POSITIONS or len(seen) > MOST_DEALS:
            return None
        if state.is_terminal():
            continue
        if len(drawn) == most:
            if _draws_more(state, rng):
                return None
            continue
        if state.is_chance_node():
            chances = tuple((a, p) for a, p in state.chance_outcomes() if p > 0)
            if seen.setdefault(drawn, chances) != chances:
                return None
            left += [(state.child(outcome), (*drawn, outcome)) for outcome, _ in chances]
        elif state.is_simultaneous_node():
            each = [state.legal_actions(p) or [0] for p in range(game.num_players())]
            for together in product(*each):
                if len(left) > MOST_POSITIONS:
                    return None
                after = state.clone()
                after.apply_actions(list(together))
                left.append((after, drawn))
        else:
            left += [(state.child(action), drawn) for action in state.legal_actions()]
    return _grow(seen)


def _draws_more(state: Any, rng: random.Random) -> bool:
    """Whether a random game from here meets another chance node."""
    at = state.clone()
    while not at.is_terminal():
        if at.is_chance_node():
            return True
        if at.is_simultaneous_node():
            each = [at.legal_actions(p) or [0] for p in range(at.num_players())]
            at.apply_actions([rng.choice(legal) for legal in each])
        else:
            at.apply_action(rng.choice(at.legal_actions()))
    return False


def _grow(seen: dict[Deal, Outcomes]) -> list[tuple[float, Deal]] | None:
    """The longest deals: those after which nothing more is drawn, whatever is played."""
    growing: list[tuple[float, Deal]] = [(1.0, ())]
    full = []
    while growing:
        chance, drawn = growing.pop()
        if drawn not in seen:
            full.append((chance, drawn))
        growing += [(chance * p, (*drawn, outcome)) for outcome, p in seen.get(drawn, ())]
        if len(full) > MOST_DEALS:
            return None
    return sorted(full, key=lambda deal: deal[1])
