"""Attention over rows of their own lengths: what scaled dot-product attention finds, to float32."""

import ctypes
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from sparring.agents.engines.local import attention, ragged

LEAST = torch.finfo(torch.float32).min


def memory(rows: int, heads: int, columns: int, size: int, seed: int = 0) -> torch.Tensor:
    """Row memory with more columns than are read: [rows, heads, columns + 7, size]."""
    return torch.randn(
        (rows, heads, columns + 7, size), generator=torch.Generator().manual_seed(seed)
    )


def mask_of(lengths: list[int], columns: int, window: int = 10**6) -> torch.Tensor:
    at, end = torch.arange(columns), torch.tensor(lengths)[:, None]
    sees = (at < end) & (at >= end - window)
    return torch.zeros(sees.shape).masked_fill(~sees, LEAST)[:, None, None]


def nests() -> int | None:
    """Whether OpenMP lets threads of this one have threads, where torch's can be asked."""
    ask = getattr(ctypes.CDLL(None), "omp_get_nested", None)
    return None if ask is None else int(ask())


def truth(query: Any, key: Any, value: Any, mask: Any, scaling: float | None) -> torch.Tensor:
    found = scaled_dot_product_attention(
        query.double(),
        key.double(),
        value.double(),
        attn_mask=mask.double(),
        scale=scaling,
        enable_gqa=True,
    )
    return found.transpose(1, 2)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("heads", "shared", "size", "wide"), [(4, 4, 32, 32), (9, 3, 64, 64), (4, 2, 20, 12)]
)
def test_it_finds_what_sdpa_finds(
    heads: int, shared: int, size: int, wide: int, dtype: torch.dtype, threads: int
) -> None:
    lengths = [1, 2, 3, 5, 63, 64, 65, 100]
    columns = max(lengths)
    key = memory(8, shared, columns, size).to(dtype)[:, :, :columns]
    value = memory(8, shared, columns, wide, seed=1).to(dtype)[:, :, :columns]
    query = torch.randn((8, heads, 1, size)) * 3
    before, nested = torch.get_num_threads(), nests()
    try:
        torch.set_num_threads(threads)
        for window, scaling in ((10**6, None), (10, 0.3)):
            mask = mask_of(lengths, columns, window)
            assert ragged.suits(key, value, mask)
            found = ragged.attend(query, key, value, mask, scaling)
            assert found.shape == (8, 1, heads, wide)
            assert nests() == nested, "numba lets threads of torch have threads"
            assert torch.allclose(
                found.double(), truth(query, key, value, mask, scaling), atol=2e-6
            )
        assert torch.get_num_threads() == threads, "numba changed the threads of torch"
    finally:
        torch.set_num_threads(before)


def test_numbers_in_a_mask_are_added_and_its_holes_are_hidden() -> None:
    key, value = (memory(3, 2, 40, 16, seed)[:, :, :40] for seed in (0, 1))
    query = torch.randn((3, 2, 1, 16))
    mask = torch.randn((3, 1, 1, 40))
    mask[:, :, :, 5:9] = LEAST
    mask[1, :, :, 20:] = -torch.inf
    found = ragged.attend(query, key, value, mask, None)
    assert torch.allclose(found.double(), truth(query, key, value, mask, None), atol=2e-6)


def test_what_a_row_does_not_see_is_not_even_read() -> None:
    key, value = (memory(2, 2, 30, 16, seed)[:, :, :30] for seed in (0, 1))
    query, mask = torch.randn((2, 2, 1, 16)), mask_of([12, 30], 30, window=9)
    clean = ragged.attend(query, key, value, mask, None)
    for part in (key, value):
        part[0, :, 12:] = torch.nan
        part[0, :, :3] = torch.nan
    assert torch.equal(ragged.attend(query, key, value, mask, None), clean)


def test_a_row_is_the_same_whoever_is_beside_it() -> None:
    key, value = (memory(6, 2, 50, 16, seed)[:, :, :50] for seed in (0, 1))
    query, mask = torch.randn((6, 2, 1, 16)), mask_of([9, 50, 3, 20, 41, 17], 50)
    whole = ragged.attend(query, key, value, mask, None)
    some = ragged.attend(query[2:5], key[2:5], value[2:5], mask[2:5], None)
    assert torch.equal(whole[2:5], some)


@pytest.mark.parametrize("broken", ["query", "key", "value"])
def test_what_is_no_number_comes_out_as_none(broken: str) -> None:
    key, value = (memory(2, 2, 30, 16, seed)[:, :, :30] for seed in (0, 1))
    query = torch.randn((2, 2, 1, 16))
    {"query": query[1, 1, 0], "key": key[1, 1, 4], "value": value[1, 1, 4]}[broken][:] = torch.nan
    found = ragged.attend(query, key, value, mask_of([30, 30], 30), None)
    assert found[1, 0, 1].isnan().all()
    assert not found[0].isnan().any()
    assert not found[1, 0, 0].isnan().any()


def test_what_lies_otherwise_in_memory_goes_elsewhere() -> None:
    key = memory(4, 2, 40, 16)
    mask = mask_of([40] * 4, 40)
    assert ragged.suits(key[:, :, :40], key[:, :, :40], mask)
    assert not ragged.suits(key[:, :, 1:41].transpose(0, 1), key[:, :, :40], mask)
    assert not ragged.suits(key[:, :, :40], key[:, :, :40, ::2], mask)
    assert not ragged.suits(key[:, :, :40].double(), key[:, :, :40].double(), mask)
    assert not ragged.suits(key[:, :, :40], key[:, :, :40], mask.expand(4, 4, 1, 40))


def test_only_what_is_large_goes_to_the_kernel(
    new_model: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small games never wait for its compilation."""
    asked: list[int] = []
    attention._kernel(torch.float32, torch.get_num_threads())
    monkeypatch.setattr(ragged, "attend", lambda *a: asked.append(a[1].numel()))
    module = torch.nn.Module()
    for rows in (1, 200):
        key = memory(rows, 2, 40, 16)[:, :, :40]
        mask = mask_of([40] * rows, 40)
        with attention.attending(new_model()):
            attention._attend(module, torch.randn((rows, 2, 1, 16)), key, key, mask)
    assert asked == [200 * 2 * 40 * 16]
