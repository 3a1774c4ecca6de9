"""Hints: what an equilibrium plays, what an answer is worth, or why neither is known."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from sparring.agents import search
from sparring.agents.hints import Hints, NoHint, locate
from sparring.agents.optimal import minimax
from sparring.agents.search import worth
from sparring.envs import game
from sparring.envs.core import Declaration, Message, Observation, Payoffs, Role, State, Sum
from sparring.envs.games.leduc import LeducPoker
from sparring.envs.games.nim import Nim
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.solve import walk


def after(spec: str, *answers: str, seed: int = 0) -> Observation:
    """What the role to act sees after these answers."""
    state = game(spec).start(seed)
    for answer in answers:
        state = state.step({state.to_act[0]: answer})
    return state.observe(state.to_act[0])


@pytest.mark.parametrize(
    ("spec", "answers", "says"),
    [
        ("KuhnPoker-v0", (), "An equilibrium always checks."),  # a queen, α = 1/3
        ("KuhnPoker-v0", ("check", "bet"), "An equilibrium calls 67 %, folds 33 %."),
        ("TicTacToe-v0", (), "With best play from both: every answer draws."),
        ("TicTacToe-v0", ("1",), "5 draws; 2, 3, 4, 6, 7, 8, 9 lose."),  # only the centre holds
        ("TicTacToe-v0", ("1", "9"), "3, 7 win; 5, 6, 8 draw; 2, 4 lose."),
        ("Nim-v0", (), "every answer loses."),  # 1 ⊕ 3 ⊕ 5 ⊕ 7 = 0
        ("Nim-v0", ("take 7 from D",), "take 3 from C wins; the other 8 lose."),
        ("RockPaperScissors-v0", (), "rock (33 %), paper (33 %), scissors (33 %)"),
        ("LeducPoker-v0", ("check", "bet", "raise"), "(there may be other equilibria)"),
        ("KuhnPoker-v0(players=3)", (), "No hint: optimal play of Kuhn poker is known for two"),
        ("LiarsDice-v0", (), "No hint: LiarsDice-v0 has more than 50000 positions"),
        ("LeducPoker-v0(players=3)", (), "No hint: equilibria are computed for two-player"),
        ("PigDice-v0", (), "No hint: PigDice-v0 does not list its openings"),
        ("Ultimatum-v0", (), "No hint: answers are not listed here."),
        ("IteratedPrisonersDilemma-v0", (), "No hint: equilibria are computed for two-player zero"),
    ],
)
def test_hints(spec: str, answers: tuple[str, ...], says: str) -> None:
    assert says in Hints(game(spec))(after(spec, *answers))


def test_a_search_too_long_says_so() -> None:
    rules = game("ConnectFour-v0")
    said = Hints(rules, limit=1000)(rules.start(0).observe("player_0"))
    assert said == (
        "No hint: the end is more than 1,000 positions away; ask again later in the game."
    )


def test_a_hint_is_the_same_whatever_the_others_hold() -> None:
    leduc = LeducPoker()
    hints = Hints(leduc)
    told: dict[tuple[Message, ...], set[str]] = {}
    for _, state in leduc.openings():
        for answers in (("check", "bet"), ("bet", "raise")):
            now = state
            for answer in answers:
                now = now.step({now.to_act[0]: answer})
            seen = now.observe(now.to_act[0])
            told.setdefault(seen.messages, set()).add(hints(seen))
    assert len(told) == 6
    assert all(len(each) == 1 for each in told.values())


def test_the_referee_s_words_change_nothing() -> None:
    kuhn, tictactoe = game("LeducPoker-v0"), game("TicTacToe-v0")
    for rules in (kuhn, tictactoe):
        seen = rules.start(3).observe("player_0")
        notice = Message("referee", "Try again.", frozenset({"player_0"}))
        refused = seen._replace(messages=(*seen.messages, notice))
        assert Hints(rules)(refused) == Hints(rules)(seen) != ""


def test_where_an_equilibrium_does_not_come_it_gives_no_advice() -> None:
    leduc = LeducPoker()
    hints = Hints(leduc)
    _, reached = hints.equilibrium()
    own = [key for key, gap in reached.items() if gap.own[0] < 1e-9]
    others = [key for key, gap in reached.items() if gap.own[0] > 1e-9 > gap.others[0]]
    tree = walk(leduc)
    assert own
    assert others
    assert "by its own answers" in hints(tree.sets[own[0]].observation)
    assert "the other side has left the equilibrium" in hints(tree.sets[others[0]].observation)


def test_values_are_those_of_minimax_at_random_positions() -> None:
    rules, luck = TicTacToe(), random.Random(1)
    hints = Hints(rules)
    for _ in range(25):
        state = rules.start(0)
        for _ in range(luck.randrange(2, 7)):
            if state.to_act:
                role = state.to_act[0]
                state = state.step({role: luck.choice(state.observe(role).legal or ())})
        if not state.to_act:
            continue
        (role,) = state.to_act
        found = hints.values(state.observe(role))
        sign = 1 if role == "player_0" else -1
        assert found == {
            answer: sign * minimax(state.step({role: answer}).cells) for answer in state.legal
        }


@pytest.mark.parametrize(
    "spec", ["Nim-v0(piles=[1,2,3])", "Nim-v0(piles=[2,3],misere=True)", "TicTacToe-v0"]
)
def test_a_remembered_position_is_worth_the_same(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = game(spec)
    state = rules.start(0)
    found = worth(rules, state)
    monkeypatch.setattr(search, "POSITION", {})
    assert worth(rules, state) == found


@dataclass(frozen=True)
class Maze:
    """Walks over ``cells`` to a payoff from −9 to 9; many ways lead to the same cell."""

    layers: tuple[tuple[tuple[int, ...], ...], ...]  # layer, cell: where each answer leads
    ends: tuple[int, ...]
    layer: int = 0
    cell: int = 0

    name = "Maze-v0"
    roles = ("player_0", "player_1")
    declares = Declaration(sum=Sum.ZERO, hidden_information=False, max_turns=9, low=-9, high=9)

    def rules(self, role: Role) -> str:
        return ""

    def start(self, seed: int) -> "Maze":
        return self

    @property
    def to_act(self) -> tuple[Role, ...]:
        return (self.roles[self.layer % 2],) if self.layer < len(self.layers) else ()

    @property
    def payoffs(self) -> Payoffs:
        end = float(self.ends[self.cell])
        return {"player_0": end, "player_1": -end}

    def observe(self, role: Role) -> Observation:
        return Observation(role, (), tuple("abc"))

    def step(self, answers: Mapping[Role, str]) -> "Maze":
        (answer,) = answers.values()
        to = self.layers[self.layer][self.cell]["abc".index(answer)]
        return replace(self, layer=self.layer + 1, cell=to)

    def value(self) -> float:
        """Of the first player, without any shortcut."""
        if not self.to_act:
            return self.payoffs["player_0"]
        after = [self.step({"": answer}).value() for answer in "abc"]
        return (max, min)[self.layer % 2](after)


@pytest.mark.parametrize("seed", range(40))
def test_bounds_of_positions_are_remembered_as_bounds(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck = random.Random(seed)
    layers = tuple(
        tuple(tuple(luck.randrange(8) for _ in "abc") for _ in range(8)) for _ in range(7)
    )
    maze = Maze(layers, tuple(luck.randint(-9, 9) for _ in range(8)))
    monkeypatch.setitem(search.POSITION, maze.name, lambda state: (state.layer, state.cell))
    assert worth(maze, maze) == {a: maze.step({"": a}).value() for a in "abc"}


def test_nim_has_bouton_s_values() -> None:
    rules = Nim(piles=(2, 3, 4))
    found = worth(rules, rules.start(0))
    for answer, value in found.items():
        _, taken, _, pile = answer.split()
        piles = [2, 3, 4]
        piles["ABC".index(pile)] -= int(taken)
        assert value == (1.0 if piles[0] ^ piles[1] ^ piles[2] == 0 else -1.0)


def test_a_view_of_no_position_has_no_place() -> None:
    rules = TicTacToe()
    seen = rules.start(0).observe("player_0")
    odd = seen._replace(messages=(*seen.messages, Message("game", "player_1: 5")))
    with pytest.raises(NoHint):
        locate(rules, odd)


def test_luck_that_is_still_to_come_is_not_looked_at() -> None:
    """Two openings that a view cannot tell apart: a value would tell what comes."""

    class Twice(TicTacToe):
        def openings(self) -> list[tuple[float, State]]:  # type: ignore[override]
            state = self.start(0)
            return [(0.5, state), (0.5, replace(state, cells=".........", drawn=False))]

    said = Hints(Twice())(Twice().start(0).observe("player_0"))
    assert said == "No hint: luck is still to come, so the position is not known."
