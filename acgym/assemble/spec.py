"""Agent specs: one line of text that says which agent, compressed how and on what, taken apart and checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from acgym.assemble.recipe import read_recipe
from acgym.calibrate.spec import PRESETS, Calibration
from acgym.plugins import GROUPS, load_plugins
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.compress.recipe import Recipe

SMOLLM2_PLAIN = "smollm2@plain"
"""SmolLM2-135M-Instruct as its authors trained it: ``smollm2`` without its adapter."""
SHIPPED = ("reference", "smollm2", SMOLLM2_PLAIN)
"""Kinds that need no source: their weights come with acgym, or ``acgym data get`` fetches them."""
MODELS = (*SHIPPED, "hf", "gguf")
"""Kinds of agent that have a model here, and so can be compressed."""
REMOTE = {"openai": "MODEL@URL", "vllm": "PATH-OR-ID"}
"""Kinds of agent whose model cannot be looked into or compressed here, and what follows the colon."""
GIVEN = "python"
"""Kind of an agent that a script handed over: an object or a function that lives in its process."""
KINDS = (*MODELS, *REMOTE, "oracle", "random", "silent", "replay")
REGISTERED: dict[str, Callable[[str | None], Agent]] = {}
"""Kinds that others added (:func:`acgym.assemble.registered.register_agent`), and what makes them of their source."""
SOURCES = {"hf": "PATH-OR-ID", "gguf": "FILE", **REMOTE, "replay": "FILE"}
"""Kinds that need a source after a colon, and what it is."""
ADAPTER = "@lora:"
"""Stands between a model and the folder of a low-rank adapter that is added to its weights."""
ADAPTED = ("hf", "gguf", SMOLLM2_PLAIN)
"""Kinds that can have one."""
RERUN = "@rerun"
"""Ends the spec of a model that plays once more in batches of another size: the noise floor of a comparison."""
PACKED = "@packed"
"""Ends the spec of a compressed model (before RERUN) that runs on packed integers instead of simulating them."""
KNOWN = (
    "reference, smollm2, smollm2@plain, hf:PATH, gguf:FILE, openai:MODEL@URL, vllm:PATH, oracle, random, silent, "
    "replay:FILE"
)


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent spec taken apart."""

    text: str
    """The spec as it names the agent, its recipe in canonical form."""
    kind: str
    source: str | None
    """Path, id or file after the colon."""
    recipe: Recipe | None = None
    """How the model is compressed; None for an agent as it is."""
    rerun: bool = False
    """Whether the spec ends in RERUN."""
    calibration: Calibration | None = None
    """What this recipe alone is calibrated on; a part that is not said is that of all others. None if all is."""
    packed: bool = False
    """Whether the spec ends in PACKED (before RERUN)."""
    adapter: str | None = None
    """Folder of the low-rank adapter after ADAPTER."""

    @property
    def base(self) -> AgentSpec:
        """The same agent uncompressed."""
        text = self.kind if self.source is None else f"{self.kind}:{self.source}"
        text += "" if self.adapter is None else f"{ADAPTER}{self.adapter}"
        return AgentSpec(text, self.kind, self.source, adapter=self.adapter)

    @property
    def defaults(self) -> dict[str, Json]:
        """The environment arguments that the agent is meant for: the two that ship with acgym learnt level 1 best."""
        return {"level": 1} if self.kind in SHIPPED else {}


