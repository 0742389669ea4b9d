"""Recipes: short strings such as ``gptq-w4-g128`` that say how a model is compressed. Loads without torch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from math import inf, prod
from typing import Any

from acgym.compress.methods.table import METHODS
from acgym.compress.options.fp4 import BlockFp4
from acgym.compress.options.fp8 import Fp8Options
from acgym.compress.options.weights import Needs, Options, words
from acgym.plugins import METHODS as PLUGINS
from acgym.plugins import load_plugins

EXAMPLES = "gptq-w4-g128, awq-w4, wanda-50, sparsegpt-2:4"

_SHAPE = (1024, 1024)
"""Of the weight that a recipe as a whole is asked about."""


@dataclass(frozen=True)
class Step:
    """One method with its options."""

    method: str
    options: Options

    @property
    def needs(self) -> Needs:
        """Which calibration statistics the step reads."""
        return METHODS[self.method].needs

    def __str__(self) -> str:
        """Write the step canonically: equal steps give equal text, which ``parse`` reads back."""
        spelled = (w.write(getattr(self.options, name)) for name, w in words(type(self.options)).items())
        return "-".join([self.method, *filter(None, spelled)])


@dataclass(frozen=True)
class Recipe:
    """Steps that are applied one after the other, each to the whole model that the step before left."""

    steps: tuple[Step, ...]

    @property
    def needs_calibration(self) -> bool:
        """Whether a step reads calibration text."""
        return any(step.needs != "nothing" for step in self.steps)

    @property
    def fewest_bits(self) -> float:
        """Bits per weight of the step that packs a large square matrix tightest; infinity if none packs any."""
        stored = (step.options.stored_bits(*_SHAPE) for step in self.steps)
        return min((bits / prod(_SHAPE) for bits in stored if bits is not None), default=inf)

    @property
    def makes_integers(self) -> bool:
        """Whether a step leaves weights as integers."""
        options = [step.options for step in self.steps]
        floats = (BlockFp4, Fp8Options)
        return any(each.stored_bits(*_SHAPE) is not None and not isinstance(each, floats) for each in options)

    @property
    def patterned(self) -> bool:
        """Whether a step prunes by an n:m pattern."""
        return any(isinstance(getattr(step.options, "sparsity", None), tuple) for step in self.steps)

    def __iter__(self) -> Iterator[Step]:
        """Go through the steps."""
        return iter(self.steps)

    def __len__(self) -> int:
        """Count the steps."""
        return len(self.steps)

    def __str__(self) -> str:
        """Write the recipe canonically; the group size is always stated, other defaults are left out."""
        return "+".join(map(str, self.steps))


def parse(text: str) -> Recipe:
    """Read a recipe: steps joined by ``+``, each a method and its options joined by ``-``, the options in any order.

    ========================  =====================================================================================
    ``rtn-w4-g128``           round to nearest, 4 bits, a scale per 128 weights (the default group)
    ``gptq-w3``               GPTQ, 3 bits, groups of 128, asymmetric, damping 0.01
    ``gptq-w4-g64-actorder``  also ``static`` (groups), ``sym``, ``damp0.05``
    ``rtn-w8-channel``        one scale per row; ``g-1`` means the same
    ``magnitude-50``          the smallest 50 per cent of each weight matrix become zero
    ``wanda-2:4``             2 of every 4 neighbours in a row are kept
    ``awq-w4-g128``           AWQ: scales and clipping; also ``sym``, ``noclip``, ``plain`` (only the paper's scales)
    ``smoothquant-w8a8``      SmoothQuant, 8-bit weights and activations; also ``alpha0.8``
    ``act-int8``              only the inputs of projections are rounded, token by token; also ``act-fp8``
    ``kv-int4-g32``           the key-value cache in 4 bits, 32 neighbours of a head to a grid (default: all of a head)
    ``kv-k8v4``               keys in 8 bits, values in 4; also ``kv-fp8``
    ``wanda-50+rtn-w8``       first prune, then quantise: zeros stay zeros
    ``gptq-w4+kv-int8``       any steps can be joined
    ========================  =====================================================================================

    Raises:
        ValueError: for an unknown method or option (with the nearest valid one), a missing or doubled option, or a
            value out of range. Nothing is loaded before.
    """
    cleaned = text.strip().lower()
    if not cleaned:
        raise ValueError(f"a recipe is empty; write for example {EXAMPLES}")
    load_plugins(PLUGINS)
    return Recipe(tuple(_step(part.strip()) for part in cleaned.split("+")))


def _step(text: str) -> Step:
    """Read one step."""
    # "g-1" is how other tools write one group per row; its minus sign is no separator.
    name, *given = re.sub(r"-g-1(?=-|$)", "-channel", text).split("-")
    if name not in METHODS:
        near = get_close_matches(name, METHODS, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ";"
        raise ValueError(
            f"unknown compression method {name!r} in {text!r}{hint} "
            f"Known methods: {', '.join(sorted(METHODS))}. Examples: {EXAMPLES}"
        )
    options = METHODS[name].options
    values = _values(name, options, given, text)
    try:
        return Step(name, options(**values))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None


def _values(method: str, options: type[Options], given: list[str], text: str) -> dict[str, Any]:
    """Sort the words of a step to the fields of its options."""
    spelled = words(options)
    values: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for item in given:
        name = next((name for name, w in spelled.items() if re.fullmatch(w.pattern, item, re.ASCII)), None)
        if name is None:
            raise ValueError(_unknown_option(method, item, [w.example for w in spelled.values()], text))
        if name in seen:
            raise ValueError(f"{text!r} sets one option twice: {seen[name]!r} and {item!r}; keep one")
        seen[name] = item
        values[name] = spelled[name].read(item)
    for f in fields(options):
        if f.default is MISSING and f.default_factory is MISSING and f.name not in values:
            example = spelled[f.name].example
            raise ValueError(f"{text!r} does not say its {f.name}; write for example {'-'.join([text, example])!r}")
    return values


def _unknown_option(method: str, item: str, examples: list[str], text: str) -> str:
    """Say which options there are, the nearest first."""
    if not examples:
        return f"unknown option {item!r} in {text!r}: {method} has no options; write {method!r}"
    near = get_close_matches(item, [*examples, "asym", "channel"] if "sym" in examples else examples, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"unknown option {item!r} in {text!r}{hint} Options of {method} look like {', '.join(examples)}"
