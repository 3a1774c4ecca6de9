"""One game of one tournament: what is shown of its summary. What is missing or null is left out."""

from collections.abc import Mapping
from typing import Any

from sparring.training.report import versus
from sparring.training.report.blocks import Block, Figure, Json, Section, Table
from sparring.training.report.words import (
    estimated,
    interval,
    known,
    percent,
    plain,
    points,
    signed,
)

ELO = "Elo points, mean 0"
PSEUDO = " Someone won or lost every game: pseudo-counts keep the ratings finite."
INTERVAL = "Bars are 95 % intervals that count deals."


def section(game: str, name: str, s: Json) -> Section:
    """All about one game; ``name`` begins the names of its figures."""
    blocks: list[Block | None] = [
        *_strength(name, s),
        cross(name, s),
        _cross_table(s),
        *_records(name, s),
        *_mixtures(name, s),
        *_measures(name, s),
        _habits(s),
        _paired(s),
    ]
    counts = f"{s.get('games') or 0:,} games on {s.get('deals') or 0:,} deals, {s.get('sum', '')}"
    void = f"; {s['void']:,} void games are in no statistic" if s.get("void") else ""
    return Section(game, [b for b in blocks if b is not None], f"{counts}{void}.", game)


def _strength(name: str, s: Json) -> list[Block]:
    found: list[Block] = []
    if s.get("scores"):
        spec = versus.intervals({"": s["scores"]}, unit="mean payoff a game")
        note = f"Mean payoff over all opponents, from all seats. {INTERVAL}"
        found.append(Figure(f"{name}-scores", "Score", spec, note))
    if s.get("ratings"):
        spec = versus.intervals({"": s["ratings"]}, unit=ELO, show=points)
        note = (
            f"Bradley–Terry with a term for the side: who beats whom, not by how much. {INTERVAL}"
        )
        note += PSEUDO if s.get("finite") is False else ""
        found.append(Figure(f"{name}-ratings", "Rating", spec, note))
    if s.get("sides"):
        spec = versus.intervals({"": s["sides"]}, unit=ELO, show=points)
        note = f"How many points each side is worth, whoever plays it. {INTERVAL}"
        found.append(Figure(f"{name}-sides", "Worth of the sides", spec, note))
    return found


def cross(name: str, s: Json) -> Figure | None:
    """The cross-play heat map."""
    cross = s.get("cross") or {}
    if not any(cross.values()):
        return None
    spec = versus.heat(cross, _order(s), unit="mean payoff")
    note = (
        "Mean payoff of the row's agent against the column's, from all seats; its interval is in "
        "the tooltip and in the table below."
    )
    return Figure(f"{name}-cross-play", "Cross-play", spec, note, wide=True)


def _cross_table(s: Json) -> Table | None:
    cross = s.get("cross") or {}
    rows = [
        [one, two, signed(e.get("mean")), interval(e), str(e.get("clusters", "–"))]
        for one in _order(s)
        for two, e in (cross.get(one) or {}).items()
    ]
    columns = ("agent", "against", "mean payoff", "95 % interval", "deals")
    return Table("cross-play as a table", columns, rows, numbers=2) if rows else None


def _order(s: Json) -> list[str]:
    """The agents, best first."""
    return list(dict.fromkeys([*(s.get("scores") or ()), *(s.get("cross") or ())]))


def _records(name: str, s: Json) -> list[Block]:
    records: Mapping[str, Mapping[str, Json]] = s.get("records") or {}
    if not any(records.values()):
        return []
    found: list[Block] = []
    if any(r.get(k) for sides in records.values() for r in sides.values() for k in ("win", "loss")):
        note = "Share of games won, drawn and lost; the intervals are in the table below."
        spec = versus.shares(records)
        found.append(Figure(f"{name}-records", "Records by side", spec, note, wide=True))
    rows = [
        [
            agent,
            side,
            str(record.get("games", "–")),
            *(estimated(record.get(k), percent) for k in ("win", "draw", "loss")),
            estimated(record.get("payoff")),
        ]
        for agent, sides in records.items()
        for side, record in sides.items()
    ]
    columns = ("agent", "side", "games", "won", "drawn", "lost", "mean payoff")
    return [*found, Table("records by side as a table", columns, rows, numbers=2)]


def _mixtures(name: str, s: Json) -> list[Block]:
    wanted = (
        (
            "nash",
            "Nash averaging",
            "Weight of each agent in the maximum-entropy equilibrium of choosing an agent: who is "
            "worth choosing where no one is best against all.",
        ),
        (
            "alpha_rank",
            "α-rank",
            "Share of time that a population which drifts to what beats it spends with each agent.",
        ),
    )
    return [
        Figure(
            f"{name}-{part.replace('_', '-')}",
            title,
            versus.intervals({"": s[part]}, unit="weight", show=percent, line=None, share=True),
            f"{note} {INTERVAL}",
        )
        for part, title, note in wanted
        if s.get(part)
    ]


def _measures(name: str, s: Json) -> list[Block]:
    return [
        Figure(
            f"{name}-measure-{i}",
            _said(measure),
            versus.intervals({"": by_agent}, unit=_said(measure), show=plain, line=None),
            f"A measure of the game's own, over the games that each agent was in. {INTERVAL}",
        )
        for i, (measure, by_agent) in enumerate((s.get("measures") or {}).items(), start=1)
        if by_agent
    ]


def _said(name: str) -> str:
    """right_votes: Right votes."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _habits(s: Json) -> Table | None:
    rows = [
        [
            agent,
            estimated(habits.get("legal"), percent),
            estimated(habits.get("forfeits"), percent),
            estimated(habits.get("answers"), plain),
            _tokens(habits.get("tokens")),
        ]
        for agent, habits in (s.get("habits") or {}).items()
    ]
    columns = ("agent", "legal answers", "games forfeited", "answers a game", "tokens an answer")
    note = "With 95 % intervals that count deals."
    return Table("Legality, forfeits and length", columns, rows, note, open=True) if rows else None


def _tokens(e: Any) -> str:
    return estimated(e, plain) if e and e.get("mean") else "–"


def _paired(s: Json) -> Table | None:
    rows = [
        [
            f"{pair.get('one')} − {pair.get('two')}",
            _verdict(pair),
            signed(pair["difference"].get("mean")),
            interval(pair["difference"]),
            _p(pair.get("p")),
        ]
        for pair in s.get("paired") or ()
        if pair.get("difference")
    ]
    columns = ("agents", "at 5 %", "difference in payoff", "95 % interval", "p (Holm)")
    note = (
        "On the same deals against the same opponents, so luck falls out. p: of no difference, "
        "adjusted for the number of comparisons."
    )
    return Table("Paired comparisons", columns, rows, note, 2, open=True) if rows else None


def _p(p: Any) -> str:
    return "–" if not known(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _verdict(pair: Json) -> str:
    p, mean = pair.get("p"), pair["difference"].get("mean")
    if not (known(p) and known(mean)) or p >= 0.05:
        return "not told apart"
    return f"{pair['one'] if mean > 0 else pair['two']} is better"
