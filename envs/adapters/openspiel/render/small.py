"""Small games with hidden information, most of them solvable exactly."""

import re
from itertools import product

from sparring.envs.adapters.openspiel.render.base import Parameters, Renderer
from sparring.envs.adapters.openspiel.render.words import (
    RANKS,
    after,
    fields,
    lower,
    swap,
    without,
)


def _deck(players: int) -> str:
    """Ranks of Kuhn and Leduc poker: one more than players, lowest first."""
    return RANKS[-players - 1 :]


def _kuhn(known: Parameters, seat: int) -> str:
    cards = " < ".join(_deck(known["players"]))
    return (
        f"Cards {cards}, one each. Everybody antes 1; one bet of 1 in all, player_0 acts first. "
        "pass checks, or folds to a bet; bet bets 1, or calls a bet. The highest card still in "
        "wins the pot."
    )


def _kuhn_card(text: str, known: Parameters) -> str:
    found = re.match(r"\d+", text)
    return f"Your card: {_deck(known['players'])[int(found[0])]}" if found else ""


def _leduc(known: Parameters, seat: int) -> str:
    cards = " < ".join(_deck(known["players"]))
    kept = " An answer that does not fit counts as a call." if known["action_mapping"] else ""
    suits = "" if known["suit_isomorphism"] else " a and b are the suits, they change nothing."
    return (
        f"Two cards each of {cards}; one card each, ante 1. Two rounds of betting, "
        f"player_{known['starting_player']} first; after the first a public card is shown. call "
        "also checks. A raise adds 2 in the first round, 4 in the second, at most two a round. A "
        "pair with the public card wins, else the higher card; equal cards split the pot."
        f"{suits}{kept}"
    )


