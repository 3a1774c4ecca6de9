"""Bytes of weights against numbers worked out by hand from the models' public shapes."""

import pytest

from sparring.envs.core import BadInput
from sparring.training.cluster.traffic import BFLOAT16, FLOAT32, LLAMAS, fan_out

ONE, EIGHT, SEVENTY = LLAMAS


def test_parameters() -> None:
    """A block of the 8B: 2 × 4096² (q, o) + 2 × 4096 × 1024 (k, v) + 3 × 4096 × 14336 (MLP) +
    2 × 4096 (norms) = 218,112,000; 32 of them, 2 × 128256 × 4096 (embeddings), 4096 (norm)."""
    assert EIGHT.parameters == 32 * 218_112_000 + 1_050_673_152 + 4096 == 8_030_261_248
    assert ONE.parameters == 16 * 60_821_504 + 262_668_288 + 2048 == 1_235_814_400
    assert SEVENTY.parameters == 80 * 855_654_400 + 2_101_346_304 + 8192 == 70_553_706_496


def test_bytes() -> None:
    assert BFLOAT16 * EIGHT.parameters / 1e9 == pytest.approx(16.06, abs=0.005)
    assert FLOAT32 * EIGHT.parameters / 1e9 == pytest.approx(32.12, abs=0.005)


def test_adapters() -> None:
    """Rank 16 on the 8B: q, o 16 × 8192 each; k, v 16 × 5120 each; MLP 3 × 16 × 18432: 1,310,720
    a block."""
    assert EIGHT.lora_parameters(16) == 32 * 1_310_720 == 41_943_040
    every = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    assert EIGHT.lora_parameters(16, every) == 41_943_040
    assert EIGHT.lora_parameters(16, ["q_proj", "v_proj"]) == 32 * (131_072 + 81_920) == 6_815_744
    assert ONE.lora_parameters(8) == 16 * 8 * (2 * 4096 + 2 * 2560 + 3 * 10240) == 5_636_096
    assert SEVENTY.lora_parameters(16) == 80 * 16 * (2 * 16384 + 2 * 9216 + 3 * 36864)


@pytest.mark.parametrize(("rank", "targets"), [(0, []), (16, ["attention"])])
def test_no_such_adapter(rank: int, targets: list[str]) -> None:
    with pytest.raises(BadInput):
        EIGHT.lora_parameters(rank, targets)


@pytest.mark.parametrize(
    ("nodes", "sequential", "tree"), [(0, 0, 0), (1, 2, 2), (3, 6, 4), (4, 8, 6), (7, 14, 6)]
)
def test_fan_out(nodes: int, sequential: float, tree: float) -> None:
    """20 bytes at 10 a second. Of 4 nodes 1 has a copy after a round, 3 after two, all after 3."""
    found = fan_out(20, nodes, 10)
    assert (found.sequential, found.tree) == (sequential, tree)


@pytest.mark.parametrize("bad", [(-1.0, 1, 1.0), (1.0, -1, 1.0), (1.0, 1, 0.0)])
def test_no_such_fan_out(bad: tuple[float, int, float]) -> None:
    with pytest.raises(BadInput):
        fan_out(*bad)
