"""AutoAWQ as another way to make an AWQ checkpoint: it loads the model, searches and writes; acgym checks the result.

AutoAWQ 0.2.9 is archived and an optional extra. Its search replays a sample through the block behind each group of
projections, and clips on a sample of tokens; :mod:`acgym.compress.methods.awq` says where acgym's own departs from it.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from torch import nn

from acgym.compress.formats.packing import all_projections
from acgym.compress.formats.write import quiet
from acgym.compress.options.model import AwqOptions
from acgym.compress.recipe import Recipe
from acgym.compress.walk.projections import Expert
from acgym.compress.walk.record import CompressionRecord, sparsity, storage

SEQUENCE = 512
"""Tokens of a calibration window, AutoAWQ's own default."""
CLIPPED = 64
"""With clipping, AutoAWQ takes the outputs of a projection by so many."""


def check_recipe(recipe: Recipe) -> AwqOptions:
    """Return the options of a recipe that AutoAWQ can carry out.

    Raises:
        ValueError: for any other.
    """
    steps = list(recipe)
    options = steps[0].options
    if len(steps) != 1 or not isinstance(options, AwqOptions) or options.bits != 4:
        raise ValueError(f"AutoAWQ makes 4-bit AWQ weights and nothing else, got {recipe}; write awq-w4-g128")
    if options.symmetric or options.group < 1:
        raise ValueError(f"AutoAWQ packs asymmetric weights in groups only, got {recipe}; write awq-w4-g128")
    return options


def check_installed() -> None:
    """Refuse to begin without the package.

    Raises:
        ImportError: naming the command that installs it.
    """
    if find_spec("awq") is None:
        raise ImportError("the backend autoawq needs AutoAWQ; install it with: pip install 'acgym[autoawq]'")


def check_type(model_type: str) -> None:
    """Refuse a family that AutoAWQ does not know, before the model is loaded; imports AutoAWQ.

    Raises:
        ValueError: naming the families that it knows.
    """
    known = sorted(_awq().models.auto.AWQ_CAUSAL_LM_MODEL_MAP)
    if model_type not in known:
        raise ValueError(f"AutoAWQ knows no {model_type!r} models; use acgym's own awq. It knows {', '.join(known)}")


def check_model(model: nn.Module, options: AwqOptions) -> None:
    """Refuse a model whose shapes AutoAWQ stumbles over midway.

    Raises:
        ValueError: naming the projection.
    """
    found = all_projections(model)
    expert = next((name for name, projection in found.items() if isinstance(projection, Expert)), None)
    if expert is not None:
        raise ValueError(f"{expert} is one matrix of stacked experts, which AutoAWQ does not know; use acgym's own awq")
    for name, projection in found.items():
        options.check(projection.in_features)
        if options.clip and projection.out_features % CLIPPED:
            raise ValueError(
                f"{name} has {projection.out_features} outputs, and AutoAWQ clips by {CLIPPED}; add '-noclip' to the "
                "recipe, or use acgym's own awq"
            )


@dataclass(frozen=True, slots=True)
class Made:
    """What AutoAWQ wrote, and what it had in memory."""

    model: Any
    """The transformers model in float32, each packed projection replaced by what AutoAWQ itself unpacks."""
    tensor_bytes: int
    """Bytes of all its tensors as it had them in memory, tied ones once."""
    record: CompressionRecord


def quantise(source: str, rows: Sequence[Sequence[int]], recipe: Recipe, window: int, folder: Path) -> Made:
    """Let AutoAWQ compress a model and write it.

    Args:
        source: folder or hub id.
        rows: calibration, token ids of any lengths; joined and cut into windows, as AutoAWQ does it, of SEQUENCE tokens
            at most. What does not fill the last one is left out.
        recipe: see :func:`check_recipe`.
        window: most tokens that the model reads at once.
        folder: where to; it exists.
    """
    from transformers import AutoConfig

    started, options = time.perf_counter(), check_recipe(recipe)
    length = min(SEQUENCE, window, sum(map(len, rows)))
    ids = list(chain.from_iterable(rows))
    windows = [ids[at : at + length] for at in range(0, len(ids) - length + 1, length)]
    with quiet():
        auto = _awq().AutoAWQForCausalLM.from_pretrained(source, device_map="cpu", trust_remote_code=False)
    settings, dtype, sampling = auto.model.config, auto.model.dtype, auto.model.generation_config.do_sample
    auto.quantize(
        None,
        quant_config={"zero_point": True, "q_group_size": options.group, "w_bit": options.bits, "version": "GEMM"},
        calib_data=windows,
        max_calib_samples=len(windows),
        max_calib_seq_len=length,
        duo_scaling=not options.plain,
        apply_clip=options.clip,
    )
    settings.use_cache = getattr(AutoConfig.from_pretrained(source, trust_remote_code=False), "use_cache", True)
    with quiet():
        auto.save_quantized(str(folder))
    # Saving switches sampling on and changes the dtype in the configuration.
    auto.model.generation_config.do_sample, settings.dtype = sampling, dtype
    auto.model.generation_config.save_pretrained(folder)
    for file in folder.glob("*.safetensors"):  # they are made readable for their owner alone
        file.chmod((folder / "config.json").stat().st_mode)
    size = sum(tensor.nbytes for tensor in {t.data_ptr(): t for t in auto.model.state_dict().values()}.values())
    packed = _unpack(auto.model)
    model = nn.Module.float(auto.model)
    return Made(model, size, _record(model, packed, recipe, options, length * len(windows), started))


def _unpack(model: nn.Module) -> list[str]:
    """Put a dense projection in place of each packed one, with AutoAWQ's own unpacking; return their names."""
    packing = _awq().utils.packing_utils
    names = []
    for name, module in list(model.named_modules()):
        if not hasattr(module, "qweight"):
            continue
        part: Any = module
        weight = packing.dequantize_gemm(part.qweight, part.qzeros, part.scales, part.w_bit, part.group_size)
        dense = nn.Linear(part.in_features, part.out_features, bias=part.bias is not None)
        dense.weight.data = weight.T.float().contiguous()
        if part.bias is not None:
            dense.bias.data = part.bias.float()
        model.set_submodule(name, dense)
        names.append(name)
    return names


def _record(
    model: nn.Module, packed: Sequence[str], recipe: Recipe, options: AwqOptions, tokens: int, started: float
) -> CompressionRecord:
    """Write down what AutoAWQ did; it tells nothing of single layers."""
    found = all_projections(model)
    linears = {name: found[name] for name in packed}
    bits = {name: options.stored_bits(item.out_features, item.in_features) or 0.0 for name, item in linears.items()}
    bits_per_weight, weight_bytes = storage(model, linears, bits)
    return CompressionRecord(
        recipe=str(recipe),
        simulated=True,
        layers=(),
        bits_per_weight=bits_per_weight,
        sparsity=sparsity(linears),
        compressed_weights=sum(linear.weight.numel() for linear in linears.values()),
        total_weights=sum(parameter.numel() for parameter in model.parameters()),
        weight_bytes=weight_bytes,
        calibration_tokens=tokens,
        seconds=time.perf_counter() - started,
        notes=tuple(f"AutoAWQ left {name} as it is" for name in found if name not in linears),
    )


def _awq() -> Any:
    """Import AutoAWQ, and keep to oneself that it is archived."""
    with warnings.catch_warnings(record=True):
        import awq
        import awq.models.auto
        import awq.utils.packing_utils
    return awq