def _leduc_cards(text: str, known: Parameters) -> str:
    deck, seen = _deck(known["players"]), fields(text)

    def card(number: str) -> str:
        if known["suit_isomorphism"]:
            return deck[int(number)]
        return deck[int(number) // 2] + "ab"[int(number) % 2]

    words = {"Private": "Your card", "Public": "Public card"}
    return "\n".join(f"{words[k]}: {card(seen[k])}" for k in words if seen.get(k, "").isdigit())


def _liars_dice(known: Parameters, seat: int) -> str:
    higher = "more dice, or as many of a higher face"
    if known["bidding_rule"] == "reset-quantity":
        higher = "a higher face, or more dice of the same face"
    sides = known["dice_sides"]
    return (
        f"Everybody rolls hidden dice with {sides} sides. In turn bid how many dice of a face "
        f"there are in all, like 1-2 for one 2; every bid must be higher: {higher}. Face {sides} "
        "is wild. Or say liar: then the last bid is counted; if there are as many, the bidder wins "
        "1 from the other, else the other from the bidder."
    )


def _liars_dice_own(text: str, _: Parameters) -> str:
    return f"Your dice: {text.split()[0]}" if text else ""


def _tiny_hanabi(known: Parameters, seat: int) -> str:
    cards, actions, players = (known[k] for k in ("num_chance", "num_actions", "players"))
    paid = known["payoff"].split(";")
    rows = []
    for row, dealt in enumerate(product(range(cards), repeat=players)):
        size = actions**players
        each = zip(product(range(actions), repeat=players), paid[row * size :], strict=False)
        table = ", ".join(f"{'-'.join(map(str, acts))} pays {pay}" for acts, pay in each)
        rows.append(f"Cards {'-'.join(map(str, dealt))}: {table}.")
    return (
        f"A cooperative game. Everybody has a card, 0 to {cards - 1}, and acts once, player_0 "
        "first; all see the actions. All get the same; cards and actions in order of the seats: "
        + " ".join(rows)
    )


def _tiny_hanabi_own(text: str, _: Parameters) -> str:
    found = re.search(r"d(\d+)", text)
    return f"Your card: {found[1]}" if found else ""


def _lewis(known: Parameters, seat: int) -> str:
    paid, n = [float(x) for x in known["payoffs"].split(",")], known["num_states"]
    rows = [f"state {i}: {', '.join(f'{x:g}' for x in paid[i * n : i * n + n])}" for i in range(n)]
    part = "You see a state and send a message." if seat == 0 else "You see the message and act."
    return (
        "A cooperative game of a sender (player_0) and a receiver (player_1). The sender sees a "
        "state and sends a message, the receiver sees only the message and acts. Both get the "
        f"same, for actions 0, 1, ...: {'; '.join(rows)}. {part}"
    )


def _lewis_own(text: str, _: Parameters) -> str:
    state, message = after(text, "State:"), after(text, "Message:")
    if state:
        return f"State: {state}"
    return f"Message: {message}" if message.isdigit() else ""


def _trade(known: Parameters, seat: int) -> str:
    return (
        f"A cooperative game. Each of two players has one of {known['num_items']} items, seen by "
        "itself only. First each says one number that both hear, player_0 first. Then each offers "
        "a trade without seeing the other's: trade 1:5 gives item 1 for item 5. If both offers "
        "give what the one has for what the other has, both get 1, else both get 0."
    )


def _sheriff(known: Parameters, seat: int) -> str:
    k = known
    part = "You are the smuggler." if seat == 0 else "You are the sheriff."
    return (
        f"player_0 smuggles, player_1 is the sheriff. {part} The smuggler secretly loads 0 to "
        f"{k['max_items']} illegal items. Then {k['num_rounds']} rounds: the smuggler offers a "
        f"bribe of 0 to {k['max_bribe']}, the sheriff says whether it would inspect; only the last "
        "round counts. Not inspected: the smuggler gets "
        f"{k['item_value']:g} an item less the bribe, the sheriff the bribe. Inspected and empty: "
        f"the sheriff pays the smuggler {k['sheriff_penalty']:g}. Inspected with items: the "
        f"smuggler pays the sheriff {k['item_penalty']:g} an item."
    )


def _sheriff_own(text: str, _: Parameters) -> str:
    items = re.search(r"num_illegal_items:(\d+)", text)
    told = [f"You loaded {items[1]}."] if items else []
    for kind, value in re.findall(r"/(bribe|feedback):(\d+)", text):
        would = "inspect" if value == "1" else "not inspect"
        told.append(f"Bribe: {value}." if kind == "bribe" else f"The sheriff would {would}.")
    return "\n".join(told)


def _auction(known: Parameters, seat: int) -> str:
    return (
        "An auction with sealed bids. The object is worth something to each bidder, drawn from 1 "
        f"to {known['max_value']}, that it alone sees. Everybody bids once, less than its own "
        "value, unseen by the others. The highest bid wins and gets its value less its bid, the "
        "others get 0; ties are broken by lot."
    )


def _goofspiel(known: Parameters, seat: int) -> str:
    won = {
        "win_loss": "Most points win: winners share 1, losers share -1.",
        "point_difference": "You get your points less the average of all.",
        "total_points": "You get your points.",
    }
    seen = " Bids are not shown, only who won." if known["imp_info"] else ""
    return (
        f"Everybody has bid cards 1 to {known['num_cards']}. In each turn a point card lies open "
        f"({known['points_order']} order) and all play a bid card at once; the highest bid takes "
        f"its points, a tie discards it. The last cards play themselves.{seen} "
        f"{won.get(known['returns_type'], '')}"
    )


def _goofspiel_own(text: str, _: Parameters) -> str:
    kept = without("Remaining Point Cards")(text, {})  # written without spaces, and known anyway
    return re.sub(r"\bP(\d)\b", r"player_\1", kept)


SMALL = {
    "kuhn_poker": Renderer(_kuhn, _kuhn_card, lower, string="information", moves=True),
    "leduc_poker": Renderer(_leduc, _leduc_cards, lower, string="information", moves=True),
    "liars_dice": Renderer(_liars_dice, _liars_dice_own, lower, string="information", moves=True),
    "tiny_hanabi": Renderer(
        _tiny_hanabi, _tiny_hanabi_own, swap({r"^p\d+a(\d+)$": r"\1"}), moves=True
    ),
    "lewis_signaling": Renderer(_lewis, _lewis_own, lower),
    "trade_comm": Renderer(
        _trade, without("Current turn", "Trade history size"), swap({"Utter": "say", "T": "t"})
    ),
    "sheriff": Renderer(
        _sheriff,
        _sheriff_own,
        swap(
            {
                r"PlaceIllegalItems\(num=(\d+)\)": r"load \1",
                r"Bribe\(amount=(\d+)\)": r"bribe \1",
                r".*inspect=False.*": "not inspect",
                r".*inspect=True.*": "inspect",
            }
        ),
        string="information",
    ),
    "first_sealed_auction": Renderer(
        _auction, lambda text, _: f"Your value: {text}", swap({r".*bid: (\d+)": r"\1"})
    ),
    "goofspiel": Renderer(_goofspiel, _goofspiel_own, swap({r".*Bid: (\d+)": r"\1"})),
}
