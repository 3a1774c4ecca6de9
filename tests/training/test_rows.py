"""Training data: the tokens that were sampled, id for id, of the seats that learn and no others."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from sparring.agents.engines.core import Completion, Request
from sparring.agents.engines.local import LocalEngine
from sparring.agents.llm import LLMAgent
from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.render import Renderer
from sparring.envs.core import Action, Episode, Observation, Role, Turn
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.specs import describe
from sparring.training import selfplay
from sparring.training.advantages.rae import RAE
from sparring.training.imitate import as_said_by_model
from sparring.training.opponents import against, mirror
from sparring.training.rows import Row, learning_rows, rows_of
from sparring.training.selfplay import SelfPlay

GAME = TicTacToe(board=False)
BOTH = {"player_0": 1.0, "player_1": -1.0}


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
            must_hold_what_was_sampled(episode, role, rows_of(episode, role, 0.5))


def test_rows_are_what_was_sampled_whatever_the_wording(scripted: Any, tokenizer: Any) -> None:
    engine = scripted(Renderer(tokenizer))
    agent = LLMAgent("scripted", engine, engine.renderer)
    episodes = games(dict.fromkeys(GAME.roles, agent), 20, retries=9)
    rows = learning_rows(episodes, [BOTH] * len(episodes))
    for i, episode in enumerate(episodes):
        for j, role in enumerate(GAME.roles):
            must_hold_what_was_sampled(episode, role, [rows[2 * i + j]])
    said = [span for row in rows for span in answers(row)]
    assert sorted(said) == sorted(done.tokens for done in engine.said), "all of it, once"


def test_only_own_answers_are_trained_on(talker: tuple[LLMAgent, LocalEngine]) -> None:
    agent, _ = talker
    (episode,) = games(dict.fromkeys(GAME.roles, agent), 1)
    for role in GAME.roles:
        (row,) = rows_of(episode, role, 1.0)
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
    rows = learning_rows([episode, episode], [{"a": 1.0, "b": 2.0}, {"b": 3.0}])
    assert [(row.role, row.advantage) for row in rows] == [("a", 1.0), ("b", 2.0), ("b", 3.0)]


# -- forks and faults -------------------------------------------------------------------------


def spoken(*actions: Action) -> Episode:
    return Episode("g", 0, tuple(Turn(Observation("a", ()), x) for x in actions), {}, {}, {})


def test_a_prompt_that_does_not_extend_what_was_held_starts_a_row() -> None:
    one = Action("x", prompt=(1, 2), tokens=(3, 4), logprobs=(-1.0, -2.0))
    two = Action("y", prompt=(1, 2, 3, 4, 5), tokens=(6,), logprobs=(-3.0,))
    other = Action("z", prompt=(1, 9), tokens=(7, 8), logprobs=(-4.0, -5.0))
    more = Action("w", prompt=(1, 9, 7, 8, 2), tokens=(5,), logprobs=(-6.0,))
    rows = rows_of(spoken(one, two, other, more), "a", 0.5)
    assert rows == [
        Row("a", (1, 2, 3, 4, 5, 6), ((2, 4), (5, 6)), (-1.0, -2.0, -3.0), 0.5),
        Row("a", (1, 9, 7, 8, 2, 5), ((2, 4), (5, 6)), (-4.0, -5.0, -6.0), 0.5),
    ]
    reworded = replace(two, prompt=(1, 2, 3, 99, 5))  # the answer was tokenised anew
    assert [row.spans for row in rows_of(spoken(one, reworded), "a", 0.5)] == [((2, 4),), ((5, 6),)]


def test_turns_without_samples_cannot_be_trained_on() -> None:
    sampled = Action("x", prompt=(1,), tokens=(3, 4), logprobs=(-1.0, -2.0))
    for faulty in (
        replace(sampled, logprobs=()),
        replace(sampled, logprobs=(-1.0,)),
        replace(sampled, tokens=(), logprobs=()),
    ):
        with pytest.raises(ValueError, match="turn of a has no sampled tokens"):
            rows_of(spoken(faulty), "a", 0.5)
    (episode,) = games(dict.fromkeys(GAME.roles, RandomAgent()), 1)
    with pytest.raises(ValueError, match="player_0"):
        learning_rows([episode], [BOTH])
    assert rows_of(episode, "nobody", 1.0) == []


def test_imitation_rows_are_canonical_answers_to_the_prompts_of_play(tokenizer: Any) -> None:
    renderer = Renderer(tokenizer)
    for episode in games(dict.fromkeys(GAME.roles, RandomAgent()), 5):
        shown = as_said_by_model(episode, renderer)
        for role in GAME.roles:
            (row,) = rows_of(shown, role, 0.0)
            assert answers(row) == [renderer.answer(t.action.text) for t in episode.turns_of(role)]
            last = shown.turns_of(role)[-1].observation
            assert row.tokens[: row.spans[-1][0]] == renderer.prompt(last)[0]


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

    def update(self, batch: Any, progress: float) -> dict[str, float]:
        self.batches.append(batch)
        return {}


def one_step(
    player: Any, opponents: Any, games: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Row], Any, SelfPlay]:
    """The rows and the batch of one step of self-play."""
    kept: list[Row] = []
    collate = selfplay.collate

    def keeping(rows: Sequence[Row], **options: Any) -> Any:
        kept.extend(rows)
        return collate(rows, **options)

    monkeypatch.setattr(selfplay, "collate", keeping)
    learner = NoLearner()
    loop = SelfPlay(
        game=GAME,
        player=player,
        learner=learner,  # type: ignore[arg-type]
        estimator=RAE(),
        publish=lambda: None,
        steps=1,
        games=games,
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
    rows, batch, loop = one_step(learner, against(frozen), 30, monkeypatch)
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
    assert set(loop.estimator.baselines) <= {(describe(GAME), role) for role in GAME.roles}  # type: ignore[attr-defined]


def test_what_a_frozen_seat_thought_changes_no_gradient(
    talker: tuple[LLMAgent, LocalEngine],
) -> None:
    agent, _ = talker
    episodes = games(dict.fromkeys(GAME.roles, agent), 10)
    own = [{"player_0": 1.0}] * len(episodes)
    changed = []
    for episode in episodes:
        turns = [
            t
            if t.role == "player_0"
            else replace(t, action=Action(t.action.text, "a thought", (1,), (2, 3), (-9.0, -9.0)))
            for t in episode.turns
        ]
        changed.append(replace(episode, turns=tuple(turns)))
    assert learning_rows(changed, own) == learning_rows(episodes, own)


def test_opponents_without_tokens_can_be_learned_against(
    talker: tuple[LLMAgent, LocalEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, batch, _ = one_step(talker[0], against(RandomAgent()), 10, monkeypatch)
    assert 0 < len(rows) <= 10
    assert torch.isfinite(batch.behaviour).all()


def test_in_the_mirror_both_seats_learn(
    talker: tuple[LLMAgent, LocalEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _, _ = one_step(talker[0], mirror, 10, monkeypatch)
    assert len({row.role for row in rows}) == 2
    assert len(rows) >= 19  # one row a seat; a seat that never came to move has none
