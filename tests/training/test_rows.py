"""Training data: the tokens that were sampled, id for id, of the seats that learn and no others."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from sparring.agents.engines.core import Completion, Request
from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.llm import LLMAgent
from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.render import Renderer
from sparring.envs.core import Action, Episode, Observation, Role, Turn
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.specs import describe
from sparring.training.advantages.rae import RAE
from sparring.training.core import Sample
from sparring.training.imitate import as_said_by_model
from sparring.training.methods import policy_gradient
from sparring.training.mixture import Entry, Mixture
from sparring.training.opponents.fixed import Against
from sparring.training.opponents.mirror import Mirror
from sparring.training.player import Player
from sparring.training.rows import Length, Row, learning_rows, rows_of
from sparring.training.selfplay import SelfPlay

GAME = TicTacToe(board=False)


def part(episode: Episode, role: Role, advantage: float = 1.0, weight: float = 1.0) -> Sample:
    """A role's part of a game, whose advantage its turns share in full."""
    return Sample(episode, role, advantage, (1.0,) * len(episode.turns_of(role)), weight)


def rows_for(episode: Episode, role: Role, advantage: float = 1.0, **options: Any) -> list[Row]:
    sample = part(episode, role)
    return rows_of(sample, sample.spread(advantage), **options)


def all_rows(samples: Sequence[Sample]) -> list[Row]:
    return learning_rows(samples, [s.spread(s.reward) for s in samples])


def games(seats: dict[Role, Any], number: int, retries: int = 5) -> list[Episode]:
    matches = [Match(GAME, seats, 0, luck) for luck in range(number)]
    return asyncio.run(play_all(matches, retries=retries))


def answers(row: Row) -> list[tuple[int, ...]]:
    return [row.tokens[start:stop] for start, stop in row.spans]


def must_hold_what_was_sampled(episode: Episode, role: Role, rows: Sequence[Row]) -> None:
    turns = episode.turns_of(role)
    assert len(rows) == 1
    (row,) = rows
    assert row.role == role
    assert answers(row) == [turn.action.tokens for turn in turns]
    assert row.logprobs == tuple(p for turn in turns for p in turn.action.logprobs)
    for (start, stop), turn in zip(row.spans, turns, strict=True):
        assert row.tokens[:start] == turn.action.prompt, "what was read before the answer"
        assert row.tokens[:stop] == turn.action.prompt + turn.action.tokens


# -- id for id --------------------------------------------------------------------------------


def test_rows_are_what_a_real_engine_sampled(talker: tuple[LLMAgent, LocalEngine]) -> None:
    agent, _ = talker
    episodes = games(dict.fromkeys(GAME.roles, agent), 20)
    assert max(len(e.turns) for e in episodes) > 9
    for episode in episodes:
        for role in GAME.roles:
            must_hold_what_was_sampled(episode, role, rows_for(episode, role, 0.5))


def test_rows_are_what_was_sampled_whatever_the_wording(scripted: Any, tokenizer: Any) -> None:
    engine = scripted(Renderer(tokenizer))
    agent = LLMAgent("scripted", engine, engine.renderer)
    episodes = games(dict.fromkeys(GAME.roles, agent), 20, retries=9)
    rows = all_rows([part(e, role) for e in episodes for role in GAME.roles])
    for i, episode in enumerate(episodes):
        for j, role in enumerate(GAME.roles):
            must_hold_what_was_sampled(episode, role, [rows[2 * i + j]])
    said = [span for row in rows for span in answers(row)]
    assert sorted(said) == sorted(done.tokens for done in engine.said), "all of it, once"


def test_only_own_answers_are_trained_on(talker: tuple[LLMAgent, LocalEngine]) -> None:
    agent, _ = talker
    (episode,) = games(dict.fromkeys(GAME.roles, agent), 1)
    for role in GAME.roles:
        (row,) = rows_for(episode, role)
        at = 0
        for start, stop in row.spans:
            assert at < start < stop, "something is read before every answer"
            at = stop
        assert len(row.logprobs) == sum(stop - start for start, stop in row.spans)
        words = [agent.renderer.decode(tokens) for tokens in answers(row)]
        assert words == [agent.renderer.decode(t.action.tokens) for t in episode.turns_of(role)]


def test_advantages_go_to_their_role() -> None:
    action = Action("x", prompt=(1,), tokens=(2,), logprobs=(-1.0,))
    turns = tuple(Turn(Observation(role, ()), action) for role in ("a", "b"))
    episode = Episode("g", 0, turns, {}, {}, {})
    rows = all_rows([part(episode, role, r) for role, r in (("a", 1.0), ("b", 2.0), ("b", 3.0))])
    given = [(row.role, row.advantages) for row in rows]
    assert given == [("a", (1.0,)), ("b", (2.0,)), ("b", (3.0,))]


