"""One update: its minimum, its gradient through rows and trees, its magnet, its state.

The model here is a table of logits, next token by last token, so that every number is known.
"""

import asyncio
import copy
import io
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from sparring.agents.play import Match, play_all
from sparring.envs.core import Action, BadInput, Episode, Observation, Role
from sparring.envs.games.kuhn import KuhnPoker, KuhnState
from sparring.training import weights
from sparring.training.advantages.constant import Constant
from sparring.training.advantages.rae import RAE
from sparring.training.batch import collate
from sparring.training.core import Sample
from sparring.training.learner import Learner
from sparring.training.rows import Row, learning_rows
from sparring.training.update import Ramp, UpdateConfig

NewModel = Callable[..., Any]
NEVER = -1e4  # the logit of a token that is not to be said


class Table(nn.Module):
    """Logits of the next token by the last one, called like a model of transformers."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, logits: torch.Tensor):
        super().__init__()
        self.logits = nn.Parameter(logits.clone())
        sizes = SimpleNamespace(hidden_size=128, vocab_size=len(logits))
        self.config = SimpleNamespace(
            get_text_config=lambda: sizes, _attn_implementation="sdpa", is_encoder_decoder=False
        )

    def get_output_embeddings(self) -> None:
        """It has none: all logits are computed, and the trained tokens' are taken."""

    def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
        return SimpleNamespace(logits=self.logits[input_ids])


# -- one state: the closed form ---------------------------------------------------------------

ASK = 3  # the only prompt; 0, 1 and 2 are the answers
ADVANTAGES = (1.0, -0.7, 0.2)


def bandit(old: Sequence[float]) -> Table:
    logits = torch.full((4, 4), NEVER)
    logits[ASK, :3] = torch.tensor(old).log()
    return Table(logits)


def arms(policy: Sequence[float]) -> list[Row]:
    """One row an answer, weighted so that the batch is exactly what ``policy`` would sample."""
    return [
        Row("r", (ASK, a), ((1, 2),), (math.log(p),), (3 * p * advantage,))
        for a, (p, advantage) in enumerate(zip(policy, ADVANTAGES, strict=True))
    ]


def chances(model: Table) -> list[float]:
    found: list[float] = model.logits[ASK, :3].softmax(-1).tolist()
    return found


def closed_form(
    old: Sequence[float], magnet: Sequence[float], beta: float, tau: float, epsilon: float = 0.0
) -> list[float]:
    """π ∝ (old^β · magnet^τ · exp A)^(1/(β + τ + ε))."""
    told = torch.tensor([old, magnet]).log()
    power = (beta * told[0] + tau * told[1] + torch.tensor(ADVANTAGES)) / (beta + tau + epsilon)
    found: list[float] = power.softmax(-1).tolist()
    return found


def learner_of(model: Any, **options: Any) -> Learner:
    given: dict[str, Any] = {
        "inner_steps": 400,
        "learning_rate": Ramp(0.03, 0.03),
        "max_grad_norm": 1e9,
        **options,
    }
    return Learner(model, UpdateConfig(**given))


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize(("beta", "tau", "epsilon"), [(2, 0.2, 0), (0.5, 1, 0), (1, 0.5, 0.7)])
def test_many_inner_steps_reach_the_mirror_descent_step(
    share: bool, beta: float, tau: float, epsilon: float
) -> None:
    start = (0.5, 0.3, 0.2)
    model = bandit(start)
    options = {"step_size": Ramp(1 / beta, 1 / beta), "magnet": tau, "entropy": epsilon}
    learner = learner_of(model, **options)
    learner.update(collate(arms(start), share=share), 0.0)
    first = chances(model)
    assert first == pytest.approx(closed_form(start, start, beta, tau, epsilon), abs=2e-3)
    learner.update(collate(arms(first), share=share), 0.0)  # the magnet stayed where it was
    expected = closed_form(first, start, beta, tau, epsilon)
    assert chances(model) == pytest.approx(expected, abs=2e-3)
    assert max(abs(a - b) for a, b in zip(expected, first, strict=True)) > 0.02


@pytest.mark.parametrize(("progress", "tau"), [(0.0, 0.5), (0.5, 0.3), (1.0, 0.1)])
def test_the_magnets_weight_may_change_over_a_run(progress: float, tau: float) -> None:
    start = (0.5, 0.3, 0.2)
    model = bandit(start)
    learner = learner_of(model, step_size=Ramp(1.0, 1.0), magnet=0.5, magnet_end=0.1)
    learner.update(collate(arms(start)), progress)
    assert chances(model) == pytest.approx(closed_form(start, start, 1, tau, 0), abs=2e-3)
    with pytest.raises(BadInput, match="magnet-end needs a magnet"):
        UpdateConfig(magnet=0.0, magnet_end=0.1)


