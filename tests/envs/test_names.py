"""Generated names: enough of them, told apart, and never in both splits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.draw import Draw
from acgym.envs.names import HEADS, TAILS, codes, distinct_names, in_split, names, similar_names

SPLITS = ("eval", "train")
SEEDS = st.integers(0, 2**32 - 1)


def halves(name: str) -> list[tuple[str, str]]:
    return [(head, name[len(head) :]) for head in HEADS if name.startswith(head) and name[len(head) :] in TAILS]


def test_heads_and_tails_do_not_repeat():
    assert len(HEADS) == len(set(HEADS)) == 48
    assert len(TAILS) == len(set(TAILS)) == 48


def test_every_name_is_in_one_split_and_has_one_reading():
    assert len(names("eval")) == 576
    assert len(names("train")) == 1728
    assert len(set(names("eval")) | set(names("train"))) == 48 * 48
    assert all(len(halves(name)) == 1 for split in SPLITS for name in names(split))
    assert all(name.isascii() and name.isalpha() and name.islower() for split in SPLITS for name in names(split))


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_every_code_is_in_one_split(digits):
    both = [set(codes(split, digits)) for split in SPLITS]
    assert both[0] | both[1] == {str(n) for n in range(10 ** (digits - 1), 10**digits)}
    assert both[0].isdisjoint(both[1])
    if digits == 4:
        assert 0.22 < len(both[0]) / 9000 < 0.28


@given(st.text(st.characters(codec="utf-8")))
def test_a_key_is_in_one_split(key):
    assert in_split(key, "eval") is not in_split(key, "train")


def test_the_line_between_the_splits_does_not_move():
    """CRC-32 of these keys modulo 4, computed with zlib's documented polynomial: 0 is evaluation."""
    assert [in_split(f"code {n}", "eval") for n in (1000, 1001, 1002, 1003)] == [
        crc32_by_hand(f"code {n}".encode()) % 4 == 0 for n in (1000, 1001, 1002, 1003)
    ]


def crc32_by_hand(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xEDB88320 * (value & 1)
    return value ^ 0xFFFFFFFF


@given(SEEDS, st.sampled_from(SPLITS), st.integers(0, 12))
def test_distinct_names_share_nothing(seed, split, count):
    drawn = distinct_names(Draw(np.random.default_rng(seed)), split, count)
    assert len(drawn) == count
    assert set(drawn) <= set(names(split))
    parts = [halves(name)[0] for name in drawn]
    assert len({head for head, _ in parts}) == len({tail for _, tail in parts}) == count


@given(SEEDS, st.sampled_from(SPLITS), st.integers(0, 8), st.data())
def test_similar_names_share_one_half(seed, split, count, data):
    name = data.draw(st.sampled_from(names(split)))
    drawn = similar_names(Draw(np.random.default_rng(seed)), split, name, count)
    assert len(drawn) == len(set(drawn)) == count
    assert set(drawn) <= set(names(split))
    ((head, tail),) = halves(name)
    for other in drawn:
        ((other_head, other_tail),) = halves(other)
        assert (head == other_head) != (tail == other_tail)