# -- forks and faults -------------------------------------------------------------------------


def spoken(*actions: Action) -> Episode:
    return Episode("g", 0, tuple(Turn(Observation("a", ()), x) for x in actions), {}, {}, {})


def test_a_prompt_that_does_not_extend_what_was_held_starts_a_row() -> None:
    one = Action("x", prompt=(1, 2), tokens=(3, 4), logprobs=(-1.0, -2.0))
    two = Action("y", prompt=(1, 2, 3, 4, 5), tokens=(6,), logprobs=(-3.0,))
    other = Action("z", prompt=(1, 9), tokens=(7, 8), logprobs=(-4.0, -5.0))
    more = Action("w", prompt=(1, 9, 7, 8, 2), tokens=(5,), logprobs=(-6.0,))
    rows = rows_of(part(spoken(one, two, other, more), "a"), (0.5, 0.6, 0.7, 0.8))
    assert rows == [
        Row("a", (1, 2, 3, 4, 5, 6), ((2, 4), (5, 6)), (-1.0, -2.0, -3.0), (0.5, 0.6)),
        Row("a", (1, 9, 7, 8, 2, 5), ((2, 4), (5, 6)), (-4.0, -5.0, -6.0), (0.7, 0.8)),
    ]
    reworded = replace(two, prompt=(1, 2, 3, 99, 5))  # the answer was tokenised anew
    assert [row.spans for row in rows_for(spoken(one, reworded), "a")] == [((2, 4),), ((5, 6),)]


def test_turns_without_samples_cannot_be_trained_on() -> None:
    sampled = Action("x", prompt=(1,), tokens=(3, 4), logprobs=(-1.0, -2.0))
    for faulty in (
        replace(sampled, logprobs=()),
        replace(sampled, logprobs=(-1.0,)),
        replace(sampled, tokens=(), logprobs=()),
    ):
        with pytest.raises(ValueError, match="turn of a has no sampled tokens"):
            rows_for(spoken(faulty), "a")
    (episode,) = games(dict.fromkeys(GAME.roles, RandomAgent()), 1)
    with pytest.raises(ValueError, match="player_0"):
        all_rows([part(episode, role) for role in GAME.roles])
    assert rows_for(episode, "nobody") == []


# -- weights, lengths, turns ------------------------------------------------------------------

ONE = Action("x", prompt=(1, 2), tokens=(3, 4), logprobs=(-1.0, -2.0))
TWO = Action("y", prompt=(1, 2, 3, 4, 5), tokens=(6,), logprobs=(-3.0,))
FORK = Action("z", prompt=(1, 9), tokens=(7,), logprobs=(-4.0,))


def test_every_answer_has_its_own_advantage() -> None:
    """A split of credit gives each turn its share of the game's advantage."""
    sample = Sample(spoken(ONE, TWO), "a", 3.0, (0.25, 0.75))
    (row,) = learning_rows([sample], [sample.spread(2.0)])
    assert row.advantages == (0.5, 1.5)
    with pytest.raises(ValueError, match="zip"):
        rows_of(sample, (0.5,))


@pytest.mark.parametrize(
    ("length", "weight"), [("sum", 2.0), ("mean", 2.0 / 4), (8, 2.0 / 8)], ids=str
)
def test_the_weight_is_over_the_length_of_the_whole_game(length: Length, weight: float) -> None:
    """Four sampled tokens in three answers and two rows: each row has the weight of the game."""
    sample = part(spoken(ONE, TWO, FORK), "a", weight=2.0)
    rows = rows_of(sample, sample.spread(1.0), length)
    assert [row.weight for row in rows] == [weight, weight]
    assert [row.advantages for row in rows] == [(1.0, 1.0), (1.0,)]
    assert learning_rows([sample], [sample.spread(1.0)], length) == rows


def test_samples_of_weight_0_and_without_a_turn_have_no_rows() -> None:
    nothing = part(spoken(), "a")
    assert rows_of(nothing, (), "mean") == []
    assert all_rows([part(spoken(ONE), "a", weight=0.0), nothing]) == []
    sample = part(spoken(ONE), "a", weight=-1.0)
    assert [row.weight for row in all_rows([sample])] == [-1.0]


def test_one_row_a_turn_holds_the_same_answers() -> None:
    rows = rows_for(spoken(ONE, TWO, FORK), "a", 0.5, length="mean", one_per_turn=True)
    assert rows == [
        Row("a", (1, 2, 3, 4), ((2, 4),), (-1.0, -2.0), (0.5,), 0.25),
        Row("a", (1, 2, 3, 4, 5, 6), ((5, 6),), (-3.0,), (0.5,), 0.25),
        Row("a", (1, 9, 7), ((2, 3),), (-4.0,), (0.5,), 0.25),
    ]
    sample = part(spoken(ONE, TWO), "a")
    assert len(learning_rows([sample], [(1.0, 1.0)], one_per_turn=True)) == 2


