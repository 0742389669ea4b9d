"""Recipes: what they mean, what they refuse, and that reading them loads nothing heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import acgym.compress.methods.table as methods
from acgym.compress import Options, Recipe, Step, parse, register_method
from acgym.compress.options.model import ActivationOptions, AwqOptions, KvOptions, SmoothQuantOptions
from acgym.compress.options.weights import Affine, GptqOptions, Sparsity

BITS = st.sampled_from([2, 3, 4, 8, 16])
GROUPS = st.one_of(st.just(-1), st.integers(1, 4096))
SHARES = st.decimals(1, "99.999", places=3).map(float)
PATTERNS = st.tuples(st.integers(1, 16), st.integers(1, 16)).map(lambda nm: (min(nm), max(nm)))
DAMPS = st.decimals(0, 1, places=6).map(float)
STEPS = st.one_of(
    st.builds(Step, st.just("rtn"), st.builds(Affine, BITS, GROUPS, st.booleans())),
    st.builds(
        Step,
        st.just("gptq"),
        st.builds(GptqOptions, BITS, GROUPS, *[st.booleans()] * 3, DAMPS, st.booleans()),
    ),
    st.builds(Step, st.just("awq"), st.builds(AwqOptions, BITS, GROUPS, st.booleans(), st.booleans(), st.booleans())),
    st.builds(
        Step,
        st.just("smoothquant"),
        st.builds(SmoothQuantOptions, st.tuples(BITS, st.sampled_from([8, 16])), DAMPS),
    ),
    st.builds(Step, st.just("act"), st.builds(ActivationOptions, st.sampled_from(["int8", "fp8"]))),
    st.builds(Step, st.just("kv"), st.builds(KvOptions, st.sampled_from([2, 4, 8, (8, 4), (4, 2), (16, 8)]), GROUPS)),
    st.just(Step("kv", KvOptions("fp8"))),
    st.builds(Step, st.sampled_from(["magnitude", "wanda"]), st.builds(Sparsity, st.one_of(SHARES, PATTERNS))),
)


@given(st.lists(STEPS, min_size=1, max_size=4).map(lambda steps: Recipe(tuple(steps))))
def test_canonical_text_reads_back_as_the_same_recipe(recipe):
    assert parse(str(recipe)) == recipe
    assert str(parse(str(recipe))) == str(recipe)


@given(st.text(max_size=30) | st.text("rtngpqwamdgise-:+.0123458", max_size=20))
def test_any_text_is_a_recipe_or_a_value_error(text):
    try:
        recipe = parse(text)
    except ValueError:
        return
    assert parse(str(recipe)) == recipe


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("rtn-w4-g128", "rtn-w4-g128"),
        ("gptq-w3", "gptq-w3-g128"),
        ("gptq-w4-actorder-g64", "gptq-w4-g64-actorder"),
        ("gptq-w4-asym", "gptq-w4-g128"),
        ("gptq-w4-sym-damp0.050-static", "gptq-w4-g128-sym-static-damp0.05"),
        ("gptq-w4-damp0.00001", "gptq-w4-g128-damp0.00001"),
        ("rtn-w8-g-1", "rtn-w8-channel"),
        ("rtn-g-1-w8", "rtn-w8-channel"),
        (" RTN-w2-channel ", "rtn-w2-channel"),
        ("magnitude-50", "magnitude-50"),
        ("wanda-62.50", "wanda-62.5"),
        ("wanda-2:4", "wanda-2:4"),
        ("wanda-50 + rtn-w8", "wanda-50+rtn-w8-g128"),
        ("awq-noclip-w4-plain-sym", "awq-w4-g128-sym-noclip-plain"),
        ("smoothquant", "smoothquant-w8a8"),
        ("smoothquant-alpha0.80-w8a8", "smoothquant-w8a8-alpha0.8"),
        ("sparsegpt-2:4+kv-g32-int4", "sparsegpt-2:4+kv-int4-g32"),
        ("kv-int8-head", "kv-int8"),
        ("kv-k4v4", "kv-int4"),
        ("kv-g32-k8v4", "kv-k8v4-g32"),
    ],
)
def test_spellings_have_one_canonical_form(text, canonical):
    assert str(parse(text)) == canonical


def test_values_arrive_in_their_fields():
    (step,) = parse("gptq-w3-g64-sym-actorder-static-damp0.1")
    assert step == Step("gptq", GptqOptions(3, 64, True, True, True, 0.1))
    assert [s.options for s in parse("wanda-4:8+magnitude-30")] == [Sparsity((4, 8)), Sparsity(30.0)]
    assert parse("rtn-w4+wanda-50").needs_calibration
    assert not parse("rtn-w4+magnitude-50").needs_calibration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a recipe is empty; write for example"),
        ("gtpq-w4", "did you mean 'gptq'?"),
        ("xyzzy", "Known methods: "),
        ("gptq-w4-actorde", "did you mean 'actorder'?"),
        ("gptq-w4-chanel", "did you mean 'channel'?"),
        ("rtn-w4-damp0.1", "unknown option 'damp0.1'"),
        ("rtn", "does not say its bits; write for example 'rtn-w4'"),
        ("wanda", "does not say its sparsity; write for example 'wanda-50'"),
        ("rtn-w5", "bits must be one of 2, 3, 4, 8, 16, got 5"),
        ("rtn-w4-w8", "sets one option twice: 'w4' and 'w8'"),
        ("rtn-w4-sym-asym", "sets one option twice: 'sym' and 'asym'"),
        ("rtn-w4-g0", "a group holds at least 1 weight, got 0"),
        ("gptq-w4-damp2", "damping is a share from 0 to 1, got 2.0"),
        ("wanda-0.5", "write 50 for half of the weights, got 0.5"),
        ("wanda-100", "at least 0 and under 100, got 100"),
        ("wanda-4:2", "keeps n of every m weights, 0 < n <= m, got 4:2"),
        ("rtn-w4+", "unknown compression method ''"),
        ("rtn-w٤", "unknown option"),
        ("smoothquant-w8a4", "activations 8 or 16, got w8a4"),
        ("smoothquant-alpha1.5", "the migration strength is a number from 0 to 1, got 1.5"),
        ("kv-int3", "a cache has 2, 4, 8, fp8 bits, got 3"),
        ("kv-k8v3", "a cache has 2, 4, 8, 16 bits, got 3"),
        ("kv-fp8-g32", "fp8 has one scale, 1, and no groups; leave g32 out"),
        ("kv", "does not say its form; write for example 'kv-int8'"),
        ("act-int4", "Options of act look like int8"),
    ],
)
def test_errors_say_what_was_expected(text, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        parse(text)


@pytest.fixture
def _methods_as_they_were():
    before = dict(methods.METHODS)
    yield
    methods.METHODS.clear()
    methods.METHODS.update(before)


@dataclass(frozen=True)
class Spelled(Options):
    steps: int = 20
    alpha: float = 0.5
    fast: bool = False
    fold: bool = True


@pytest.mark.usefixtures("_methods_as_they_were")
def test_a_registered_method_has_recipes_of_its_own():
    register_method("smooth", "some.module:smooth", options=Spelled, needs="norm")
    assert str(parse("smooth")) == "smooth"
    assert parse("smooth-fast-alpha0.8-no_fold-steps3").steps[0].options == Spelled(3, 0.8, True, False)
    assert str(parse("smooth-no_fold-steps3-fast-alpha0.8")) == "smooth-steps3-alpha0.8-fast-no_fold"
    assert parse("smooth+rtn-w4").needs_calibration
    with pytest.raises(ValueError, match="did you mean 'smooth'"):
        parse("smoth")
    with pytest.raises(ValueError, match="exists already"):
        register_method("smooth", "some.module:other")


@pytest.mark.usefixtures("_methods_as_they_were")
def test_registration_refuses_what_no_recipe_could_say():
    @dataclass(frozen=True)
    class Unspelled(Options):
        names: str = "a"

    with pytest.raises(ValueError, match="small letters"):
        register_method("My-Method", "some.module:f")
    with pytest.raises(ValueError, match="needs must be"):
        register_method("mine", "some.module:f", needs="everything")
    with pytest.raises(TypeError, match="option 'names' needs a spelling"):
        register_method("mine", "some.module:f", options=Unspelled)
    with pytest.raises(TypeError, match="derived from"):
        register_method("mine", "some.module:f", options=dict)
    assert "mine" not in methods.METHODS


def test_zeros_are_counted_in_exact_arithmetic():
    assert Sparsity(29.0).zeros(100) == 29
    assert Sparsity(33.3).zeros(1000) == 333
    assert Sparsity(0.0).zeros(7) == 0
    assert Sparsity((2, 4)).zeros(12) == 6
    assert Sparsity((1, 4)).zeros(12) == 9


def test_reading_a_recipe_loads_no_torch():
    code = (
        "import sys, acgym.compress as c; str(c.parse('gptq-w4+wanda-2:4'));"
        "bad = [m for m in ('torch', 'transformers') if m in sys.modules];"
        "sys.exit(f'loaded {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])


def test_the_package_names_what_it_has():
    import acgym.compress

    for name in acgym.compress.__all__:
        assert getattr(acgym.compress, name) is not None
    with pytest.raises(AttributeError, match="it has"):
        acgym.compress.nothing  # noqa: B018