def test_the_magnet_moves_every_so_many_updates() -> None:
    model = bandit((0.5, 0.3, 0.2))
    learner = learner_of(model, inner_steps=2, magnet_every=3)
    before = []
    for update in range(7):
        before.append(chances(model))
        metrics = learner.update(collate(arms(before[-1])), 0.0)
        with weights.using(model, learner.magnet):
            assert chances(model) == before[update - update % 3]
        assert metrics["kl_step"] > 0
        if update % 3 == 0:
            assert metrics["kl_magnet"] == pytest.approx(metrics["kl_step"])
        else:
            assert metrics["kl_magnet"] != pytest.approx(metrics["kl_step"])
    assert len({tuple(policy) for policy in before}) == 7


def test_terms_that_are_switched_off_pull_nowhere() -> None:
    """Without KL terms nothing holds the policy: it goes to the best answer."""
    model = bandit((0.3, 0.4, 0.3))
    learner = learner_of(model, step_size=Ramp(math.inf, math.inf), magnet=0.0)
    metrics = learner.update(collate(arms((0.3, 0.4, 0.3))), 0.0)
    assert chances(model)[0] > 0.99
    assert metrics["entropy"] == pytest.approx(
        -sum(p * math.log(p) for p in (0.3, 0.4, 0.3)), abs=1e-5
    ), "of the policy that played"


def test_a_clip_stops_the_policy_near_where_it_was() -> None:
    model = bandit((0.3, 0.4, 0.3))
    off = Ramp(math.inf, math.inf)
    slow = Ramp(0.002, 0.002)
    learner = learner_of(model, step_size=off, magnet=0.0, clip=0.2, learning_rate=slow)
    learner.update(collate(arms((0.3, 0.4, 0.3))), 0.0)
    ratios = [new / old for new, old in zip(chances(model), (0.3, 0.4, 0.3), strict=True)]
    assert 1.19 < ratios[0] < 1.3
    assert 0.6 < ratios[1] < 0.81


