"""Makes agents from their specs: ``reference``, ``hf:PATH``, ``oracle``, ..., with an optional compression recipe."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent
    from acgym.compress import CompressionRecord

MODELS = ("reference", "hf")
"""Kinds of agent that have a model, and so can be compressed."""
KINDS = (*MODELS, "oracle", "random", "silent", "replay")
SOURCES = {"hf": "PATH-OR-ID", "replay": "FILE"}
"""Kinds that need a source after a colon, and what it is."""
KNOWN = "reference, hf:PATH, oracle, random, silent, replay:FILE"

CAPABILITIES = ("ACB/ToolCall-v0", "ACB/Workflow-v0", "ACB/Needle-v0", "ACB/Household-v0")
"""The first environment of each capability: the default of every comparison."""

TRAJECTORIES = 16
"""Episodes of the training split that a model plays in each environment for its own calibration text."""

_MODEL_FILES = (".safetensors", ".json", ".jinja", ".model", ".txt")
_END_BYTES = 4 << 20  # reading a large model whole would take longer than many a comparison


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent spec taken apart."""

    text: str
    """The spec as it names the agent, its recipe in canonical form."""
    kind: str
    source: str | None
    """Path, id or file after the colon."""
    recipe: str | None
    """Canonical compression recipe; None for an agent as it is."""

    @property
    def base(self) -> AgentSpec:
        """The same agent uncompressed."""
        text = self.kind if self.source is None else f"{self.kind}:{self.source}"
        return AgentSpec(text, self.kind, self.source, None)


def parse_spec(text: str) -> AgentSpec:
    """Read an agent spec, and refuse what cannot work before anything is loaded.

    Args:
        text: ``reference``, ``hf:PATH-OR-ID``, ``oracle``, ``random``, ``silent`` or ``replay:FILE``; a model may be
            followed by ``+`` and a recipe, such as ``reference+gptq-w4-g64`` (see :func:`acgym.compress.parse`).

    Raises:
        ValueError: for an unknown kind or recipe (with the nearest valid one), a missing or superfluous source, a
            recipe on an agent without a model, or a model folder that must not or cannot be loaded.
        FileNotFoundError: if the model folder or the replay file is not there.
    """
    from acgym.compress.recipe import parse

    head, written = _split_recipe(text.strip())
    kind, _, source = head.partition(":")
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        if Path(head).is_dir():
            hint = f"for the model in that folder write 'hf:{head}'. "
        raise ValueError(f"unknown agent {head!r}; {hint}Known: {KNOWN}")
    if (kind in SOURCES) != bool(source) or (":" in head and kind not in SOURCES):
        want = f"{kind}:{SOURCES[kind]}" if kind in SOURCES else kind
        raise ValueError(f"the agent {text!r} should be written {want!r}")
    recipe = None if written is None else str(parse(written))
    if recipe is not None and kind not in MODELS:
        raise ValueError(f"{kind!r} has no model, so the recipe {recipe!r} cannot be applied to it; drop '+{recipe}'")
    spec = AgentSpec(head if recipe is None else f"{head}+{recipe}", kind, source or None, recipe)
    _check_source(spec)
    return spec


def _split_recipe(text: str) -> tuple[str, str | None]:
    """Cut a spec before its recipe. A path may hold a ``+`` too: what exists on the disk is never cut."""
    from acgym.compress.methods import METHODS

    kind, _, source = text.partition(":")
    cuts = [at for at, letter in enumerate(text) if letter == "+"]
    if kind in SOURCES and source:
        start = len(kind) + 1
        for at in [len(text), *reversed(cuts)]:
            if Path(text[start:at]).expanduser().exists():
                return text[:at], text[at + 1 :] if at < len(text) else None
        cuts = [at for at in cuts if re.split(r"[-+]", text[at + 1 :])[0].lower() in METHODS] or cuts
    return (text[: cuts[0]], text[cuts[0] + 1 :]) if cuts else (text, None)


def _check_source(spec: AgentSpec) -> None:
    from acgym.agents.local import REFERENCE, inspect_source

    if spec.kind in MODELS:
        inspect_source(str(REFERENCE) if spec.source is None else spec.source)
    elif spec.kind == "replay" and not Path(str(spec.source)).is_file():
        raise FileNotFoundError(f"there is no episode file at {spec.source!r}; expected a run's episodes.jsonl")


