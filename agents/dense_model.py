"""Loads a dense model with all of its weights, or refuses it in a sentence: one with random parts is never played."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from logging import CRITICAL
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.model_files.weights import INDEX, SINGLE, check_metadata, tensor_sizes, weight_files
from acgym.text import printable

if TYPE_CHECKING:
    import torch

UNSEEN = 1 << 24
"""A model may have twice the weights that its files hold and so many more, before it is made and compared by name."""
_SMALL_FILES = ["*.json", "*.jinja", "*.model", "*.txt"]
_SHOWN = 3
_LONGEST = 300
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


@contextmanager
def in_a_sentence(folder: Path, own: bool = False) -> Iterator[None]:
    """Turn whatever other libraries raise over the files of a model into a sentence; keep their logs off the terminal.

    Args:
        folder: of the model.
        own: whether the ValueErrors in it are acgym's own, and say enough.

    Raises:
        ValueError: instead of any error but those that say what is missing here: a package, or memory.
    """
    import torch
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(CRITICAL)  # reports quote names of tensors raw
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    except (ImportError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # parsers raise whatever they like
        if own and type(error) is ValueError:
            raise
        said = printable(" ".join(str(error).split()))[:_LONGEST]
        raise ValueError(
            f"the model in {folder} cannot be loaded: {type(error).__name__}: {said.rstrip('.')}. Expected what "
            "save_pretrained writes; copy or download the model again."
        ) from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def downloaded(source: str) -> Path:
    """Return the folder of a model on the hub, by way of the local cache: its small files and the weights they name.

    Raises:
        OSError, ValueError: if it cannot be had; as :func:`acgym.model_files.weights.weight_files` if its index is not
            plain.
    """
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(source, allow_patterns=_SMALL_FILES, ignore_patterns=["*/*"]))
    named = [SINGLE, INDEX]
    if (folder / INDEX).is_file():
        named = [path.name for path in weight_files(folder, there=False)]
    return Path(snapshot_download(source, allow_patterns=[*_SMALL_FILES, *named], ignore_patterns=["*/*"]))


def load_dense(folder: Path) -> Any:
    """Load the dense model of a folder that :func:`acgym.model_files.inspect.inspect_source` has let pass.

    Returns:
        The model as stored, on the CPU.

    Raises:
        ValueError: if the files do not hold the model that config.json describes: weights that are missing (named), of
            another shape, or that the model has no place for; or if transformers cannot read their index.
    """
    import transformers

    check_metadata(folder)
    auto: Any = transformers.AutoModelForCausalLM
    with in_a_sentence(folder):
        import torch

        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            bare = auto.from_config(config, trust_remote_code=False)
        claimed = sum(tensor.numel() for tensor in bare.parameters())
        del bare
    held = sum(tensor_sizes(weight_files(folder)).values())
    if claimed > 2 * held + UNSEEN:  # refused before memory is taken for what is not there
        raise ValueError(
            f"config.json in {folder} describes a model of {claimed:,} weights, but the files hold {held:,}; the two "
            "do not belong together. Copy or download the model again."
        )
    with in_a_sentence(folder):
        model, report = auto.from_pretrained(
            folder,
            trust_remote_code=False,
            use_safetensors=True,
            dtype="auto",
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, with their names
        )
    refuse_gaps(folder, model, report)
    return model


def hold(model: Any, dtype: torch.dtype) -> None:
    """Bring the weights of a model to a dtype, in place.

    What transformers keeps in single precision in a half-precision model stays so: routers for one, and the rotary
    frequencies, whose rounding would turn every position by another angle.
    """
    import torch

    stored = model.dtype
    for tensor in (*model.parameters(), *model.buffers()) if dtype != stored else ():
        if tensor.dtype == stored or (dtype == torch.float32 and tensor.is_floating_point()):
            tensor.data = tensor.data.to(dtype)


def refuse_gaps(folder: Path, model: Any, report: dict[str, Any]) -> None:
    """Refuse a model of which transformers has made up a part.

    Args:
        folder: of the model.
        model: as it was loaded.
        report: what ``output_loading_info`` gives.

    Raises:
        ValueError: naming weights that are missing or of another shape, or that lie in a module of the model without
            being a part of it, or below a number in a list of layers that it has; or if it has no layer. Buffers and
            tied weights are not missed; weights of other parts of a model (that see, or predict several tokens) are not
            asked for.
    """
    layers = getattr(model.config.get_text_config(), "num_hidden_layers", None)
    if isinstance(layers, int) and layers < 1:
        raise ValueError(f"config.json in {folder} describes {layers} layers; expected at least 1. {_AGAIN_ONLY}")
    parameters = dict(model.named_parameters())
    missing = sorted(set(report["missing_keys"]) & set(parameters))
    if missing:
        raise ValueError(f"{folder} lacks {_listed(missing)} of its model; {_AGAIN}")
    mismatched = sorted(report["mismatched_keys"], key=str)
    if mismatched:
        name, stored, wanted = mismatched[0]
        raise ValueError(
            f"{folder} holds {printable(name)} with the shape {tuple(stored)}, but config.json describes "
            f"{tuple(wanted)}{_more(mismatched, 1)}; {_AGAIN}"
        )
    spare = _without_place(model, report["unexpected_keys"])
    if spare:
        raise ValueError(f"{folder} holds {_listed(spare)} that its model has no place for; {_AGAIN}")
    if report.get("error_msgs"):
        raise ValueError(f"the weights in {folder} do not fit its model: {printable(report['error_msgs'][0])}")


_AGAIN_ONLY = "Copy or download the model again."
_AGAIN = f"config.json and the weights do not belong together. {_AGAIN_ONLY}"


def _without_place(model: Any, unexpected: Collection[str]) -> list[str]:
    """Return the stored weights that belong to layers of the model, or would, and that it does not have."""
    from torch.nn import ModuleList

    modules = {name for name, _ in model.named_modules() if _NUMBER.search(f"{name}.")}
    lists = {name for name, module in model.named_modules() if isinstance(module, ModuleList)}
    alike = {_NUMBER.sub("*", name) for name, _ in model.named_parameters()}

    def placed(name: str) -> bool:
        numbered = any(name[: found.start() - 1] in lists for found in _NUMBER.finditer(name))
        around = name.rpartition(".")[0].rpartition(".")[0]
        return (numbered and name.endswith(".weight")) or around in modules or _NUMBER.sub("*", name) in alike

    return [name for name in sorted(unexpected) if name.endswith((".weight", ".bias")) and placed(name)]


def _listed(names: Collection[str]) -> str:
    return f"{len(names)} weights ({', '.join(map(printable, list(names)[:_SHOWN]))}{_more(names, _SHOWN)})"


def _more(names: Collection[object], shown: int) -> str:
    return f" and {len(names) - shown} more" if len(names) > shown else ""


def refuse_odd_numbers(folder: Path, model: Any, tokenizer: Any) -> None:
    """Refuse a model with NaN or infinite weights, with fewer words than its tokenizer, or that cannot compute.

    Raises:
        ValueError: naming the first such tensor; or both numbers of words; or what a first step of two tokens raised.
    """
    import torch

    odd = [name for name, tensor in model.named_parameters() if not _finite(tensor)]
    if odd:
        raise ValueError(
            f"the model in {folder} holds NaN or infinity in {_listed(odd)}; expected finite numbers. Copy or download "
            "the model again."
        )
    words = model.config.get_text_config().vocab_size
    if tokenizer.vocab_size > words:
        raise ValueError(
            f"the tokenizer in {folder} has {tokenizer.vocab_size:,} tokens, but the model knows {words:,}; the two do "
            "not belong together. Copy or download the model again."
        )
    with in_a_sentence(folder), torch.inference_mode():
        ids = torch.tensor([[0, words - 1]], device=model.device)
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        if bool(logits.isnan().any()):
            raise ArithmeticError("its first step gives NaN")


def _finite(tensor: torch.Tensor) -> bool:
    """Whether all numbers are; smallest and largest tell it, without another tensor of the size."""
    import torch

    if not tensor.is_floating_point() or not tensor.numel():
        return True
    if tensor.element_size() == 1:  # 8-bit floats know no minimum
        return all(bool(part.float().isfinite().all()) for part in torch.split(tensor.flatten(), 1 << 24))
    return all(bool(end.isfinite()) for end in tensor.aminmax())