def test_off_policy_samples_are_seen() -> None:
    model = bandit((0.5, 0.3, 0.2))
    metrics = learner_of(model, inner_steps=1).update(collate(arms((0.4, 0.3, 0.3))), 0.0)
    drifts = [abs(math.log(a / b)) for a, b in ((0.5, 0.4), (0.3, 0.3), (0.2, 0.3))]
    assert metrics["mismatch_max"] == pytest.approx(max(drifts), abs=1e-5)
    assert metrics["mismatch_mean"] == pytest.approx(sum(drifts) / 3, abs=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_run(bad: float) -> None:
    model = bandit((0.5, 0.3, 0.2))
    rows = [Row("r", (ASK, 0), ((1, 2),), (-0.5,), (bad,))]
    before = chances(model)
    with pytest.raises(FloatingPointError, match="update 0"):
        learner_of(model).update(collate(rows), 0.0)
    assert chances(model) == before


# -- Kuhn poker: from games through rows and trees to the exact gradient ----------------------

KUHN = KuhnPoker()
WORDS = ("check", "bet", "call", "fold")
BOLD = {"bet": 1, "call": 1, "check": -1, "fold": -1}
SETS = tuple(
    (card, moves) for moves in ("", "k", "b", "kb") for card in "JQK"
)  # what a role can know: its card and the moves
EXACT = {
    **dict.fromkeys([(c, "") for c in "JQK"], 1 / 16),
    **dict(zip([(c, "kb") for c in "JQK"], (-1 / 48, 1 / 48, 1 / 16), strict=True)),
    **dict.fromkeys([(c, "k") for c in "JQK"], 1 / 48),
    **dict(zip([(c, "b") for c in "JQK"], (-1 / 24, 1 / 24, 1 / 8), strict=True)),
}
"""d(own payoff) / d(logit of bet or call) at uniform play, derived in fractions."""


def token(knows: tuple[str, str]) -> int:
    return len(WORDS) + SETS.index(knows)


def uniform_table() -> Table:
    size = len(WORDS) + len(SETS)
    logits = torch.full((size, size), NEVER)
    for card, moves in SETS:
        asked = ("call", "fold") if moves.endswith("b") else ("check", "bet")
        logits[token((card, moves)), [WORDS.index(w) for w in asked]] = 0.0
    return Table(logits)


@dataclass(frozen=True)
class Tokens:
    """Plays uniformly, and says so in tokens: what it knows is one, what it answers another."""

    name: str = "tokens"

    async def act(self, observation: Observation) -> Action:
        said = random.Random(observation.seed).choice(observation.legal or ())
        return in_tokens(observation, said)


def in_tokens(observation: Observation, said: str) -> Action:
    texts = [m.text for m in observation.messages]
    card = next(t[-1] for t in texts if t.startswith("Your card"))
    moves = "".join("b" if t.endswith("bet") else "k" for t in texts if t.startswith("player_"))
    held = [t.action.prompt + t.action.tokens for t in observation.turns]
    prompt = (*(held[-1] if held else ()), token((card, moves)))
    return Action(said, prompt=prompt, tokens=(WORDS.index(said),), logprobs=(math.log(0.5),))


def every_game() -> list[Episode]:
    """All games of uniform play, each as often as its probability in 48ths."""

    def at(state: KuhnState, copies: int, answers: list[str]) -> Iterator[tuple[int, list[str]]]:
        if not state.to_act:
            yield copies, answers
            return
        (role,) = state.to_act
        for answer in state.observe(role).legal or ():
            yield from at(state.step({role: answer}), copies // 2, [*answers, answer])

    @dataclass
    class Script:
        answers: list[str]
        name: str = "script"

        async def act(self, observation: Observation) -> Action:
            return in_tokens(observation, self.answers.pop(0))

    seeds = {KUHN.start(seed).deals: seed for seed in range(200)}
    matches: list[Match] = []
    for _, start in KUHN.openings():
        for copies, answers in at(start, 8, []):
            for _ in range(copies):
                seats = dict.fromkeys(KUHN.roles, Script(list(answers)))
                matches.append(Match(KUHN, seats, seeds[start.deals], 0))
    return asyncio.run(play_all(matches))


def estimated(episodes: list[Episode], estimator: Any, share: bool = True) -> dict[Any, float]:
    """The step of one update by plain gradient descent of rate 1, a game: d/d(logit of bold)."""
    samples = samples_of(episodes)
    batch = collate(learning_rows(samples, estimator(samples)), share=share)
    assert batch.rows == 2 * len(episodes)
    model = uniform_table()
    off = Ramp(math.inf, math.inf)
    learner = learner_of(model, inner_steps=1, step_size=off, magnet=0.0)
    learner.optimizer = torch.optim.SGD(model.parameters(), lr=1.0)  # type: ignore[assignment]
    before = model.logits.detach().clone()
    rate = learner.config.learning_rate.at(0.0)
    learner.update(batch, 0.0)
    moved = (model.logits.detach() - before) / rate * 2  # two rows a game
    found = {}
    for card, moves in SETS:
        bold, timid = ("call", "fold") if moves.endswith("b") else ("bet", "check")
        row = moved[token((card, moves))]
        assert float(row[WORDS.index(timid)]) == pytest.approx(-float(row[WORDS.index(bold)]))
        found[card, moves] = float(row[WORDS.index(bold)])
    return found


def samples_of(episodes: list[Episode], roles: Sequence[Role] = KUHN.roles) -> list[Sample]:
    return [
        Sample(e, role, e.payoffs[role], (1.0,) * len(e.turns_of(role)))
        for e in episodes
        for role in roles
    ]


BY_ROLE = Constant(lambda sample: {"player_0": 1.5, "player_1": -7.0}[sample.role])


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("estimator", [Constant(), Constant(1 / 8), BY_ROLE])
def test_the_update_on_all_games_is_the_exact_policy_gradient(estimator: Any, share: bool) -> None:
    episodes = every_game()
    assert len(episodes) == 48
    assert estimated(episodes, estimator, share) == pytest.approx(EXACT, abs=2e-6)


@pytest.mark.parametrize("estimator", [Constant, RAE])
def test_updates_on_sampled_games_have_the_exact_gradient_as_their_mean(estimator: Any) -> None:
    seats = dict.fromkeys(KUHN.roles, Tokens())
    matches = [Match(KUHN, seats, s, s) for s in random.Random(0).choices(range(1 << 40), k=4800)]
    episodes = asyncio.run(play_all(matches))
    kept = estimator()
    found = [estimated(episodes[i : i + 60], kept) for i in range(0, len(episodes), 60)]
    for knows, exact in EXACT.items():
        values = torch.tensor([f[knows] for f in found], dtype=torch.float64)
        error = float(values.std()) / math.sqrt(len(values))
        assert abs(float(values.mean()) - exact) < 3.5 * error, knows
        assert error < 0.02, "an estimate this rough shows nothing"


# -- a real model -----------------------------------------------------------------------------


def random_rows(number: int) -> list[Row]:
    luck = random.Random(1)
    starts = [tuple(luck.choices(range(4, 60), k=n)) for n in (3, 5, 8)]
    rows = []
    for _ in range(number):
        start = luck.choice(starts)
        said = tuple(luck.choices(range(4, 8), k=2))
        more = (9, 10, *luck.choices(range(4, 6), k=1)) if luck.random() < 0.5 else ()
        tokens = (*start, *said, *more)
        spans = [(len(start), len(start) + 2)] + ([(len(tokens) - 1, len(tokens))] if more else [])
        logprobs = tuple(-3.0 for a, b in spans for _ in range(a, b))
        pays = luck.choice((-2.0, -1.0, 1.0, 2.0))
        rows.append(Row("r", tokens, tuple(spans), logprobs, (pays,) * len(spans)))
    return rows


@pytest.mark.parametrize(
    "options", [{}, {"clip": 0.2}, {"entropy": 0.1, "tokens_at_once": 20}], ids=str
)
def test_two_updates_do_not_depend_on_sharing_or_on_parts(
    new_model: NewModel, options: dict[str, Any]
) -> None:
    """By plain gradient descent, which hides nothing of a gradient's size."""
    after = []
    for share, at_once in ((True, 1 << 14), (False, 1 << 14), (True, 30), (False, 30)):
        model = new_model(loud=3.0)
        given = {"inner_steps": 3, "magnet_every": 5, "tokens_at_once": at_once, **options}
        learner = learner_of(model, **given)
        learner.optimizer = torch.optim.SGD(model.parameters(), lr=0.01)  # type: ignore[assignment]
        rows = random_rows(40)
        losses = [
            learner.update(collate(half, share=share), 0.0)["loss"]
            for half in (rows[:20], rows[20:])
        ]
        after.append((losses, torch.cat([p.detach().flatten() for p in model.parameters()])))
    untrained = torch.cat([p.detach().flatten() for p in new_model(loud=3.0).parameters()])
    for losses, found in after[1:]:
        assert losses == pytest.approx(after[0][0], rel=1e-4, abs=1e-5)
        moved = float((found - untrained).abs().max())
        assert float((found - after[0][1]).abs().max()) < 2e-4 * moved


def test_imitation_raises_the_likelihood_of_what_was_said() -> None:
    model = bandit((0.5, 0.3, 0.2))
    learner = learner_of(model)
    rows = [Row("r", (ASK, a), ((1, 2),), (0.0,), (-5.0,)) for a in (0, 0, 1, 2)]  # any advantage
    first = learner.imitate(collate(rows), 0.05)["imitation_loss"]
    expected = -(2 * math.log(0.5) + math.log(0.3) + math.log(0.2)) / 4
    assert first == pytest.approx(expected, abs=1e-5)
    for _ in range(300):
        learner.imitate(collate(rows), 0.05)
    assert chances(model) == pytest.approx([0.5, 0.25, 0.25], abs=1e-2)
    assert learner.optimizer.state
    learner.fresh_optimizer()
    assert not learner.optimizer.state


def test_a_learner_goes_on_from_its_state(new_model: NewModel) -> None:
    def saved(state: Any) -> Any:
        file = io.BytesIO()
        torch.save(state, file)
        file.seek(0)
        return torch.load(file, weights_only=True)

    batch = collate(random_rows(20))
    options = {"inner_steps": 2, "learning_rate": Ramp(1e-3, 1e-4), "magnet_every": 3}
    whole = learner_of(new_model(loud=2.0), **options)
    expected = [whole.update(batch, i / 5) for i in range(6)]
    for stop in (1, 2, 3, 4):
        first = learner_of(new_model(loud=2.0), **options)
        for i in range(stop):
            first.update(batch, i / 5)
        loaded, state = saved(first.model.state_dict()), saved(first.state_dict())
        second = learner_of(new_model(seed=9), **options)
        second.model.load_state_dict(loaded)
        second.load_state_dict(state)
        assert [second.update(batch, i / 5) for i in range(stop, 6)] == expected[stop:]
    forgetful = learner_of(copy.deepcopy(first.model), **options)
    assert forgetful.update(batch, 4 / 5) != expected[4], "the state is not needed at all?"


def test_the_learning_rate_follows_its_ramp() -> None:
    model = bandit((0.5, 0.3, 0.2))
    learner = learner_of(model, inner_steps=1, learning_rate=Ramp(0.1, 0.0))
    for progress, rate in ((0.0, 0.1), (0.5, 0.05), (1.0, 0.0)):
        before = chances(model)
        learner.update(collate(arms(before)), progress)
        assert learner.optimizer.param_groups[0]["lr"] == pytest.approx(rate)
    assert chances(model) == before, "a rate of 0 changes nothing"


def test_roles_are_not_mixed_up() -> None:
    """The seats have their own sets: what one role learns leaves the other's answers alone."""
    episodes = every_game()
    model = uniform_table()
    learner = learner_of(model, inner_steps=1)
    own = samples_of(episodes, ["player_1"])
    before = model.logits.detach().clone()
    learner.update(collate(learning_rows(own, Constant()(own))), 0.0)
    moved = {knows for knows in SETS if not model.logits[token(knows)].equal(before[token(knows)])}
    assert moved == {(card, moves) for card, moves in SETS if moves in ("k", "b")}