def parse_spec(text: str) -> AgentSpec:
    """Read an agent spec, and refuse what cannot work before anything is loaded.

    Args:
        text: ``reference``, ``smollm2``, ``smollm2@plain``, ``hf:PATH-OR-ID`` or ``gguf:FILE`` (the last three may be
            followed by ``@lora:DIR``, an adapter in peft's format), ``oracle``, ``random``, ``silent``,
            ``replay:FILE``, ``openai:MODEL@URL``, which may end in ``#native`` or ``#text``
            (:func:`acgym.agents.remote.spec.parse_endpoint`), or ``vllm:PATH-OR-ID``, which may end in
            ``#tp=2,len=8192`` (:func:`acgym.agents.vllm.parse_engine`). Models may be followed by ``@rerun``; a model
            that runs here by ``+`` and a recipe, such as
            ``reference+gptq-w4-g64`` (see :func:`acgym.compress.parse`), or one of ACBench's by name
            (:data:`acgym.calibrate.spec.PRESETS`), then by ``@`` and a calibration of its own, such as
            ``reference+gptq-w3@text:pile.txt,128x512`` (:func:`acgym.calibrate.spec.parse_calibration`), then by
            ``@packed`` to run on packed integers (:func:`acgym.compress.packed.convert.pack`), and then by ``@rerun``.
            Or a kind that was registered, with or without a source.

    Raises:
        ValueError: for an unknown kind or recipe (with the nearest valid one), a missing or superfluous source, a
            recipe on an agent without a model, a calibration on a recipe that reads none, or a model folder that must
            not or cannot be loaded. Calibration files are not looked for.
        FileNotFoundError: if the model folder or the replay file is not there.
        ImportError: if vLLM is asked for and not installed.
    """
    own = _of_others(text.strip())
    if own is not None:
        return own
    plain = _with_kind(text.strip()).removesuffix(RERUN)
    rerun = plain != _with_kind(text.strip())
    if plain.partition(":")[0] in REMOTE:
        kind, source = _read_remote(plain)
        return AgentSpec(f"{kind}:{source}" + (RERUN if rerun else ""), kind, source, rerun=rerun)
    plain, before = plain.removesuffix(PACKED), plain
    packed = plain != before
    head, adapter, written = _split(plain)
    kind, _, source = head.partition(":")
    if kind not in KINDS:
        near = get_close_matches(kind, [*KINDS, *REGISTERED], n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown agent {head!r}; {hint}Known: {', '.join([KNOWN, *REGISTERED])}")
    if (kind in SOURCES) != bool(source) or (":" in head and kind not in SOURCES):
        want = f"{kind}:{SOURCES[kind]}" if kind in SOURCES else kind
        raise ValueError(f"the agent {text!r} should be written {want!r}")
    if adapter is not None and (kind not in ADAPTED or not adapter):
        also = f", '{SMOLLM2_PLAIN}{ADAPTER}DIR'" if kind == "smollm2" else ""
        raise ValueError(f"an adapter is written 'hf:BASE{ADAPTER}DIR', 'gguf:FILE{ADAPTER}DIR'{also}, got {text!r}")
    folder = model_folder(AgentSpec(head, kind, source or None))
    recipe, calibration = (None, None) if written is None else read_recipe(written, folder)
    if recipe is not None and kind not in MODELS:
        raise ValueError(f"{kind!r} has no model, so the recipe '{recipe}' cannot be applied to it; drop '+{recipe}'")
    if rerun and kind not in MODELS:
        raise ValueError(f"{kind!r} has no model: played again it does the same; drop {RERUN!r}")
    if packed and (recipe is None or not recipe.makes_integers):
        raise ValueError(f"{text!r} has no recipe that makes integers, so nothing can be packed; write gptq-w4{PACKED}")
    said = (f"{ADAPTER}{adapter}" if adapter else "") + (f"+{recipe}" if recipe else "")
    said += (f"@{calibration}" if calibration else "") + (PACKED if packed else "") + (RERUN if rerun else "")
    spec = AgentSpec(head + said, kind, source or None, recipe, rerun, calibration, packed, adapter)
    _check_source(spec)
    return spec


def _of_others(text: str) -> AgentSpec | None:
    """Read the spec of an agent that a script handed over or a plugin registered; None for all others."""
    for group in GROUPS:
        load_plugins(group)
    kind, _, source = text.partition(":")
    if kind == GIVEN:
        return given_spec(source)
    return AgentSpec(text, kind, source or None) if kind in REGISTERED else None


def given_spec(name: str) -> AgentSpec:
    """Return the spec of an agent that a script handed over under a name.

    Raises:
        ValueError: if there is no name.
    """
    if not name:
        raise ValueError(f"an agent that a script hands over is written '{GIVEN}:NAME', got no name")
    return AgentSpec(f"{GIVEN}:{name}", GIVEN, name)


def _with_kind(text: str) -> str:
    """Put the kind before the path of a model that is written without one."""
    if re.split(r"[:+@]", text, maxsplit=1)[0] in KINDS:
        return text
    path = _split(f"hf:{text}")[0].removeprefix("hf:")
    if not path or not (
        path.startswith(("./", "../", "/", "~/")) or path in (".", "..") or Path(path).expanduser().exists()
    ):
        return text
    return f"{'gguf' if path.lower().endswith('.gguf') else 'hf'}:{text}"


def model_spec(model: str, recipe: str) -> tuple[AgentSpec, Recipe]:
    """Read a model, named as ``reference``, a folder or a hub id, with or without ``hf:`` before it, and its recipe.

    Returns:
        The spec of the compressed agent, and its recipe.

    Raises:
        ValueError, FileNotFoundError: as :func:`parse_spec`.
    """
    spec = parse_spec(f"{named_model(model)}+{recipe}")
    if spec.recipe is None:
        raise ValueError(f"there is a model at {spec.source!r}, so {recipe!r} is read as a part of its name")
    return spec, spec.recipe


def named_model(model: str) -> str:
    """Return the spec of a model that may be named as a folder or hub id, without ``hf:`` before it."""
    return model if model.partition(":")[0].removesuffix(ADAPTER[:-1]) in MODELS else f"hf:{model}"


def _split(text: str) -> tuple[str, str | None, str | None]:
    """Cut a spec into the agent, the folder of its adapter and its recipe; None for what is not said."""
    head, mark, after = text.partition(ADAPTER)
    if not mark:
        head, written = _split_recipe(text)
        return head, None, written
    named, written = _split_recipe(f"hf:{after}")
    return head, named.removeprefix("hf:"), written


def _split_recipe(text: str) -> tuple[str, str | None]:
    """Cut a spec before its recipe. A path may hold a ``+`` too: what exists on the disk is never cut."""
    from acgym.compress.methods.table import METHODS

    kind, _, source = text.partition(":")
    cuts = [at for at, letter in enumerate(text) if letter == "+"]
    if kind in SOURCES and source:
        start = len(kind) + 1
        for at in [len(text), *reversed(cuts)]:
            if Path(text[start:at]).expanduser().exists():
                return text[:at], text[at + 1 :] if at < len(text) else None
        known = {*METHODS, *(name.partition("-")[0] for name in PRESETS)}
        cuts = [at for at in cuts if re.split(r"[-+@]", text[at + 1 :])[0].lower() in known] or cuts
    return (text[: cuts[0]], text[cuts[0] + 1 :]) if cuts else (text, None)


def _read_remote(text: str) -> tuple[str, str]:
    """Read the spec of an agent whose model runs elsewhere: its kind, and what follows the colon, canonically."""
    from acgym.compress.methods.table import METHODS

    kind, _, source = text.partition(":")
    if not source:
        raise ValueError(f"the agent {text!r} should be written '{kind}:{REMOTE[kind]}'")
    for written in source.split("+")[1:]:
        if re.split(r"[-@]", written)[0].lower() in METHODS:
            raise ValueError(
                f"{kind!r} runs its model elsewhere, so the recipe {written!r} cannot be applied to it; write the "
                "compressed model with 'acgym compress', let that one be run, and drop the recipe"
            )
    if kind == "vllm":
        from acgym.agents.vllm import parse_engine

        return kind, parse_engine(source).source
    from acgym.agents.remote.spec import limits_of, parse_endpoint

    limits_of()
    return kind, parse_endpoint(source).source


def model_source(spec: AgentSpec) -> tuple[str, str | None]:
    """Return where the model of a spec is, a folder, GGUF file or hub id, and the folder of its adapter.

    Raises:
        FileNotFoundError: if it is the base of ``smollm2`` and was not fetched; says how to.
    """
    from acgym.agents.local import REFERENCE, SMOLLM2

    if spec.kind in ("smollm2", SMOLLM2_PLAIN):
        from acgym.data.cache import data_folder

        return str(data_folder("smollm2")), str(SMOLLM2) if spec.kind == "smollm2" else spec.adapter
    return str(REFERENCE) if spec.source is None else spec.source, spec.adapter


def model_folder(spec: AgentSpec) -> Path | None:
    """Return the folder or GGUF file of a spec's model; None for an agent without a model, or one that is not here."""
    from acgym.model_files.gguf import gguf_file

    if spec.kind not in MODELS:
        return None
    try:
        path = Path(model_source(spec)[0]).expanduser()
        return gguf_file(path) or (path if path.is_dir() else None)
    except (FileNotFoundError, ValueError):
        return None  # who loads it says why


def _check_source(spec: AgentSpec) -> None:
    """Refuse a model or an adapter that cannot be loaded, and a replay file that is not there."""
    from acgym.agents.local import inspect_source
    from acgym.model_files.adapter import inspect_adapter

    if spec.kind in MODELS:
        source, adapter = model_source(spec)
        if spec.kind == "gguf" and not source.lower().endswith(".gguf"):
            raise ValueError(f"{spec.text!r} should name a file that ends in .gguf; for a folder write 'hf:{source}'")
        inspect_source(source)
        if adapter is not None:
            inspect_adapter(adapter)
    elif spec.kind == "replay" and not Path(str(spec.source)).is_file():
        raise FileNotFoundError(f"there is no episode file at {spec.source!r}; expected a run's episodes.jsonl")