def fingerprint(spec: AgentSpec) -> str | None:
    """Identify the model files of a spec, so that a run is never continued with other weights under the same path.

    Returns:
        16 hexadecimal digits over the names, sizes and the first and last 4 MiB of the files that make the model; None
        for an agent without a model, or a model that is named by its hub id.
    """
    from acgym.agents.local import REFERENCE

    folder = REFERENCE if spec.source is None else Path(spec.source).expanduser()
    if spec.kind not in MODELS or not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.suffix in _MODEL_FILES and path.is_file()):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_END_BYTES))
            stream.seek(max(stream.tell(), size - _END_BYTES))
            digest.update(stream.read())
    return digest.hexdigest()[:16]


def agent(spec: str, *, calibration: str | Path | None = None) -> Agent:
    """Make an agent from its spec.

    Args:
        spec: see :func:`parse_spec`.
        calibration: a text file (UTF-8) to calibrate a recipe on; None for the model's own trajectories on the training
            split of the four capabilities.

    Raises:
        ValueError, FileNotFoundError: as :func:`parse_spec`, before any model is loaded.
    """
    parsed = parse_spec(spec)
    if parsed.kind not in MODELS:
        return scripted(parsed)
    text = None if calibration is None else read_text(calibration)
    dense = local(parsed.base)
    if parsed.recipe is None:
        return dense
    sequences = calibration_for(dense, parsed, text, {env: default_kwargs(parsed) for env in CAPABILITIES})
    return compressed(dense, parsed, sequences)[0]


def default_kwargs(spec: AgentSpec) -> dict[str, Json]:
    """Return the environment arguments an agent is meant for: the reference agent was trained on level 1."""
    return {"level": 1} if spec.kind == "reference" else {}


def scripted(spec: AgentSpec) -> Agent:
    """Make an agent that has no model."""
    from acgym.agents.scripted import Oracle, Random, Replay, Silent

    makers: dict[str, Callable[[], Any]] = {
        "oracle": Oracle,
        "random": Random,
        "silent": Silent,
        "replay": lambda: Replay(str(spec.source)),
    }
    made: Agent = makers[spec.kind]()
    made.name = spec.text
    return made


def local(spec: AgentSpec) -> LocalAgent:
    """Load the dense model of a spec as an agent."""
    from acgym.agents.local import REFERENCE, LocalAgent, load

    return LocalAgent(load(str(REFERENCE) if spec.source is None else spec.source), spec.base.text)


def compressed(
    dense: LocalAgent, spec: AgentSpec, calibration: Sequence[Sequence[int]]
) -> tuple[LocalAgent, CompressionRecord]:
    """Compress a copy of a dense agent's model by the recipe of ``spec``; ``dense`` stays as it is."""
    from acgym.agents.local import Loaded, LocalAgent
    from acgym.compress import compress

    model = copy.deepcopy(dense.model)
    record = compress(model, str(spec.recipe), calibration)
    return LocalAgent(Loaded(model, dense.tokenizer), spec.text, dense.max_new_tokens, dense.max_batch), record


def calibration_for(
    dense: LocalAgent, spec: AgentSpec, text: str | None, envs: Mapping[str, Mapping[str, Json]]
) -> list[list[int]]:
    """Return the calibration token ids for a spec: none if its recipe reads none, else text or trajectories."""
    from acgym.compress.recipe import parse

    if not parse(str(spec.recipe)).needs_calibration:
        return []
    return trajectories(dense, envs) if text is None else windows(dense.tokenizer, text)


def trajectories(dense: LocalAgent, envs: Mapping[str, Mapping[str, Json]]) -> list[list[int]]:
    """Let a model play the training split and return what it read and wrote.

    Args:
        dense: the agent to be compressed.
        envs: environment id -> arguments of ``gym.make``.
    """
    from acgym.loop import play

    sequences: list[list[int]] = []
    for env_id, kwargs in envs.items():
        for episode in play(dense, env_id, range(TRAJECTORIES), kwargs=kwargs, split="train"):
            sequences += [ids for ids, _ in episode.sequences()]
    return sequences


def read_text(path: str | Path) -> str:
    """Read a calibration text.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is empty or not UTF-8.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"there is no calibration text at {str(path)!r}")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"the calibration text {str(path)!r} is not UTF-8: {error.reason} at byte {error.start}"
        ) from None
    if not text.strip():
        raise ValueError(f"the calibration text {str(path)!r} is empty")
    return text


def windows(tokenizer: Any, text: str, length: int = 512, samples: int = 128) -> list[list[int]]:
    """Cut a text into the first ``samples`` windows of ``length`` tokens (ACBench's stated protocol: 128 of 512)."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return [ids[at : at + length] for at in range(0, min(len(ids), length * samples), length)]
