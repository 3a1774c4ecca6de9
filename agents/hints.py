"""What the solver would play: a hint for whoever holds a view, from that view and nothing else.

Three ways, the first that fits:

* open information, two players, one after the other: the value of every answer with best play
  from there on (alpha-beta search, Knuth & Moore 1975);
* a solution that is written down (``optimal.SOLUTIONS``);
* a game small enough to walk: an equilibrium by linear programming (``envs/equilibrium.py``).

A hint never says more than the view: it is the same whatever the others hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparring.agents.exploitability.gaps import Gap, Key, gaps, stacked
from sparring.agents.optimal import SOLUTIONS
from sparring.agents.search import POSITIONS, TooFar, worth
from sparring.agents.wording import percentages
from sparring.envs.core import BadInput, Game, Observation, State, Sum, View
from sparring.envs.equilibrium import equilibrium
from sparring.envs.solve import Strategy, walk

NEVER = 1e-9
NAMED = 40
"""Worse answers are named if they take at most so many characters; else they are counted."""
LOST = "this position is not in the tree of the game"


class NoHint(Exception):
    """There is none; the text says why."""


@dataclass(slots=True)
class Hints:
    """Hints for one game. What has to be solved is solved at the first question."""

    game: Game
    limit: int = POSITIONS
    _solved: tuple[Strategy, Mapping[Key, Gap]] | None = field(default=None, repr=False)

    def __call__(self, observation: Observation) -> str:
        """A hint in words, or why there is none."""
        try:
            if not observation.legal:
                raise NoHint("answers are not listed here")
            if _open(self.game):
                return _worth(self.values(observation), self.game)
            return self._mixture(observation)
        except (NoHint, BadInput) as fault:
            return f"No hint: {fault}."

    def values(self, observation: Observation) -> dict[str, float]:
        """What each legal answer is worth to this role if both play their best from there on.

        Raises:
            NoHint: the position is too far from the end to be searched.
        """
        state = locate(self.game, observation)
        try:
            return worth(self.game, state, self.limit)
        except TooFar as fault:
            raise NoHint(str(fault)) from None

    def _mixture(self, observation: Observation) -> str:
        if self.game.name in SOLUTIONS:
            usual, _ = SOLUTIONS[self.game.name]
            return f"An equilibrium {percentages(usual()(observation))}."
        strategy, reached = self.equilibrium()
        key = observation.role, unrefereed(observation.messages)
        if key not in strategy:
            raise NoHint(LOST)
        if reached[key].own[0] < NEVER:
            raise NoHint(
                "with an equilibrium this role would not have come here by its own answers, "
                "so it does not say what to do now"
            )
        left = reached[key].others[0] < NEVER  # the others' answers, not its own
        which = (
            "the other side has left the equilibrium, so more may be had"
            if left
            else "there may be other equilibria"
        )
        return f"An equilibrium {percentages(strategy[key])} ({which})."

    def equilibrium(self) -> tuple[Strategy, Mapping[Key, Gap]]:
        """An equilibrium of the whole game, and how likely it comes to each information set.

        Raises:
            BadInput: the game cannot be walked.
            NoHint: it is not a two-player zero-sum game.
        """
        if self._solved is None:
            if len(self.game.roles) != 2 or self.game.declares.sum is not Sum.ZERO:
                raise NoHint("equilibria are computed for two-player zero-sum games only")
            tree = walk(self.game)
            found = equilibrium(tree).strategy
            self._solved = found, gaps(tree, stacked(tree, found))
        return self._solved


def unrefereed(view: View) -> View:
    """A view without what the referee said to it: as the game itself shows it."""
    return tuple(message for message in view if message.sender != "referee")


def locate(game: Game, observation: Observation) -> State:
    """The position that a view of a game with open information shows.

    Raises:
        NoHint: no position shows this view, or several do.
    """
    view, role = unrefereed(observation.messages), observation.role

    def fits(state: State) -> bool:
        seen = state.observe(role).messages
        return view[: len(seen)] == seen

    openings: Sequence[tuple[float, State]] = game.openings()  # type: ignore[attr-defined]
    found = [state for _, state in openings if fits(state)]
    here = []
    while found:
        state = found.pop()
        if state.observe(role).messages == view and role in state.to_act:
            here.append(state)
        elif len(state.to_act) == 1:
            (mover,) = state.to_act
            steps = (state.step({mover: a}) for a in state.observe(mover).legal or ())
            found += [after for after in steps if fits(after)]
    if not here:
        raise NoHint(LOST)
    if len(here) > 1:
        raise NoHint("luck is still to come, so the position is not known")
    return here[0]


def _open(game: Game) -> bool:
    """Whether values by search make sense: open information, two players, zero-sum, no luck."""
    declares = game.declares
    simple = not declares.hidden_information and not declares.free_speech
    return (
        simple
        and declares.sum is Sum.ZERO
        and len(game.roles) == 2
        and hasattr(game, "openings")
        and len(game.start(0).to_act) == 1
    )


def _worth(values: Mapping[str, float], game: Game) -> str:
    """The answers by what they are worth, best first: "5 wins; 1, 3 draw; the other 4 lose"."""
    plain = (game.declares.low, game.declares.high) == (-1.0, 1.0)
    words = {1.0: ("wins", "win"), 0.0: ("draws", "draw"), -1.0: ("loses", "lose")}
    least = min(values.values())
    parts: list[str] = []
    for value in sorted(set(values.values()), reverse=True):
        answers = [answer for answer, worth in values.items() if worth == value]
        worth_it = f"worth {value:+g}"
        one, several = words.get(value, (worth_it,) * 2) if plain else (worth_it,) * 2
        whose = ", ".join(answers)
        if len(answers) == len(values) > 1:
            whose, several = "every answer", one
        elif parts and len(whose) > NAMED:
            whose = f"{'the other ' if value == least else ''}{len(answers)}"
        parts.append(f"{whose} {several if len(answers) > 1 else one}")
    return f"With best play from both: {'; '.join(parts)}."
