"""Integers are multiplied exactly, by torch's kernel where it can be trusted and without it."""

from __future__ import annotations

import pytest
import torch

from acgym.compress.packed import int_product as module
from acgym.compress.packed.int_product import CHUNK, int_product, kernel_is_exact


@pytest.fixture(autouse=True)
def _fresh():
    kernel_is_exact.cache_clear()
    yield
    kernel_is_exact.cache_clear()


def full_range(rows, columns, seed):
    return torch.randint(-128, 128, (rows, columns), generator=torch.Generator().manual_seed(seed), dtype=torch.int8)


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("inputs", [64, CHUNK, 3 * CHUNK + 8])
def test_the_product_is_that_of_whole_numbers(trusted, inputs, monkeypatch):
    if not (trusted and kernel_is_exact()):
        monkeypatch.setattr(module, "kernel_is_exact", lambda: False)
    left, right = full_range(32, inputs, 0), full_range(inputs, 48, 1)
    left[0], right[:, 0] = -128, -128  # the largest sum there is
    wanted = left.long() @ right.long()
    assert torch.equal(int_product(left, right).long(), wanted)


def test_a_kernel_that_adds_up_in_sixteen_bits_is_found(monkeypatch):
    def overflowing(left, right):
        shifted, other = left.int() + 128, right.int()
        pairs = [shifted[:, i : i + 2] @ other[i : i + 2] for i in range(0, left.shape[1], 2)]
        return sum(pair.clamp(-(2**15), 2**15 - 1) for pair in pairs) - 128 * other.sum(0)

    ones = torch.ones(4, 4, dtype=torch.int8)
    assert torch.equal(overflowing(ones, ones), torch.full((4, 4), 4, dtype=torch.int32))
    monkeypatch.setattr(torch, "_int_mm", overflowing)
    assert not kernel_is_exact()
    left, right = full_range(32, 64, 2), full_range(64, 32, 3)
    assert torch.equal(int_product(left, right).long(), left.long() @ right.long())
