"""Group sizes that fit: defaults are replaced by the nearest that divides all inputs, what is said stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.compress import parse
from acgym.compress.fit import fit


@pytest.mark.parametrize(
    ("written", "columns", "recipe"),
    [
        ("gptq-w4", {4096, 11008}, "gptq-w4-g128"),
        ("gptq-w4", {576, 1536}, "gptq-w4-g64"),  # SmolLM2-135M
        ("GPTQ-w4-actorder", {576}, "gptq-w4-g64-actorder"),
        ("rtn-w4", {96}, "rtn-w4-g32"),
        ("rtn-w4", {24}, "rtn-w4-channel"),
        ("rtn-w4-g128", {576}, "rtn-w4-g128"),
        ("rtn-w4-g-1", {576}, "rtn-w4-channel"),
        ("rtn-w4-channel", {577}, "rtn-w4-channel"),
        ("rtn-w16", {577}, "rtn-w16-g128"),
        ("wanda-50+awq-w4+kv-int8", {64}, "wanda-50+awq-w4-g64+kv-int8"),
        ("smoothquant-w8a8", {577}, "smoothquant-w8a8"),
    ],
)
def test_hand_worked(written, columns, recipe):
    found = fit(written, columns)
    assert str(found.recipe) == recipe
    assert bool(found.notes) == (str(parse(written)) != recipe)


def test_the_sentence_names_what_does_not_fit_and_what_is_taken():
    assert fit("gptq-w4", {576, 128, 1536, 96}).notes == (
        "groups of 128, the default, do not divide the model's 96 and 576 input features: gptq-w4 takes g32, the "
        "nearest that fits",
    )
    assert fit("gptq-w4", {24}).notes[0].endswith("takes whole rows (channel)")


@given(st.sets(st.integers(1, 5000), min_size=1, max_size=4))
def test_what_is_taken_always_fits(columns):
    options = fit("rtn-w4", columns).recipe.steps[0].options
    for count in columns:
        options.check(count)
