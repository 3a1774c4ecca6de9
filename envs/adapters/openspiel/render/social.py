"""Bargaining, signalling, bluffing and guessing who is who."""

import re

from sparring.envs.adapters.openspiel.render.base import Parameters, Renderer
from sparring.envs.adapters.openspiel.render.words import after, lower, swap, without


def _bargaining(known: Parameters, seat: int) -> str:
    fades = (
        ""
        if known["discount"] == 1
        else f" After turn 2 each turn leaves {known['discount']:g} of the worth."
    )
    ends = (
        ""
        if known["prob_end"] == 0
        else f" It may end after each offer, with chance {known['prob_end']:g}."
    )
    return (
        "Two players divide a pool of books, hats and basketballs; each has its own values, unseen "
        "by the other; the whole pool is worth 10 to each. In turn make an offer, saying what you "
        f"keep (the other gets the rest), or agree to the last one. After {known['max_turns']} "
        f"turns without agreement both get 0.{fades}{ends}"
    )


def _pool(text: str, _: Parameters) -> str:
    pool, values = after(text, "Pool:"), after(text, "My values:")
    return f"Pool: {pool}\nYour values: {values}" if pool else ""


def _keeps(name: str) -> str:
    """``Offer: Book: 2, Hat: 0, ...`` as ``keep 2 Book, 0 Hat, ...``."""
    found = re.findall(r"(\w+): (\d+)", name)
    return (
        f"keep {', '.join(f'{n} {item}' for item, n in found)}".lower() if found else name.lower()
    )


def _negotiation(known: Parameters, seat: int) -> str:
    kinds, size = known["num_items"], known["num_symbols"]
    says = ""
    if known["enable_utterances"]:
        says = (
            f" You also say {known['utterance_dim']} numbers of 0 to {size - 1} to the other, "
            "which mean nothing by themselves."
        )
    return (
        f"Two players divide a pool of {kinds} kinds of items; each has its own values, unseen by "
        "the other. In turn propose a division by what you keep of each kind (the other gets the "
        f"rest), or accept the last proposal.{says} Each gets the worth of its share, 0 without an "
        "agreement; the number of turns is told."
    )


def _negotiation_own(text: str, _: Parameters) -> str:
    values = re.search(r"^Agent \d util vec: (.*)$", text, re.MULTILINE)
    if not values:
        return ""
    turns, pool = after(text, "Max steps:"), after(text, "Item pool:")
    return f"Turns: {turns}\nPool: {pool}\nYour values: {values[1]}"


def _trails(known: Parameters, seat: int) -> str:
    part = "You are the responder." if seat == 2 else "You are a proposer."
    return (
        "player_0 and player_1 propose, player_2 responds. "
        f"{part} Everybody has chips and a piece on a board of colours; a step onto a colour costs "
        "a chip of it. The proposers, unseen by each other, each offer the responder a trade: A "
        "for BB gives one A, takes two B. The responder takes one trade or none. Then all walk as "
        "well as they can towards the flag. Score: 10 for every chip left, -25 for every step "
        "still missing; you get what your score gains by the trade. Pos lists the places of "
        "player_0, player_1, player_2 and the flag, counted from 0 row by row."
    )


def _deduction(known: Parameters, seat: int) -> str:
    return (
        f"{known['imposters']} of {known['players']} players are imposters; only they know who "
        "(ImposterTeam). In each round there is a public signal about one player, wrong with "
        f"chance {known['observation_noise']:g}; then the living in turn say something, then vote, "
        "openly, whom to eliminate; a tie eliminates nobody. The innocents win by eliminating all "
        "imposters; the imposters win by being as many as the innocents, or after "
        f"{known['max_rounds']} rounds. Winners get 1, losers -1."
    )


