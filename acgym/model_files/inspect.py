"""Looks a model folder over before anything heavy is imported, and refuses what must not or cannot be loaded."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from acgym.model_files.gguf import gguf_file, read_header
from acgym.model_files.quantisation import check_readable, quantisation
from acgym.model_files.settings import read_settings
from acgym.model_files.weights import INDEX, SINGLE, tensor_sizes, weight_files
from acgym.text import MAX_JSON_DEPTH
from acgym.types import Json

_SETTINGS = ("config.json", "tokenizer_config.json", "generation_config.json")
_KERNELS = ("attn_implementation", "_attn_implementation", "experts_implementation", "_experts_implementation")
"""Settings in which transformers takes the name of a repository on the hub, and runs what it holds."""
_LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "n_layers")
_SIZES = ("max_position_embeddings", "rope_theta")
_ROTATIONS = ("rope_parameters", "rope_scaling")


def inspect_source(source: str) -> None:
    """Refuse a model that must not or cannot be loaded.

    Args:
        source: a folder, a GGUF file or a folder that holds one, or a hub id such as ``owner/name`` (what is on the hub
            cannot be looked into here).

    Raises:
        ValueError: if a folder has no readable configuration, asks for code of its own or for files from elsewhere,
            holds no safetensors weights (pickled ones can run code when read), an index that names anything else, or a
            damaged weight file; if it has no layers, no positions or no chat template; if its weights are quantised in
            a variant of a layout that is not read. As :func:`acgym.model_files.gguf.read_header` for a GGUF file.
        ImportError: if its quantised weights need a package that is not installed.
        FileNotFoundError: if ``source`` looks like a path and nothing is there; names the nearest that is.
    """
    folder = Path(source).expanduser()
    if not folder.exists():
        _refuse_typo(source, folder)
        return
    file = gguf_file(folder)
    if file is not None:
        _inspect_gguf(file)
        return
    config = folder / "config.json"
    if not config.is_file():
        raise ValueError(
            f"{folder} is no model folder: it has no config.json (transformers' save_pretrained writes one)"
        )
    read = {name: read_settings(folder / name) for name in _SETTINGS if (folder / name).is_file()}
    for name, settings in read.items():
        _refuse_foreign(folder, name, settings, read["config.json"])
        if name != "tokenizer_config.json":
            _check_ends(folder / name, settings)
    _refuse_pickled_weights(folder)
    _check_sizes(folder, read["config.json"])
    _check_layers(folder, read["config.json"], len(tensor_sizes(weight_files(folder))))
    found = quantisation(read["config.json"], folder)
    if found is not None:
        check_readable(found)
    if not (folder / "chat_template.jinja").is_file() and not read.get("tokenizer_config.json", {}).get(
        "chat_template"
    ):
        raise ValueError(
            f"{folder} has no chat template, so a conversation cannot be put to it. Expected chat_template.jinja or "
            "'chat_template' in tokenizer_config.json; use the instruction-tuned version of the model, or add one."
        )


def _inspect_gguf(file: Path) -> None:
    """Refuse a GGUF file that is damaged, has no chat template, or cannot hold the layers that it describes."""
    header = read_header(file)
    kind = header.architecture
    if not kind:
        raise ValueError(f"{file} is damaged: it names no general.architecture. Copy or download the model again.")
    layers = header.settings.get(f"{kind}.block_count")
    if type(layers) is not int or not 1 <= layers <= len(header.tensors):
        raise ValueError(
            f"{file} is damaged: it describes {layers} layers ({kind}.block_count) and holds {len(header.tensors)} "
            "tensors. Copy or download the model again."
        )
    for key in ("context_length", "rope.freq_base"):
        number = header.settings.get(f"{kind}.{key}", 1)
        if not isinstance(number, (int, float)) or not number > 0:
            raise ValueError(f"{file} is damaged: expected {kind}.{key} above 0, got {number}. Copy the model again.")
    if not header.settings.get("tokenizer.chat_template"):
        raise ValueError(
            f"{file} has no chat template (tokenizer.chat_template), so a conversation cannot be put to it; use a file "
            "of the instruction-tuned version of the model."
        )


def _refuse_typo(source: str, folder: Path) -> None:
    """Say that a path is not there; return for what may be a hub id."""
    siblings = sorted(path.name for path in folder.parent.iterdir() if path.is_dir()) if folder.parent.is_dir() else []
    near = get_close_matches(folder.name, siblings, n=1)
    path_like = source.startswith((".", "/", "~")) or source.count("/") != 1
    if path_like or near:
        hint = f" Did you mean {str(folder.parent / near[0])!r}?" if near else ""
        raise FileNotFoundError(
            f"there is no model at {source!r}; expected a folder, or a hub id like 'owner/name'.{hint}"
        )


def _refuse_foreign(folder: Path, name: str, settings: Json, config: Mapping[str, Json], depth: int = 0) -> None:
    """Refuse settings, however deep, that have code run or files read that are not the folder's own."""
    if depth > MAX_JSON_DEPTH:
        raise ValueError(f"{folder / name} is damaged: it is nested too deeply. Copy or download the model again.")
    inner = settings.values() if isinstance(settings, dict) else settings if isinstance(settings, list) else ()
    for value in inner:
        _refuse_foreign(folder, name, value, config, depth + 1)
    if not isinstance(settings, dict):
        return
    if "auto_map" in settings:
        raise ValueError(
            f"{folder} asks to run Python code of its own ('auto_map' in {name}), which acgym never does. Use a "
            "model of an architecture that transformers ships; if it ships this one "
            f"(model_type {config.get('model_type')!r}), a copy of the folder without 'auto_map' will do."
        )
    for key in _KERNELS:
        if any(isinstance(value, str) and "/" in value for value in _leaves(settings.get(key))):
            raise ValueError(
                f"{folder} asks to run a kernel from elsewhere ({key!r} in {name}: {settings[key]!r}), which acgym "
                f"never does. Remove {key!r} from the file."
            )
    if "transformers_weights" in settings:
        raise ValueError(
            f"{folder} names its weights in {name} ('transformers_weights'); expected {SINGLE} or {INDEX}. Rename the "
            "weights, and remove the entry."
        )


