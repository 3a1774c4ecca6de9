"""The section about what a run's policy does, situation by situation."""

from collections.abc import Sequence

from sparring.training.config import games_of
from sparring.training.report.blocks import Choice, Json, Policy, Section
from sparring.training.report.folders import Run
from sparring.training.report.words import known

MATTERS = 0.0005  # a loss in the payoff unit that is worth a word
CARDS = "23456789TJQKA"


def policy(run: Run, who: str) -> list[Section]:
    """What the policy does at every situation, role by role; ``who``: what the run is called."""
    if not (run.policy and run.policy.get("rows")):
        return []
    rows: list[Json] = run.policy["rows"]
    roles = list(dict.fromkeys(row["role"] for row in rows))
    cards = [
        Policy(role, [_choice(row) for row in _sorted([r for r in rows if r["role"] == role])])
        for role in roles
    ]
    beside = run.policy.get("note")
    mark = f"; the mark in each bar is the equilibrium ({beside})" if beside else ""
    note = (
        f"Exact probabilities after step {run.policy.get('step')}{mark}. What a choice costs is "
        "what a best response would gain there, in payoff a game; together that is NashConv."
    )
    if len(rows) < run.policy.get("sets", 0):
        note += f" Shown are the {len(rows)} situations that come up most, of {run.policy['sets']}."
    game = run.policy.get("game") if len(games_of(run.options)) > 1 else None
    title = f"What {who} plays{f' in {game}' if game else ''}"
    return [Section(title, cards, note, "Policy" if who == "it" else f"Policy of {who}")]


def _choice(row: Json) -> Choice:
    loss = row.get("loss")
    costs = f"costs {loss:.3f}" if known(loss) and loss > MATTERS else ""
    return Choice(row["situation"], row["chances"], row.get("equilibrium"), costs)


def _sorted(rows: Sequence[Json]) -> list[Json]:
    """What was said stays together, in its order; in it by what is held, as cards are ranked."""
    said = [row["situation"].partition(", ")[2] for row in rows]

    def place(i: int) -> tuple[int, int, int]:
        held = rows[i]["situation"].partition(", ")[0].removeprefix("holding ")
        return said.index(said[i]), CARDS.find(held) if len(held) == 1 else -1, i

    return [rows[i] for i in sorted(range(len(rows)), key=place)]
