"""Looks a model folder over before anything heavy is imported, and refuses what must not or cannot be loaded."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path

from acgym.quantisation import check_readable, quantisation
from acgym.types import Json


def inspect_source(source: str) -> None:
    """Refuse a model that must not or cannot be loaded.

    Args:
        source: a folder, or a hub id such as ``owner/name`` (what is on the hub cannot be looked into here).

    Raises:
        ValueError: if a folder has no readable configuration, asks for code of its own, holds no safetensors weights
            (pickled ones can run code when read), or has no chat template; if its weights are quantised in a variant
            of a layout that is not read.
        ImportError: if its quantised weights need a package that is not installed.
        FileNotFoundError: if ``source`` looks like a path and nothing is there; names the nearest that is.
    """
    folder = Path(source).expanduser()
    if not folder.exists():
        _refuse_typo(source, folder)
        return
    config = folder / "config.json"
    if not config.is_file():
        raise ValueError(
            f"{folder} is no model folder: it has no config.json (transformers' save_pretrained writes one)"
        )
    settings = folder / "tokenizer_config.json"
    tokenizer = _read(settings) if settings.is_file() else {}
    _refuse_own_code(folder, _read(config), tokenizer)
    _refuse_pickled_weights(folder)
    found = quantisation(_read(config), folder)
    if found is not None:
        check_readable(found)
    if not (folder / "chat_template.jinja").is_file() and not tokenizer.get("chat_template"):
        raise ValueError(
            f"{folder} has no chat template, so a conversation cannot be put to it. Expected chat_template.jinja or "
            "'chat_template' in tokenizer_config.json; use the instruction-tuned version of the model, or add one."
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


def _read(file: Path) -> dict[str, Json]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: it is not JSON ({error}). Copy or download the model again.") from None
    if not isinstance(value, dict):
        raise ValueError(
            f"{file} is damaged: expected a JSON object, got {type(value).__name__}. Copy the model again."
        )
    return value


def _refuse_own_code(folder: Path, config: dict[str, Json], tokenizer: dict[str, Json]) -> None:
    for name, settings in (("config.json", config), ("tokenizer_config.json", tokenizer)):
        if "auto_map" in settings:
            raise ValueError(
                f"{folder} asks to run Python code of its own ('auto_map' in {name}), which acgym never does. Use a "
                "model of an architecture that transformers ships; if it ships this one "
                f"(model_type {config.get('model_type')!r}), a copy of the folder without 'auto_map' will do."
            )


def _refuse_pickled_weights(folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    pickled = sorted(path.name for ending in ("bin", "pt", "pth") for path in folder.glob(f"*.{ending}"))
    found = f"only pickled weights ({', '.join(pickled)}), which can run code when read" if pickled else "no weights"
    raise ValueError(
        f"{folder} has {found}; expected *.safetensors, which save_pretrained writes. Get the model in that format."
    )
