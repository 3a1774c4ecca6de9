"""Playing games: what is recorded, and that no game depends on those played beside it."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.llm import LLMAgent
from sparring.agents.play import Match, play, play_all, play_many
from sparring.agents.random import RandomAgent
from sparring.agents.transcript import transcript
from sparring.envs.answers import choose
from sparring.envs.core import (
    Action,
    Declaration,
    Episode,
    Message,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    visible,
)
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe

KUHN, TICTACTOE = KuhnPoker(), TicTacToe(board=False)


@dataclass
class Says:
    """Answers by the number of its own earlier turns; keeps what it was shown."""

    answers: Sequence[str]
    name: str = "says"
    shown: list[Observation] = field(default_factory=list)

    async def act(self, observation: Observation) -> Action:
        self.shown.append(observation)
        return Action(self.answers[len(observation.turns)])


@dataclass(frozen=True)
class Throws:
    """Rock, paper, scissors, ``rounds`` times: both answer at once."""

    rounds: int = 1

    name = "Throws-v0"
    roles = ("player_0", "player_1")
    declares = Declaration(sum=Sum.ZERO, hidden_information=False, max_turns=9, low=-3, high=3)

    def rules(self, role: Role) -> str:
        return f"You are {role}."

    def start(self, seed: int) -> "ThrowsState":
        return ThrowsState(self, tuple(Message("game", self.rules(r)) for r in self.roles))


@dataclass(frozen=True)
class ThrowsState:
    game: Throws
    log: View
    rounds: int = 0
    score: int = 0

    @property
    def to_act(self) -> tuple[Role, ...]:
        return self.game.roles if self.rounds < self.game.rounds else ()

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(self.game.roles, (float(self.score), float(-self.score)), strict=True))

    def observe(self, role: Role) -> Observation:
        legal = ("rock", "paper", "scissors") if self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "ThrowsState":
        legal = ("rock", "paper", "scissors")
        a, b = (legal.index(choose(answers, role, legal)) for role in self.game.roles)
        told = Message("game", f"{legal[a]} and {legal[b]}")
        score = self.score + (0, 1, -1)[(a - b) % 3]
        return replace(self, rounds=self.rounds + 1, score=score, log=(*self.log, told))


def run(game: Any, *answers: Sequence[str], retries: int = 1) -> Episode:
    """One game in which each seat says what it is told to."""
    seats = {role: Says(own) for role, own in zip(game.roles, answers, strict=True)}
    return asyncio.run(play(Match(game, seats, 0, 0), retries))


def flags(episode: Episode, role: Role) -> list[bool]:
    return [turn.accepted for turn in episode.turns_of(role)]


# -- company ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 3, 1024])
def test_a_model_plays_the_same_games_whoever_plays_beside_it(
    talker: tuple[LLMAgent, LocalEngine], at_once: int
) -> None:
    agent, engine = talker
    matches = [Match(TICTACTOE, dict.fromkeys(TICTACTOE.roles, agent), 0, i) for i in range(16)]
    alone = [asyncio.run(play(m, retries=3)) for m in matches]
    engine.forget()
    together = asyncio.run(play_all(matches, at_once=at_once, retries=3))
    assert together == [replace(e, turns=t.turns) for e, t in zip(alone, together, strict=True)]
    assert len({e.views["player_0"] for e in alone}) > 10, "the games are all the same"
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one.turns, other.turns, strict=True):
            assert (a.observation, a.accepted) == (b.observation, b.accepted)
            assert replace(a.action, logprobs=()) == replace(b.action, logprobs=())
            assert a.action.logprobs == pytest.approx(b.action.logprobs, abs=1e-4)


def test_the_same_match_gives_the_same_episode_in_any_order() -> None:
    seats = dict.fromkeys(KUHN.roles, RandomAgent())
    matches = [Match(KUHN, seats, seed, seed % 7) for seed in range(40)]
    episodes = asyncio.run(play_all(matches))
    assert asyncio.run(play_all(matches[::-1], at_once=2)) == episodes[::-1]
    assert [e.seed for e in episodes] == list(range(40))


def test_luck_differs_by_match_role_and_turn() -> None:
    agents = [Says(["[rock]"] * 3) for _ in range(4)]
    game = Throws(3)
    for luck, (a, b) in enumerate([agents[:2], agents[2:]]):
        asyncio.run(play(Match(game, dict(zip(game.roles, (a, b), strict=True)), 0, luck)))
    seeds = [o.seed for agent in agents for o in agent.shown]
    assert len(set(seeds)) == len(seeds) == 12


def test_episodes_come_as_they_end_with_their_index() -> None:
    async def indices() -> list[int]:
        seats = dict.fromkeys(KUHN.roles, RandomAgent())
        matches = (Match(KUHN, seats, seed, 0) for seed in range(30))
        return [i async for i, episode in play_many(matches, at_once=4) if episode.seed == i]

    assert sorted(asyncio.run(indices())) == list(range(30))


def test_no_more_games_than_at_once_are_going() -> None:
    going, most = 0, 0

    class Slow(RandomAgent):
        async def act(self, observation: Observation) -> Action:
            nonlocal going, most
            going += 1
            most = max(most, going)
            await asyncio.sleep(0.001)
            going -= 1
            return await super().act(observation)

    matches = [Match(KUHN, dict.fromkeys(KUHN.roles, Slow()), s, 0) for s in range(20)]
    asyncio.run(play_all(matches, at_once=6))
    assert most == 6


# -- what is recorded -------------------------------------------------------------------------


def test_an_episode_holds_the_whole_game() -> None:
    agents = {"player_0": Says(["check", "call"], "ann"), "player_1": Says(["bet"], "bob")}
    episode = asyncio.run(play(Match(KUHN, agents, 5, 0)))
    state = KUHN.start(5)
    for said in ({"player_0": "check"}, {"player_1": "bet"}, {"player_0": "call"}):
        state = state.step(said)
    assert episode.game == "KuhnPoker-v0"
    assert episode.seed == 5
    assert episode.seats == {"player_0": "ann", "player_1": "bob"}
    assert episode.payoffs == state.payoffs
    assert episode.views == {role: state.observe(role).messages for role in KUHN.roles}
    assert episode.forfeits == ()
    assert [(t.role, t.action.text) for t in episode.turns] == [
        ("player_0", "check"),
        ("player_1", "bet"),
        ("player_0", "call"),
    ]
    assert all(turn.accepted for turn in episode.turns)
    last = agents["player_0"].shown[-1]
    assert last.turns == episode.turns_of("player_0")[:1], "own earlier turns, nobody else's"
    text = transcript(episode)
    for message in episode.views["player_0"] + episode.views["player_1"]:
        assert repr(message.text) in text


def test_refused_answers_are_flagged_and_a_forfeit_ends_the_game() -> None:
    retried = run(KUHN, ["dance", "bet"], ["fold"])
    assert flags(retried, "player_0") == [False, True]
    assert flags(retried, "player_1") == [True]
    assert retried.forfeits == ()
    assert retried.payoffs == {"player_0": 1.0, "player_1": -1.0}
    for retries in (0, 2):
        lost = run(KUHN, ["bet"], ["dance"] * 9, retries=retries)
        assert flags(lost, "player_1") == [False] * (retries + 1)
        assert lost.forfeits == ("player_1",)
        assert lost.payoffs == {"player_0": 2.0, "player_1": -2.0}
        assert lost.views["player_0"][-1].text == "player_1 forfeits the game."
        assert "(illegal)" in transcript(lost)
        assert "player_1 forfeits" in transcript(lost)


def test_both_seats_of_a_simultaneous_game_are_asked_before_either_answers() -> None:
    asked = 0

    class Waits(RandomAgent):
        async def act(self, observation: Observation) -> Action:
            nonlocal asked
            asked += 1
            while asked % 2:
                await asyncio.sleep(0)
            return Action("rock" if observation.role == "player_0" else "paper")

    game = Throws(2)
    playing = play(Match(game, dict.fromkeys(game.roles, Waits()), 0, 0))
    episode = asyncio.run(asyncio.wait_for(playing, timeout=30))
    assert episode.payoffs == {"player_0": -2.0, "player_1": 2.0}
    assert [turn.role for turn in episode.turns] == [*game.roles, *game.roles]
    for before, turn in zip(episode.turns[:2], episode.turns[2:], strict=True):
        seen = turn.observation.messages
        assert seen[:-1] == before.observation.messages
        assert seen[-1].text == "rock and paper"


def test_in_a_simultaneous_game_only_who_was_refused_tries_again() -> None:
    episode = run(Throws(), ["rock"], ["jump", "scissors"])
    assert flags(episode, "player_0") == [True]
    assert flags(episode, "player_1") == [False, True]
    assert episode.payoffs == {"player_0": 1.0, "player_1": -1.0}


def test_every_refused_answer_of_a_simultaneous_game_is_flagged() -> None:
    episode = run(Throws(), ["fly", "rock"], ["jump", "scissors"])
    assert flags(episode, "player_0") == [False, True]
    assert flags(episode, "player_1") == [False, True]
    assert episode.payoffs == {"player_0": 1.0, "player_1": -1.0}
    lost = run(Throws(), ["fly", "rock"], ["jump", "jump"])
    assert lost.forfeits == ("player_1",)
    assert flags(lost, "player_0") == [False, True]
    assert flags(lost, "player_1") == [False, False]


# -- failures ---------------------------------------------------------------------------------


def test_a_seat_without_an_agent_is_named() -> None:
    with pytest.raises(ValueError, match=r"KuhnPoker-v0 has no agent in the seat of player_1"):
        asyncio.run(play(Match(KUHN, {"player_0": RandomAgent()}, 0, 0)))


def test_an_agent_that_fails_stops_the_other_games_and_its_error_comes_out() -> None:
    cancelled: list[int] = []

    class Patient(RandomAgent):
        async def act(self, observation: Observation) -> Action:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled.append(1)
                raise
            return Action("bet")

    class Fails(RandomAgent):
        async def act(self, observation: Observation) -> Action:
            await asyncio.sleep(0)
            raise LookupError("lost my cards")

    seats: list[Any] = [Patient()] * 3 + [Fails()] + [Patient()] * 3
    matches = [Match(KUHN, dict.fromkeys(KUHN.roles, agent), 0, 0) for agent in seats]

    async def nobody_is_left() -> int:
        with pytest.raises(LookupError, match="lost my cards"):
            await play_all(matches, at_once=5)
        return len(asyncio.all_tasks())

    assert asyncio.run(nobody_is_left()) == 1
    assert len(cancelled) == 4, "the two that had not begun never begin"


def test_a_failing_game_leaves_the_engine_of_the_others_usable(
    talker: tuple[LLMAgent, LocalEngine],
) -> None:
    agent, _ = talker

    class Fails(RandomAgent):
        async def act(self, observation: Observation) -> Action:
            raise LookupError("lost my pen")

    good = [Match(TICTACTOE, dict.fromkeys(TICTACTOE.roles, agent), 0, i) for i in range(5)]
    bad = Match(TICTACTOE, dict.fromkeys(TICTACTOE.roles, Fails()), 0, 0)
    expected = asyncio.run(play_all(good))
    with pytest.raises(LookupError):
        asyncio.run(play_all([*good, bad]))
    assert [e.views for e in asyncio.run(play_all(good))] == [e.views for e in expected]


def test_the_random_agent_is_uniform_and_speaks_where_speech_is_free() -> None:
    seen = Observation("player_0", (), ("a", "b", "c"))
    said = [
        asyncio.run(RandomAgent().act(seen._replace(seed=random.Random(s).getrandbits(63)))).text
        for s in range(900)
    ]
    assert all(250 < said.count(answer) < 350 for answer in "abc")
    assert asyncio.run(RandomAgent().act(seen._replace(legal=None))).text
    assert asyncio.run(RandomAgent().policy(seen)) == dict.fromkeys("abc", 1 / 3)