def _leaves(value: Json) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _check_ends(file: Path, settings: Mapping[str, Json]) -> None:
    """Refuse ends of replies, or a bound of them, that are no numbers."""
    ends, longest = settings.get("eos_token_id"), settings.get("max_new_tokens")
    numbers = ends if isinstance(ends, list) else [ends]
    if not all(number is None or type(number) is int for number in (*numbers, longest)):
        raise ValueError(
            f"{file} is damaged: expected whole numbers as eos_token_id and max_new_tokens, got {ends!r} and "
            f"{longest!r}. Copy or download the model again."
        )


def _check_layers(folder: Path, config: Mapping[str, Json], tensors: int) -> None:
    """Refuse a number of layers that the weights cannot fill: a model of that many would be built before it is seen.

    Raises:
        ValueError: with both numbers.
    """
    for part in (config, *(value for value in config.values() if isinstance(value, dict))):
        for key in _LAYERS:
            count = part.get(key)
            if isinstance(count, (int, float)) and count > tensors:
                raise ValueError(
                    f"config.json in {folder} describes {count} layers ({key!r}), but the files hold {tensors} "
                    "tensors; the two do not belong together. Copy or download the model again."
                )


def _check_sizes(folder: Path, config: Mapping[str, Json]) -> None:
    """Refuse a language model without layers or positions, or whose rotations have no base.

    Raises:
        ValueError: naming the setting.
    """
    inner = [part for part in (config, config.get("text_config")) if isinstance(part, Mapping)]
    turned = [part[key] for part in inner for key in _ROTATIONS if key in part]
    turned += [part for by_kind in turned if isinstance(by_kind, dict) for part in by_kind.values()]
    checked = [(part, key) for part in inner for key in (*_LAYERS, *_SIZES)]
    checked += [(part, "rope_theta") for part in turned if isinstance(part, dict)]
    for part, key in checked:
        number = part.get(key)
        if isinstance(number, (int, float)) and not number > 0:  # NaN too
            raise ValueError(
                f"config.json in {folder} is damaged: expected {key!r} above 0, got {number}. Copy or download the "
                "model again."
            )


def _refuse_pickled_weights(folder: Path) -> None:
    if (folder / "adapter_config.json").exists():
        raise ValueError(
            f"{folder} holds an adapter (adapter_config.json), whose base model may be anywhere; expected a whole "
            f"model. Name both: hf:BASE@lora:{folder}."
        )
    if any(folder.glob("*.safetensors")) or (folder / INDEX).is_file():  # what an index names is looked over next
        return
    pickled = sorted(path.name for ending in ("bin", "pt", "pth") for path in folder.glob(f"*.{ending}"))
    found = f"only pickled weights ({', '.join(pickled)}), which can run code when read" if pickled else "no weights"
    raise ValueError(
        f"{folder} has {found}; expected *.safetensors, which save_pretrained writes. Get the model in that format."
    )