def test_imitation_rows_are_canonical_answers_to_the_prompts_of_play(tokenizer: Any) -> None:
    renderer = Renderer(tokenizer)
    for episode in games(dict.fromkeys(GAME.roles, RandomAgent()), 5):
        shown = as_said_by_model(episode, renderer)
        for role in GAME.roles:
            (row,) = rows_for(shown, role)
            assert answers(row) == [renderer.answer(t.action.text) for t in episode.turns_of(role)]
            last = shown.turns_of(role)[-1].observation
            assert row.tokens[: row.spans[-1][0]] == renderer.prompt(last)


# -- frozen seats -----------------------------------------------------------------------------


class Recorder:
    """An engine that keeps what it said."""

    def __init__(self, engine: LocalEngine):
        self.engine = engine
        self.said: list[tuple[Request, Completion]] = []

    async def generate(self, request: Request) -> Completion:
        done = await self.engine.generate(request)
        self.said.append((request, done))
        return done

    async def score(self, *given: Any) -> list[float]:
        return await self.engine.score(*given)


class NoLearner:
    """Keeps the batches that it should learn from."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    class config:
        share_prefixes = False

    def mismatch(self, samples: Any) -> dict[str, float]:
        return {}

    def update(self, batch: Any, progress: float, side: Any) -> dict[str, float]:
        self.batches.append(batch)
        return {}


def one_step(
    agent: Any, opponents: Any, games: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Row], Any, SelfPlay]:
    """The rows and the batch of one step of self-play."""
    kept: list[Row] = []
    collate = policy_gradient.collate

    def keeping(rows: Sequence[Row], **options: Any) -> Any:
        kept.extend(rows)
        return collate(rows, **options)

    monkeypatch.setattr(policy_gradient, "collate", keeping)
    learner: Any = NoLearner()
    loop = SelfPlay(
        mixture=Mixture([Entry(GAME)]),
        players={"learner": Player(agent, learner, lambda: None, None)},
        method=policy_gradient.PolicyGradient(RAE()),
        steps=1,
        games_a_step=games,
        seed=0,
        retries=3,
        opponents=opponents,
    )
    (metrics,) = loop.run()
    assert metrics["games"] == games
    return kept, learner.batches[0], loop


def test_a_frozen_seat_makes_no_training_data(
    taught: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = Renderer(tokenizer)
    ours, theirs = (Recorder(LocalEngine(taught, end=renderer.end)) for _ in range(2))
    learner = LLMAgent("learner", ours, renderer)  # type: ignore[arg-type]
    frozen = LLMAgent("frozen", theirs, renderer)  # type: ignore[arg-type]
    rows, batch, loop = one_step(learner, Against(frozen), 30, monkeypatch)
    assert {row.role for row in rows} == set(GAME.roles), "it learns in either seat"
    assert theirs.said
    assert sorted(t for row in rows for t in answers(row)) == sorted(d.tokens for _, d in ours.said)
    told = {(r.prompt, d.tokens, d.logprobs) for r, d in ours.said}
    for row in rows:
        at = 0
        for start, stop in row.spans:
            own = row.logprobs[at : at + stop - start]
            assert (row.tokens[:start], row.tokens[start:stop], own) in told
            at += stop - start
    assert float(batch.count.sum()) == sum(len(d.tokens) for _, d in ours.said)
    kept = loop.method.state_dict()["estimator"]["baselines"]
    assert sorted(key for key, _ in kept) == [[describe(GAME), role] for role in GAME.roles]


def test_what_a_frozen_seat_thought_changes_no_gradient(
    talker: tuple[LLMAgent, LocalEngine],
) -> None:
    agent, _ = talker
    episodes = games(dict.fromkeys(GAME.roles, agent), 10)
    changed = []
    for episode in episodes:
        turns = [
            t
            if t.role == "player_0"
            else replace(t, action=Action(t.action.text, "a thought", (1,), (2, 3), (-9.0, -9.0)))
            for t in episode.turns
        ]
        changed.append(replace(episode, turns=tuple(turns)))
    own = [all_rows([part(e, "player_0") for e in some]) for some in (changed, episodes)]
    assert own[0] == own[1]


def test_opponents_without_tokens_can_be_learned_against(
    talker: tuple[LLMAgent, LocalEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, batch, _ = one_step(talker[0], Against(RandomAgent()), 10, monkeypatch)
    assert 0 < len(rows) <= 10
    assert torch.isfinite(batch.behaviour).all()


def test_in_the_mirror_both_seats_learn(
    talker: tuple[LLMAgent, LocalEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _, _ = one_step(talker[0], Mirror(), 10, monkeypatch)
    assert len({row.role for row in rows}) == 2
    assert len(rows) >= 19  # one row a seat; a seat that never came to move has none
