"""Card games."""

import re

from sparring.envs.adapters.openspiel.render.base import Parameters, Renderer
from sparring.envs.adapters.openspiel.render.words import fields, raw, swap

SEATS = "North, East, South, West are player_0 to player_3"


def _poker(known: Parameters, seat: int) -> str:
    limit = "no limit" if known["betting"] == "nolimit" else "fixed limits"
    return (
        f"Poker with {known['numRanks']} ranks in {known['numSuits']} suits, "
        f"{known['numHoleCards']} hidden cards each, public cards by round: "
        f"{known['numBoardCards']}. Blinds {known['blind']}, stacks {known['stack']}, {limit}, "
        f"{known['numRounds']} rounds of betting. call also checks; bet calls and adds the pot, "
        "halfpot half of it, allin all you have. The best hand still in wins the pot; you get the "
        "chips you win or lose. Money is what each still has."
    )


def _poker_cards(text: str, _: Parameters) -> str:
    seen = fields(text)
    words = {"Round": "Round", "Pot": "Pot when called", "Money": "Money", "Private": "Your cards"}
    told = [f"{words[k]}: {seen[k]}" for k in words if seen.get(k)]
    return "\n".join(told + [f"Public cards: {seen['Public']}"] * bool(seen.get("Public")))


def _gin(known: Parameters, seat: int) -> str:
    return (
        f"{known['hand_size']} cards each. Meld sets (one rank) and runs (one suit, in order, ace "
        "low); cards outside are deadwood, figures count 10. In turn draw the upcard or from the "
        f"stock, then discard. With deadwood of {known['knock_card']} or less you may knock: the "
        "hands are laid down, you score the difference of the deadwoods. No deadwood is gin and "
        f"scores {known['gin_bonus']} more; if the other has no more deadwood than the knocker, it "
        f"scores the difference and {known['undercut_bonus']} more. You win what you score from "
        "the other; when the stock runs down to two cards nobody scores."
    )


def _hearts(known: Parameters, seat: int) -> str:
    passed = " First, three cards may be passed on." if known["pass_cards"] else ""
    return (
        f"Four players, 13 cards each; {SEATS}.{passed} Then 13 tricks: "
        "follow suit if you can; the highest card of the suit led takes the trick and leads next. "
        "Every heart taken counts 1, the queen of spades 13; taking all of them counts 26 for each "
        "of the others instead. You get 26 less your count. 2C is the two of clubs."
    )


def _oh_hell(known: Parameters, seat: int) -> str:
    exact = "10 more for exactly your bid"
    return (
        "A trick-taking game. First, in turn, bid how many tricks you will take; the bids cannot "
        "add up to the number of tricks. Then play: follow suit if you can; the highest trump, "
        "else the highest card of the suit led, takes the trick. You get "
        f"{known['points_per_trick']} for each trick and {exact}. HJ is the jack of hearts."
    )


SPADES = (
    f"Four players, 13 cards each; {SEATS}; North and South play against East and West. First bid "
    "how many tricks you will take; Nil is none, for 100 points more or less. Then 13 tricks: "
    "follow suit if you can; the highest spade, else the highest card of the suit led, takes the "
    "trick. A side that takes what it bid together gets 10 for each trick bid and 1 for each more, "
    "else it loses 10 for each trick bid. C5 is the five of clubs."
)
EUCHRE = (
    f"Four players, 24 cards, 5 each; {SEATS}; North and South play against East and West. In turn "
    "pass or make the suit of the upcard trump (the dealer then takes it and discards); if all "
    "pass, name another suit. The jack of trump is the highest card, then the other jack of its "
    "colour. The makers get 1 for three or four tricks, 2 for all five (4 if one plays alone), "
    "the other side 2 if the makers fail, 4 if they take none. SJ is the jack of spades."
)
BLACKJACK = (
    "You play against a dealer, who draws to 17. hit takes a card, stand stops. Nearer to 21 "
    "without passing it wins 1, else you lose 1; equal is 0. Figures count 10, aces 1 or 11."
)


def _eights(known: Parameters, seat: int) -> str:
    special = (
        " A queen skips the next player, an ace turns the direction, a two makes the next draw two."
        if known["use_special_cards"]
        else ""
    )
    return (
        "In turn play a card of the suit or rank of the last one; an eight fits always and names a "
        f"suit. Or draw, at most {known['max_draw_cards']} cards a turn, then pass. The game ends "
        "when somebody has no cards, or after "
        f"{known['max_turns']} turns. You lose 50 for each eight left in your hand, 10 for each "
        f"figure, else the card's number.{special} CK is the king of clubs."
    )


CARDS = {
    "universal_poker": Renderer(
        _poker,
        _poker_cards,
        lambda name: re.sub(r"player=\d+ move=", "", name).lower(),
        string="information",
        moves=True,
    ),
    "gin_rummy": Renderer(_gin, raw, swap({r"Player: \d Action: ": ""})),
    "hearts": Renderer(_hearts, raw),
    "spades": Renderer(SPADES, raw),
    "oh_hell": Renderer(_oh_hell, raw),
    "euchre": Renderer(EUCHRE, raw),
    "crazy_eights": Renderer(_eights, raw, swap({"^Play ": ""})),
    "blackjack": Renderer(BLACKJACK, raw),
}
