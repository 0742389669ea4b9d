"""The table of methods: a new one is a line here, or a call of ``register_method``. Loads without torch.

A method has up to four parts, and most have one. What it does to a projection happens in this order:

1. ``scales`` looks at the projections that read one tensor and returns a scale for each of its channels: weights are
   multiplied by them, and what produces the tensor is divided (:mod:`acgym.compress.walk.folds`);
2. ``function`` makes a new weight out of the weight and the statistics of its inputs;
3. ``options.activations`` names a format: the inputs of the projection are rounded to it from then on;
4. ``model`` changes the model itself, once, and none of its weights (the format of the cache).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from acgym.compress.options.fp4 import Mxfp4Options, Nvfp4Options
from acgym.compress.options.fp8 import Fp8Options
from acgym.compress.options.model import ActivationOptions, AwqOptions, KvOptions, SmoothQuantOptions
from acgym.compress.options.weights import NEEDS, Affine, GptqOptions, Needs, Options, SparseGptOptions, Sparsity, words

if TYPE_CHECKING:
    from torch import Tensor, nn

    from acgym.compress.methods.result import Compressed
    from acgym.compress.methods.scaling import Fold
    from acgym.compress.methods.statistics import Statistics

    Function: TypeAlias = Callable[[Tensor, Statistics, Any], Compressed]
    Scales: TypeAlias = Callable[[Fold, Any], Tensor | None]
    OnModel: TypeAlias = Callable[[nn.Module, Any], tuple[str, ...]]


@dataclass(frozen=True)
class Method:
    """One compression method; what its parts do is said at the top of this file."""

    function: str | Function | None
    """``"module:function"``, loaded at its first use, or the function itself; None leaves the weights as they are."""
    options: type[Options]
    needs: Needs
    scales: str | Scales | None = None
    model: str | OnModel | None = None
    rowwise: bool | Callable[[Any], bool] = False
    """Whether ``function`` makes each row of a weight out of that row and the statistics alone, or a function of the
    options that says so: projections that read the same inputs are then compressed as one matrix."""

    def is_rowwise(self, options: Options) -> bool:
        """Say whether it is with these options."""
        return self.rowwise if isinstance(self.rowwise, bool) else self.rowwise(options)

    def load(self) -> Function | None:
        """Return the function of one weight."""
        return cast("Function | None", _load(self.function))

    def load_scales(self) -> Scales | None:
        """Return the function that finds scales."""
        return cast("Scales | None", _load(self.scales))

    def load_model(self) -> OnModel | None:
        """Return the function that changes the model itself."""
        return cast("OnModel | None", _load(self.model))


def _load(function: Any) -> Any:
    """Import a function that is given by name."""
    if not isinstance(function, str):
        return function
    module, name = function.split(":")
    return getattr(import_module(module), name)


METHODS: dict[str, Method] = {
    "rtn": Method("acgym.compress.methods.rtn:rtn", Affine, "nothing"),
    "gptq": Method("acgym.compress.methods.gptq:gptq", GptqOptions, "hessian", rowwise=True),
    "magnitude": Method("acgym.compress.methods.magnitude:magnitude", Sparsity, "nothing"),
    "wanda": Method("acgym.compress.methods.wanda:wanda", Sparsity, "norm", rowwise=True),
    "awq": Method(
        "acgym.compress.methods.awq:awq",
        AwqOptions,
        "hessian",
        scales="acgym.compress.methods.awq:awq_scales",
        rowwise=True,
    ),
    "smoothquant": Method(
        "acgym.compress.methods.smoothquant:smoothquant",
        SmoothQuantOptions,
        "sizes",
        scales="acgym.compress.methods.smoothquant:smoothquant_scales",
    ),
    "act": Method(None, ActivationOptions, "nothing"),
    "kv": Method(None, KvOptions, "nothing", model="acgym.compress.methods.kv_cache:quantise_cache"),
    "sparsegpt": Method(
        "acgym.compress.methods.sparsegpt:sparsegpt",
        SparseGptOptions,
        "hessian",
        rowwise=lambda options: isinstance(options.sparsity, tuple),  # a share is taken of all rows together
    ),
    "fp8": Method("acgym.compress.methods.fp8:fp8", Fp8Options, "nothing"),
    "mxfp4": Method("acgym.compress.methods.fp4:mxfp4", Mxfp4Options, "nothing", rowwise=True),
    "nvfp4": Method("acgym.compress.methods.fp4:nvfp4", Nvfp4Options, "nothing"),
}


def register_method(
    name: str,
    function: str | Function | None,
    *,
    options: type[Options] = Options,
    needs: Needs = "nothing",
    scales: str | Scales | None = None,
    rowwise: bool | Callable[[Any], bool] = False,
) -> None:
    """Add a compression method, so that recipes can name it.

    Args:
        name: first word of its recipes: small letters, digits and ``_``, starting with a letter.
        function: ``function(weight, statistics, options) -> Compressed``, pure. ``weight`` is (out, in), float32 (or
            float64 if the model is), ``options`` an instance of ``options``. Or ``"module:function"``, imported late;
            or None, if the method is in its scales or its options alone.
        options: frozen dataclass derived from :class:`Options`; its fields are the options that a recipe may hold.
        needs: which statistics the functions read.
        scales: ``scales(fold, options) -> Tensor | None``, pure, or its ``"module:function"``; see
            :class:`acgym.compress.methods.scaling.Fold`.
        rowwise: see :attr:`Method.rowwise`.

    Raises:
        ValueError: if the name is taken or cannot stand in a recipe, or ``needs`` is unknown.
        TypeError: if ``options`` is not such a dataclass.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(f"a method's name is small letters, digits and '_', starting with a letter, got {name!r}")
    if name in METHODS:
        raise ValueError(f"the compression method {name!r} exists already; choose another name")
    if needs not in NEEDS:
        raise ValueError(f"needs must be {', '.join(map(repr, NEEDS))}, got {needs!r}")
    if scales is not None and needs == "nothing":
        raise ValueError(f"the scales of {name!r} are found on calibration text; say needs='sizes' or needs='hessian'")
    if not (isinstance(options, type) and issubclass(options, Options)):
        raise TypeError(f"options must be a dataclass derived from acgym.compress.Options, got {options!r}")
    words(options)  # refuses a field that has no spelling now, not at the first recipe
    METHODS[name] = Method(function, options, needs, scales, rowwise=rowwise)
