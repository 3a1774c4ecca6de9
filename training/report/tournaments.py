"""The sections about tournaments: ratings over all games first, then one section for each game
(``games.py``).

Every part of a summary may be missing or null; what is not there is not shown.
"""

import re
from collections.abc import Mapping, Sequence

from sparring.training.report import games, versus
from sparring.training.report.blocks import Block, Figure, Json, Section, Tiles
from sparring.training.report.folders import Tournament
from sparring.training.report.replays import replays
from sparring.training.report.words import points, signed


def sections(tournaments: Sequence[Tournament]) -> list[Section]:
    """All about these tournaments."""
    if not tournaments:
        return []
    many = len(tournaments) > 1
    found = [Section("", [Tiles(_tiles(tournaments))])] if not many else []
    found += _overall(tournaments)
    for game, slug in _slugs([game for t in tournaments for game in _games(t)]).items():
        those = {t.name: _games(t)[game] for t in tournaments if game in _games(t)}
        if len(those) > 1:
            found.append(_compared(game, slug, those))
        else:
            found.append(games.section(game, slug, *those.values()))
    whole = [{**game, "title": t.name} if many else game for t in tournaments for game in t.replays]
    if whole:
        found.append(replays(whole))
    return found


def kind(tournament: Tournament) -> str:
    """What it is, in a few words."""
    agents = tournament.options.get("agents") or ()
    played = tournament.options.get("game") or list(_games(tournament))
    named = ", ".join([played] if isinstance(played, str) else played)
    of = f" of {len(agents)} agents" if agents else ""
    return f"tournament{of}: {named}" if named else f"tournament{of}"


def _games(tournament: Tournament) -> Mapping[str, Json]:
    return tournament.summary.get("games") or {}


def _tiles(tournaments: Sequence[Tournament]) -> list[tuple[str, str]]:
    """How much was played; where there is no summary yet, only that."""
    played = [game for t in tournaments for game in _games(t).values()]
    if not played:
        return [("statistics: they are written when the tournament ends", "none yet")]
    agents = {name for game in played for name in game.get("scores") or ()}
    found = [
        ("agents", str(len(agents))),
        ("games played", f"{sum(game.get('games') or 0 for game in played):,}"),
        ("deals, each played from both sides", f"{sum(g.get('deals') or 0 for g in played):,}"),
    ]
    if void := sum(game.get("void") or 0 for game in played):
        found.append(("void games, in no statistic", f"{void:,}"))
    return found


def _overall(tournaments: Sequence[Tournament]) -> list[Section]:
    rated = {t.name: t.summary["ratings"] for t in tournaments if t.summary.get("ratings")}
    if not rated:
        return []
    spec = versus.intervals(rated, unit=games.ELO, show=points)
    note = "Bradley–Terry over all games that have winners, every game with the same weight."
    note += games.PSEUDO if any(t.summary.get("finite") is False for t in tournaments) else ""
    return [Section("All games", [Figure("ratings", "Rating", spec, note, wide=True)], "", "All")]


def _slugs(names: Sequence[str]) -> dict[str, str]:
    """What the files of each game's figures begin with; no two alike."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "game"
        found[name] = plain if plain not in found.values() else f"{plain}-{len(found) + 1}"
    return found


def _compared(game: str, slug: str, those: Mapping[str, Json]) -> Section:
    """One game in several tournaments: one colour each."""
    blocks: list[Block] = []
    wanted = (
        ("scores", "mean payoff a game", "Score", signed),
        ("ratings", games.ELO, "Rating", points),
    )
    for part, unit, title, show in wanted:
        found = {name: s[part] for name, s in those.items() if s.get(part)}
        if found:
            spec = versus.intervals(found, unit=unit, show=show)
            blocks.append(Figure(f"{slug}-{part}", title, spec, games.INTERVAL))
    for i, (name, summary) in enumerate(those.items(), start=1):
        if figure := games.cross(f"{slug}-{i}", summary):
            blocks.append(
                Figure(figure.name, f"{name}: {figure.title}", figure.spec, figure.note, True)
            )
    return Section(game, blocks, "", game)
