"""The table of methods: a new one is a line here, or a call of ``register_method``. Loads without torch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from acgym.compress.options import Affine, GptqOptions, Options, Sparsity, words

if TYPE_CHECKING:
    from torch import Tensor

    from acgym.compress.calibration import Compressed, Statistics

    Function: TypeAlias = Callable[[Tensor, Statistics, Any], Compressed]

Needs: TypeAlias = Literal["nothing", "norm", "hessian"]
"""Which calibration statistics a method reads: none, the norm of each input feature, or also their Hessian."""


@dataclass(frozen=True)
class Method:
    """One compression method."""

    function: str | Function
    """``"module:function"``, loaded at its first use, or the function itself."""
    options: type[Options]
    needs: Needs

    def load(self) -> Function:
        """Return the function."""
        if not isinstance(self.function, str):
            return self.function
        module, name = self.function.split(":")
        return cast("Function", getattr(import_module(module), name))


METHODS: dict[str, Method] = {
    "rtn": Method("acgym.compress.rtn:rtn", Affine, "nothing"),
    "gptq": Method("acgym.compress.gptq:gptq", GptqOptions, "hessian"),
    "magnitude": Method("acgym.compress.magnitude:magnitude", Sparsity, "nothing"),
    "wanda": Method("acgym.compress.wanda:wanda", Sparsity, "norm"),
}


def register_method(
    name: str, function: str | Function, *, options: type[Options] = Options, needs: Needs = "nothing"
) -> None:
    """Add a compression method, so that recipes can name it.

    Args:
        name: first word of its recipes: small letters, digits and ``_``, starting with a letter.
        function: ``function(weight, statistics, options) -> Compressed``, pure. ``weight`` is (out, in), float32 (or
            float64 if the model is), ``options`` an instance of ``options``. Or ``"module:function"``, imported late.
        options: frozen dataclass derived from :class:`Options`; its fields are the options that a recipe may hold.
        needs: which statistics the function reads.

    Raises:
        ValueError: if the name is taken or cannot stand in a recipe, or ``needs`` is unknown.
        TypeError: if ``options`` is not such a dataclass.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(f"a method's name is small letters, digits and '_', starting with a letter, got {name!r}")
    if name in METHODS:
        raise ValueError(f"the compression method {name!r} exists already; choose another name")
    if needs not in ("nothing", "norm", "hessian"):
        raise ValueError(f"needs must be 'nothing', 'norm' or 'hessian', got {needs!r}")
    if not (isinstance(options, type) and issubclass(options, Options)):
        raise TypeError(f"options must be a dataclass derived from acgym.compress.Options, got {options!r}")
    words(options)  # refuses a field that has no spelling now, not at the first recipe
    METHODS[name] = Method(function, options, needs)