def _liars_poker(known: Parameters, seat: int) -> str:
    """OpenSpiel deals a 0 for the tenth digit, but counts it as no digit at all."""
    digits = known["num_digits"]
    drawn = "1 to 9 and 0" if digits == 10 else f"1 to {digits}"
    none = " Nothing counts as a 10, a 0 counts for no bid." if digits == 10 else ""
    return (
        f"Everybody has {known['hand_length']} hidden digits, drawn from {drawn}. In turn bid how "
        "often a digit is in all hands together (bid: 2 of 5 says two fives), each time higher: "
        f"more, or as many of a higher digit; or challenge the bid.{none} When all others have "
        "challenged, the bidder may bid once more or challenge too; then, or when all others have "
        "challenged the second bid, it is counted: with enough digits the bidder wins 1 from each "
        "other, else it loses 1 to each."
    )


def _digits(text: str, _: Parameters) -> str:
    found = re.search(r"hand:\[([^\]]*)\]", text)
    return f"Your digits: {found[1].replace(',', '')}" if found else ""


def _go_fish(known: Parameters, seat: int) -> str:
    last = chr(ord("a") + known["ranks"] - 1)
    ends = "The most books win." if known["most_books_wins"] else "The first without cards wins."
    return (
        f"{known['ranks']} ranks, a to {last}, of {known['suits']} cards each. In your turn ask "
        "another player for a rank of which you have a card. It gives you all it has and you ask "
        "again; if it has none, you draw from the pool, and ask again only if you drew that rank. "
        f"All {known['suits']} cards of a rank are laid down as a book. {ends} b2 is two cards of "
        "rank b."
    )


def _go_fish_own(text: str, _: Parameters) -> str:
    """Cards and counts. OpenSpiel's list of events is left out: it names cards drawn in secret."""
    kept = [line for line in text.splitlines() if line.startswith(("Your cards", "player "))]
    has = r"player_\1 has \2 cards, \3 books"
    return "\n".join(re.sub(r"^player (\d+) cards (\d+) books (\d+)", has, line) for line in kept)


HANABI = (
    "A cooperative game. Cards have a colour and a rank from 1. You see all hands but your own. In "
    "turn play a card, discard one, or tell another player which of its cards have a colour or a "
    "rank. Telling costs an info token; discarding, or completing a colour, returns one. A card "
    "plays if it is the next of its colour, else a life is lost. When the deck is empty everybody "
    "has one more turn. All get the number of cards played, but 0 if no life is left. Hands are in "
    "order from yours on, cards from 0; XX is unseen, after | stand the colours and ranks that its "
    "owner must still think possible. player +1 is the next after you."
)

SOCIAL = {
    "bargaining": Renderer(_bargaining, _pool, _keeps, moves=True),
    "negotiation": Renderer(
        _negotiation,
        _negotiation_own,
        swap(
            {
                r".*Agreement reached!": "accept",
                r".*Proposal: \[(.*)\]": r"propose \1",
                r".*Utterance: \[(.*)\]": r"say \1",
                ",": "",
            }
        ),
        moves=True,
    ),
    "colored_trails": Renderer(
        _trails,
        without("Player:"),
        swap(
            {
                r"Proposer \d: ": "",
                r"Pass trade\.?": "pass",
                r"Deal: trade with proposer (\d)": r"trade with player_\1",
                "No Deal!": "no deal",
            }
        ),
    ),
    "social_deduction": Renderer(
        _deduction,
        without("Player:", "Messages:", "Votes:"),
        lambda name: re.sub(r"_?PLAYER_(\d+)", r" player_\1", name).replace("M_I", "m i").lower(),
        moves=True,
    ),
    "python_liars_poker": Renderer(_liars_poker, _digits, lower, string="information", moves=True),
    "go_fish": Renderer(
        _go_fish, _go_fish_own, swap({r"^(\d)(\w)$": r"ask player_\1 for \2"}), moves=True
    ),
    "hanabi": Renderer(
        HANABI,
        without("Cur player"),
        swap({r"[()]": "", "Reveal": "tell", "Play": "play", "Discard": "discard"}),
        moves=True,
    ),
}
