"""Memory that is given back part by part: the other parts stay as they are."""

import mmap

import pytest
import torch

from sparring.agents.engines.local import pages


@pytest.mark.parametrize("rows", [1, 3, 40, 1000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_given_back_is_one_part(rows: int, dtype: torch.dtype) -> None:
    """Whether or not parts begin where pages do."""
    memory, drop = pages.zeros((4, rows, 1, 5), torch.zeros(1, dtype=dtype))
    assert memory.shape == (4, rows, 1, 5)
    assert memory.dtype == dtype
    assert not memory.any()
    memory[:] = 1
    drop(1)
    assert (memory[[0, 2, 3]] == 1).all()
    memory[1] = 2
    drop(3)
    assert (memory[:3] == torch.tensor([1, 2, 1])[:, None, None, None]).all()


def test_nothing_at_all() -> None:
    memory, drop = pages.zeros((2, 0, 1, 5), torch.zeros(1))
    assert memory.shape == (2, 0, 1, 5)
    drop(0)


def test_a_system_that_takes_no_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(mmap.mmap):
        def madvise(self, *advice: int) -> None:
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(pages.mmap, "mmap", Deaf)
    memory, drop = pages.zeros((4, 1000, 1, 5), torch.zeros(1))
    memory[:] = 1
    drop(1)
    assert (memory[[0, 2, 3]] == 1).all()
