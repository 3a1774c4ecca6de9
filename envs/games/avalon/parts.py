"""Avalon's parts: who is on which side, how many of each, and who knows whom.

Numbers of players and quest sizes are those of the published board game (D. Eskridge, The
Resistance: Avalon, 2012).
"""

from collections.abc import Collection, Sequence

QUESTS = {  # players: the size of each quest's team
    5: (2, 3, 2, 3, 3),
    6: (2, 3, 4, 3, 4),
    7: (2, 3, 3, 4, 4),
    8: (3, 4, 4, 5, 5),
    9: (3, 4, 4, 5, 5),
    10: (3, 4, 4, 5, 5),
}
EVIL = {5: 2, 6: 2, 7: 3, 8: 3, 9: 3, 10: 4}
"""Players to evil ones among them."""

EVIL_PARTS = ("assassin", "morgana", "mordred", "oberon", "minion")


def fails(players: int, quest: int) -> int:
    """How many fail cards make a quest (from 0) fail."""
    return 2 if quest == 3 and players >= 7 else 1


def side(part: str) -> str:
    """``"good"`` or ``"evil"``."""
    return "evil" if part in EVIL_PARTS else "good"


def deck(players: int, extras: Collection[str] = ()) -> tuple[str, ...]:
    """The parts that are dealt, good ones first. ``extras`` take the place of a plain part."""
    evil = ["assassin", *(p for p in ("morgana", "mordred", "oberon") if p in extras)]
    evil += ["minion"] * (EVIL[players] - len(evil))
    good = ["merlin", *(["percival"] if "percival" in extras else [])]
    good += ["servant"] * (players - len(evil) - len(good))
    return (*good, *evil)


def knows(dealt: Sequence[str], seat: int) -> tuple[int, ...]:
    """The seats that the player in ``seat`` is told of; as what depends on its part."""
    shown = {
        "merlin": {"assassin", "morgana", "oberon", "minion"},
        "percival": {"merlin", "morgana"},
        "servant": set[str](),
        "oberon": set[str](),
    }.get(dealt[seat], {"assassin", "morgana", "mordred", "minion"})
    return tuple(i for i, part in enumerate(dealt) if part in shown and i != seat)


def told(dealt: Sequence[str], seat: int, roles: Sequence[str]) -> str:
    """What the player in ``seat`` is told at the start."""
    part = dealt[seat]
    head = f"You are {part}, {side(part)}."
    known = ", ".join(roles[i] for i in knows(dealt, seat)) or "none"
    match part:
        case "servant" | "oberon":
            return head
        case "percival" if "morgana" in dealt:
            return f"{head} One of these is merlin, the other morgana: {known}."
        case "percival":
            return f"{head} This is merlin: {known}."
        case "merlin":
            but = " (all but mordred)" if "mordred" in dealt else ""
            return f"{head} The evil players{but}: {known}."
        case _:
            but = " (all but oberon)" if "oberon" in dealt else ""
            return f"{head} The other evil players{but}: {known}."


def who_knows(parts: Collection[str]) -> str:
    """For the rules: who knows whom in a game with these parts."""
    but_mordred = " but mordred" if "mordred" in parts else ""
    but_oberon = " but oberon" if "oberon" in parts else ""
    text = f"Merlin knows all evil players{but_mordred}; evil players{but_oberon} know each other"
    if "percival" in parts:
        also = " and morgana, but not who is which" if "morgana" in parts else ""
        text += f"; percival knows merlin{also}"
    return text + "."
