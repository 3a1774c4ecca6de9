"""The section of games to step through."""

import json
from collections.abc import Sequence

from sparring.agents.arena.folder import finite
from sparring.training.report.blocks import Json, Replays, Section

MOST = 120  # games
ROOM = 3_000_000  # characters of JSON


def replays(games: Sequence[Json], remark: str = "") -> Section:
    """The first games that there is room for; ``remark`` is said beside them."""
    kept: list[Json] = []
    room = ROOM
    for game in games[:MOST]:
        clean: Json = finite(game)
        room -= len(json.dumps(clean))
        if room < 0 and kept:
            break
        kept.append(clean)
    all_of = f"{len(kept)} games" if len(kept) > 1 else "One game"
    if len(kept) < len(games):
        all_of = f"The first {len(kept)} of {len(games)} games that were kept"
    note = (
        f"{all_of}. Step with the buttons or the arrow keys, as everyone or as one role sees it. "
        f"Bars: how likely the agent held each answer, where it can say. {remark}"
    )
    return Section("Games", [Replays(kept)], note, "Games")
