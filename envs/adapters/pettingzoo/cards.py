"""PettingZoo's poker games, which RLCard plays, in words."""

from typing import Any

from sparring.envs.adapters.pettingzoo.game import Kind
from sparring.envs.core import Declaration, Role, Sum

LIMIT_ACTIONS = ("call", "raise", "fold", "check")
NO_LIMIT_ACTIONS = ("fold", "check or call", "raise half the pot", "raise the pot", "all in")


def _duel(turns: int, most: float) -> Declaration:
    return Declaration(sum=Sum.ZERO, hidden_information=True, max_turns=turns, low=-most, high=most)


def _seen(env: Any, role: Role) -> dict[str, Any]:
    """The role's own observation as RLCard has it before it becomes numbers."""
    return dict(env.env.get_state(env._name_to_int(role))["raw_obs"])


def _card(index: str) -> str:
    """RLCard's ``SA`` is the ace of spades: ``As``."""
    return f"{index[1]}{index[0].lower()}"


def _chips(env: Any, role: Role, seen: dict[str, Any]) -> str:
    mine = int(seen["my_chips"])
    return f"In the pot: {mine} from you, {int(sum(seen['all_chips'])) - mine} from the other."


def _leduc_hand(env: Any, role: Role) -> str:
    seen = _seen(env, role)
    public = f"Public card: {seen['public_card'][1]}." if seen["public_card"] else "No public card."
    return f"Your card: {seen['hand'][1]}. {public} {_chips(env, role, seen)}"


def _holdem_hand(env: Any, role: Role) -> str:
    seen = _seen(env, role)
    cards = " ".join(map(_card, seen["hand"]))
    table = " ".join(map(_card, seen["public_cards"])) or "none"
    return f"Your cards: {cards}. Public cards: {table}. {_chips(env, role, seen)}"


def _leduc_rules(env: Any, role: Role) -> str:
    return (
        f"Leduc hold'em as RLCard plays it, with blinds. You are {role}. Six cards: J, Q, K twice. "
        "One seat, drawn at random, puts in 1 and acts first, the other puts in 2. One private "
        "card, a round of betting (raises of 2), one public card, a second round (raises of 4); at "
        "most two raises a round. A pair with the public card wins, else the higher card, equal "
        "ones share. Payoffs are chips divided by 2. Reply with one of: call, raise, fold, check."
    )


def _limit_rules(env: Any, role: Role) -> str:
    return (
        f"Limit Texas hold'em for two as RLCard plays it. You are {role}. Blinds 1 and 2, the seat "
        "of the small one is drawn at random and acts first; two private cards, then 3, 1 and 1 "
        "public ones, and betting before and after each. Raises of 2 in the first two rounds, 4 in "
        "the last two, at most four a round. The best five of seven cards win. After the first "
        "round, whoever did not act last begins. Payoffs are chips divided by 2. Reply with one "
        "of: call, raise, fold, check."
    )


def _no_limit_rules(env: Any, role: Role) -> str:
    return (
        f"No-limit Texas hold'em for two as RLCard plays it. You are {role}. Each has 100 chips; "
        "blinds 1 and 2, drawn at random, the small one acts first; two private cards, then 3, 1 "
        "and 1 public ones, and betting before and after each. A raise puts in half the pot, the "
        "pot, or all you have. The best five of seven cards win. Payoffs are chips. Reply with one "
        "of: fold, check or call, raise half the pot, raise the pot, all in."
    )


def _limit_label(env: Any, action: int) -> str:
    return LIMIT_ACTIONS[action]


CARDS = {
    "leduc_holdem_v4": Kind(
        module="rlcard_envs.leduc_holdem",
        rules=_leduc_rules,
        label=_limit_label,
        # A round: a check or call, two raises and their answer; the pot 2 + 2 * 2 + 2 * 4 a seat.
        declares=lambda env: _duel(8, 7.0),
        hand=_leduc_hand,
    ),
    "texas_holdem_v4": Kind(
        module="rlcard_envs.texas_holdem",
        rules=_limit_rules,
        label=_limit_label,
        # A round: a check or call, four raises and their answer; 2 + 4 * (2 + 2 + 4 + 4) a seat.
        declares=lambda env: _duel(24, 25.0),
        hand=_holdem_hand,
    ),
    "texas_holdem_no_limit_v6": Kind(
        module="rlcard_envs.texas_holdem_no_limit",
        rules=_no_limit_rules,
        label=lambda env, action: NO_LIMIT_ACTIONS[action],
        # Each raise makes the pot, of 3 at least, half as large again, and it ends at 200.
        declares=lambda env: _duel(4 * 2 + 12, 100.0),
        hand=_holdem_hand,
    ),
}
