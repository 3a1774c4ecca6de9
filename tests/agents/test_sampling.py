"""From logits to tokens: what is cut away, what is left, and the log-probabilities of it."""

import math

import pytest
import torch

from sparring.agents.engines.core import Sampling
from sparring.agents.engines.local.sampling import Draw, draw
from sparring.envs.core import BadInput

P = [0.4, 0.3, 0.15, 0.1, 0.05]
LOGITS = torch.tensor([P]).log() + 3.0


def drawn(
    sampling: Sampling, allowed: tuple[int, ...] = (), points: int = 2000
) -> dict[int, float]:
    """How often each token comes, with numbers spread evenly over [0, 1)."""
    draws = [Draw(0, sampling, (i + 0.5) / points, allowed) for i in range(points)]
    found = draw(LOGITS, draws)
    assert all(one.plain == pytest.approx(math.log(P[one.token]), abs=1e-6) for one in found)
    shares: dict[int, float] = {}
    for one in found:
        shares[one.token] = shares.get(one.token, 0.0) + 1 / points
    for one in found:
        assert math.exp(one.logprob) == pytest.approx(shares[one.token], abs=2 / points)
    return shares


def about(*shares: float) -> object:
    return pytest.approx({i: p for i, p in enumerate(shares) if p}, abs=2e-3)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, P),
        ({"temperature": 0.5}, [p * p / 0.285 for p in P]),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_k": 1}, [1, 0, 0, 0, 0]),
        ({"top_k": 99}, P),
        # the smallest set that has 0.5, 0.7, 0.71 of the probability
        ({"top_p": 0.5}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_p": 0.69}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_p": 0.71}, [0.4 / 0.85, 0.3 / 0.85, 0.15 / 0.85, 0, 0]),
        ({"top_p": 1e-9}, [1, 0, 0, 0, 0]),
        ({"top_p": 0.71, "top_k": 2}, [4 / 7, 3 / 7, 0, 0, 0]),
        # top-k first: of what it leaves the likeliest has 0.571
        ({"top_p": 0.55, "top_k": 2}, [1, 0, 0, 0, 0]),
        # temperature first: squared, the first two have 0.877 of it
        ({"temperature": 0.5, "top_p": 0.8}, [16 / 25, 9 / 25, 0, 0, 0]),
    ],
)
def test_shares_and_logprobs_by_hand(options: dict[str, float], expected: list[float]) -> None:
    assert drawn(Sampling(**options)) == about(*expected)  # type: ignore[arg-type]


def test_only_what_is_allowed() -> None:
    assert drawn(Sampling(), (2, 4)) == pytest.approx({2: 0.75, 4: 0.25}, abs=2e-3)
    assert drawn(Sampling(top_k=1), (2, 4)) == {2: pytest.approx(1)}


def test_temperature_zero_takes_the_likeliest() -> None:
    for allowed, token in (((), 0), ((4, 3), 3)):
        (one,) = draw(LOGITS, [Draw(0, Sampling(temperature=0), 0.99, allowed)])
        assert one.token == token
        assert one.logprob == one.plain == pytest.approx(math.log(P[token]))


def test_each_draw_has_its_own_row_and_way() -> None:
    logits = torch.cat([LOGITS, LOGITS.flip(1)])
    ways = [(1, Sampling(), ()), (0, Sampling(top_k=1), ()), (1, Sampling(temperature=0), ())]
    alone = [draw(logits, [Draw(row, s, 0.7, a)]) for row, s, a in ways]
    together = draw(logits, [Draw(row, s, 0.7, a) for row, s, a in ways])
    assert together == [one for (one,) in alone]
    assert [one.token for one in together] == [4, 0, 4]


def test_the_last_number_below_one_takes_a_possible_token() -> None:
    """Rounding must not let it fall behind the last token that has any probability."""
    logits = torch.tensor([[0.0, 1.0, -math.inf, -math.inf]])
    (one,) = draw(logits, [Draw(0, Sampling(), math.nextafter(1, 0))])
    assert one.token == 1


def test_a_large_vocabulary() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 20_000) * 3
    draws = [Draw(row, Sampling(), u) for row in range(3) for u in (0.0, 0.3, 0.9999)]
    exact = logits.double().log_softmax(-1)
    for asked, one in zip(draws, draw(logits, draws), strict=True):
        curve = exact[asked.row].exp().cumsum(0)
        before = float(curve[one.token - 1]) if one.token else 0.0
        assert before - 1e-4 <= asked.u <= float(curve[one.token]) + 1e-4
        assert one.logprob == pytest.approx(float(exact[asked.row, one.token]), abs=1e-5)


@pytest.mark.parametrize(
    "options",
    [{"temperature": -1}, {"max_tokens": 0}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}],
)
def test_bad_options(options: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Sampling(**options)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="empty text"):
        Sampling(stop=("",))


def test_many_rows_are_sampled_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    draws = [Draw(n % 7, Sampling(top_k=3), (n + 0.5) / 20) for n in range(20)]
    whole = draw(rows, draws)
    monkeypatch.setattr("sparring.agents.engines.local.sampling.NUMBERS_AT_ONCE", 10)
    assert draw(rows, draws) == whole
