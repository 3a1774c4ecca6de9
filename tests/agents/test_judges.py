"""Judges in a seat: their order does not count, and one that fails makes the game void."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pytest

from sparring.agents.arena.match import match
from sparring.agents.arena.schedule import Contest, RoundRobin
from sparring.agents.arena.tournament import play as arena_play
from sparring.agents.core import Agent
from sparring.agents.engines.core import Sampling
from sparring.agents.judges import JudgeAgent, LabelJudge, MajorityJudge, label_chance
from sparring.agents.llm import LLMAgent
from sparring.agents.play import Match, play
from sparring.agents.pretrained import player
from sparring.agents.random import RandomAgent
from sparring.envs.core import Action, BadInput, Episode, Observation, Void
from sparring.envs.games.debate import Debate
from sparring.envs.games.debate.questions import Question
from sparring.envs.games.debate.record import DEBATERS, Record, mirrored, quotes, record
from sparring.envs.judges import Verdict, read_chance

ONE, TWO = DEBATERS
JUDGE = "judge"
SEA = Question("A storm came at noon. The sea was dark.", "Why turn back?", "A storm.", "No fish.")
DEBATE = Debate(rounds=1, questions=[SEA])


@dataclass(frozen=True)
class Says:
    """Answers the same, whatever it sees."""

    text: str
    name: str = "says"

    async def act(self, observation: Observation) -> Action:
        return Action(self.text)


@dataclass(frozen=True)
class Script:
    """A model whose probabilities of labels are a function of what it is asked."""

    chances: Callable[[Observation], Mapping[str, float]]
    asked: list[Observation] = field(default_factory=list)
    name: str = "script"

    async def answer_chances(self, observation: Observation) -> Mapping[str, float]:
        self.asked.append(observation)
        return self.chances(observation)


def debated(one: str = "Storm!", two: str = "Fish!", first: str = SEA.correct) -> Observation:
    """What the judge sees; ``first``: the answer of the first debater."""
    wanted = ONE if first == SEA.correct else TWO
    start = next(state for _, state in DEBATE.openings() if state.correct == wanted)
    return start.step({ONE: one, TWO: two}).observe(JUDGE)


def judged(judge: Agent, game: Debate = DEBATE, seed: int = 0) -> Episode:
    seats: dict[str, Agent] = {ONE: Says("Storm!"), TWO: Says("Fish!"), JUDGE: judge}
    return asyncio.run(play(Match(game, seats, seed, luck=0)))


def chance(model: Any, seen: Observation, mirror: Any = None) -> float:
    return asyncio.run(label_chance(model, seen, (ONE, TWO), mirror))


# the probability of a label


def test_a_preference_for_what_is_offered_first_cancels_out() -> None:
    model = Script(lambda seen: dict(zip(seen.legal or (), (0.3, 0.1), strict=True)))
    assert chance(model, debated()) == pytest.approx(0.5)
    assert [seen.legal for seen in model.asked] == [(ONE, TWO), (TWO, ONE)]
    assert model.asked[0].messages[:-1] == model.asked[1].messages[:-1] == debated().messages
    offers = [seen.messages[-1].text for seen in model.asked]
    assert offers == [
        "Which answer is the correct one? Reply with debater_0 or debater_1 only.",
        "Which answer is the correct one? Reply with debater_1 or debater_0 only.",
    ]


def test_a_preference_for_a_name_cancels_out_where_sides_change_places() -> None:
    model = Script(lambda seen: {ONE: 0.3, TWO: 0.1})
    assert chance(model, debated()) == pytest.approx(0.75)  # without a mirror it remains
    assert chance(model, debated(), mirrored) == pytest.approx(0.5)
    assert model.asked[-1].messages[:-1] == mirrored(debated()).messages


def test_the_mean_of_both_orders_by_hand() -> None:
    def likes_the_storm(seen: Observation) -> Mapping[str, float]:
        storm = next(role for role, text in record(seen.messages).speeches if text == "Storm!")
        other = TWO if storm == ONE else ONE
        # in the first place it says so with 0.4 : 0.1, in the second with 0.3 : 0.3
        return {storm: 0.4, other: 0.1} if storm == ONE else {storm: 0.3, other: 0.3}

    model = Script(likes_the_storm)
    assert chance(model, debated(), mirrored) == pytest.approx((0.8 + 0.5) / 2)
    turned = debated("Fish!", "Storm!", first=SEA.wrong)
    assert chance(model, turned, mirrored) == pytest.approx(1 - (0.8 + 0.5) / 2)


def test_earlier_turns_are_left_out() -> None:
    model = Script(lambda seen: {ONE: 0.5, TWO: 0.5})
    seen = debated()
    chance(model, seen._replace(turns=("an earlier turn",)))  # type: ignore[arg-type]
    assert [asked.turns for asked in model.asked] == [(), ()]


@pytest.fixture(scope="module")
def tiny(new_model: Callable[..., Any], tokenizer: Any) -> LLMAgent:
    return player("tiny", new_model(seed=7), tokenizer, Sampling(max_tokens=4))[0]


def test_a_model_in_the_seat_says_what_its_engine_scores(tiny: LLMAgent) -> None:
    seen, values = debated(), []
    for labels in ((ONE, TWO), (TWO, ONE)):
        which = f"Which answer is the correct one? Reply with {' or '.join(labels)} only."
        message = replace(seen.messages[0], text=which)
        asked = seen._replace(messages=(*seen.messages, message), legal=labels)
        prompt = tiny.renderer.prompt(asked)
        replies = [tiny.renderer.answer(label) for label in (ONE, TWO)]
        one, two = map(math.exp, asyncio.run(tiny.engine.score(prompt, replies)))
        values.append(one / (one + two))
    assert values[0] != pytest.approx(values[1], abs=1e-3), "this model does not mind the order"
    assert chance(tiny, seen) == pytest.approx(sum(values) / 2, abs=1e-5)
    episode = judged(LabelJudge(tiny, (ONE, TWO)), seed=2)
    assert episode.parts[ONE] == "correct"
    assert (episode.payoffs[ONE] + 1) / 2 == pytest.approx(sum(values) / 2, abs=1e-5)


def test_a_model_judges_the_same_wherever_the_debaters_sit(tiny: LLMAgent) -> None:
    straight = chance(tiny, debated(), mirrored)
    turned = chance(tiny, debated("Fish!", "Storm!", first=SEA.wrong), mirrored)
    assert straight == pytest.approx(1 - turned, abs=1e-5)
    alone = chance(tiny, debated())
    assert alone != pytest.approx(1 - chance(tiny, debated("Fish!", "Storm!", SEA.wrong)), abs=1e-2)


def broken(seen: Observation) -> Mapping[str, float]:
    raise ConnectionError("no answer")


@pytest.mark.parametrize(
    ("chances", "why"),
    [
        (broken, "ConnectionError('no answer')"),
        (lambda seen: {ONE: 0.0, TWO: 0.0}, "the model gives {'debater_0': 0.0, 'debater_1': 0.0}"),
        (lambda seen: {ONE: math.nan, TWO: 0.1}, "the model gives {'debater_0': nan"),
        (lambda seen: {ONE: -0.1, TWO: 0.4}, "the model gives {'debater_0': -0.1"),
        (lambda seen: {ONE: 0.4}, "KeyError('debater_1')"),
        (lambda seen: None, "TypeError"),
    ],
)
def test_a_model_that_fails_makes_the_game_void(chances: Any, why: str) -> None:
    episode = judged(LabelJudge(Script(chances), (ONE, TWO), mirrored))
    assert episode.void is not None
    assert episode.void.startswith(f"the judge has no verdict: {why}")
    assert set(episode.payoffs.values()) == {0}
    assert episode.forfeits == ()


# verifiers and other agents in the seat


def read(seen: Observation) -> Record:
    return record(seen.messages)


@pytest.mark.parametrize("seed", range(6))
def test_a_verifier_in_the_seat_pays_like_one_without(seed: int) -> None:
    seated = JudgeAgent("quotes", quotes, read, (ONE, TWO))
    both: dict[str, Agent] = dict.fromkeys(DEBATERS, RandomAgent())
    with_seat = asyncio.run(play(Match(DEBATE, {**both, JUDGE: seated}, seed, luck=seed)))
    without = asyncio.run(play(Match(replace(DEBATE, judge="quotes"), both, seed, luck=seed)))
    assert with_seat.seats[JUDGE] == "quotes"
    assert with_seat.turns_of(JUDGE)[0].action.private.endswith("of quotes verified")
    assert {role: with_seat.payoffs[role] for role in DEBATERS} == pytest.approx(without.payoffs)


def test_a_verifier_in_the_seat_that_fails() -> None:
    def fails(debate: Record) -> Verdict:
        raise TimeoutError("too slow")

    episode = judged(JudgeAgent("v", fails, read, (ONE, TWO)))
    assert episode.void == "the judge has no verdict: TimeoutError('too slow')"
    unread = judged(JudgeAgent("v", quotes, lambda seen: 1 / 0, (ONE, TWO)))  # type: ignore
    assert unread.void == "the judge has no verdict: ZeroDivisionError('division by zero')"


def test_any_agent_may_judge() -> None:
    assert judged(Says("[debater_1: 90%], for it quotes.")).payoffs[TWO] == pytest.approx(0.8)
    drawn = {judged(RandomAgent(), seed=seed).void for seed in range(5)}
    assert drawn == {None}
    mumbling = judged(Says("Hard to tell."))
    assert mumbling.void == "the judge gave no verdict in 2 tries"
    assert len(mumbling.turns_of(JUDGE)) == 2


# majorities


def votes(*texts: str) -> MajorityJudge:
    return MajorityJudge(tuple(map(Says, texts)), (ONE, TWO))


def test_the_majority_wins() -> None:
    yes, no, half = "debater_0: 60%", "debater_1: 99%", "debater_0: 50%"
    assert judged(votes(yes, no, yes)).payoffs[ONE] == 1
    assert judged(votes(no, no, yes, half)).payoffs[ONE] == -1
    assert judged(votes(yes, half, half)).payoffs[ONE] == 1


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("debater_0: 60%", "debater_1: 60%"), "the judges are tied, 1 to 1"),
        (("debater_0: 50%",), "the judges are tied, 0 to 0"),
        (("debater_0: 60%", "debater_0: 60%", "Well."), "'Well.' is no verdict"),
        (("debater_0: 60%", "no verdict: broken"), "the judge has no verdict: broken"),
    ],
)
def test_a_tie_or_a_failure_is_no_verdict(texts: tuple[str, ...], why: str) -> None:
    episode = judged(votes(*texts))
    assert episode.void == f"the judge has no verdict: {why}"
    assert set(episode.payoffs.values()) == {0}


def test_an_agent_that_raises_among_others_is_no_verdict() -> None:
    @dataclass(frozen=True)
    class Raises:
        name: str = "raises"

        async def act(self, observation: Observation) -> Action:
            raise OSError("gone")

    judge = MajorityJudge((Says("debater_0: 60%"), Raises()), (ONE, TWO))
    assert judged(judge).void == "the judge has no verdict: OSError('gone')"


def test_one_agent_may_vote_several_times_with_luck_of_its_own() -> None:
    @dataclass(frozen=True)
    class Lucky:
        seeds: list[int] = field(default_factory=list)
        name: str = "lucky"

        async def act(self, observation: Observation) -> Action:
            self.seeds.append(observation.seed)
            return Action(f"debater_{observation.seed % 2}: 70%")

    lucky = Lucky()
    judge = MajorityJudge((lucky,) * 5, (ONE, TWO))
    assert judge.name == "majority of 5: lucky"
    first = judged(judge)
    assert len(set(lucky.seeds)) == 5
    ones = sum(seed % 2 == 0 for seed in lucky.seeds)
    assert first.payoffs[ONE] == (1 if ones > 2 else -1)
    assert judged(judge) == first  # the same luck again
    assert lucky.seeds[:5] == lucky.seeds[5:]


def test_a_majority_of_nobody() -> None:
    with pytest.raises(BadInput, match="a majority needs at least one judge"):
        MajorityJudge((), (ONE, TWO))


# matches


def test_a_match_whose_judge_always_fails_counts_nothing() -> None:
    def fails(debate: Record) -> Verdict:
        raise OSError("the server is gone")

    game = replace(DEBATE, judge=fails)
    with pytest.raises(BadInput, match=r"4 games were void \(the judge failed: OSError"):
        asyncio.run(match(game, RandomAgent(), RandomAgent(), games=4))


def test_games_whose_judge_failed_are_reported_and_never_drawn() -> None:
    def often(debate: Record) -> Verdict:
        """Fails where the first debater has the correct answer; else the second one wins."""
        if debate.answers[ONE] == SEA.correct:
            raise OSError("the server is gone")
        return Verdict(0.0)

    game = replace(DEBATE, judge=often)
    agents = {name: Says(name) for name in ("a", "b")}
    table = asyncio.run(arena_play([Contest(game, agents)], RoundRobin(40), seed=1))
    counted = table.filter((pl.col("end") == "played") & (pl.col("role") == TWO))
    assert set(counted["payoff"]) == {1.0}  # in every game that counts; a draw would show here
    result = asyncio.run(match(game, *agents.values(), games=40, seed=1))
    assert 0 < result.summary.void < 40
    assert result.summary.void % 2 == 0  # both games of a deal have the same question and sides
    assert result.payoff.clusters == (40 - result.summary.void) / 2


@pytest.mark.parametrize("value", [0.0, 1 / 3, 1.0])
def test_what_a_judge_in_a_seat_says_is_read_again(value: float) -> None:
    agent = JudgeAgent("v", lambda seen: Verdict(value), lambda seen: seen, (ONE, TWO))
    said = asyncio.run(agent.act(debated()))
    assert read_chance(said.text, (ONE, TWO)) == pytest.approx(value, abs=1e-11)


def test_void_says_what_the_labels_got() -> None:
    with pytest.raises(Void, match="the model gives"):
        chance(Script(lambda seen: {ONE: 0.0, TWO: 0.0}), debated())
