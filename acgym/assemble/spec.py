"""Agent specs: one line of text that says which agent, compressed how and on what, taken apart and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from acgym.assemble.fit import fit_default
from acgym.calibrate.spec import PRESETS, Calibration, parse_calibration
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.compress.recipe import Recipe

MODELS = ("reference", "hf")
"""Kinds of agent that have a model here, and so can be compressed."""
REMOTE = {"openai": "MODEL@URL", "vllm": "PATH-OR-ID"}
"""Kinds of agent whose model cannot be looked into or compressed here, and what follows the colon."""
KINDS = (*MODELS, *REMOTE, "oracle", "random", "silent", "replay")
SOURCES = {"hf": "PATH-OR-ID", **REMOTE, "replay": "FILE"}
"""Kinds that need a source after a colon, and what it is."""
RERUN = "@rerun"
"""Ends the spec of a model that plays once more in batches of another size: the noise floor of a comparison."""
PACKED = "@packed"
"""Ends the spec of a compressed model (before RERUN) that runs on packed integers instead of simulating them."""
KNOWN = "reference, hf:PATH, openai:MODEL@URL, vllm:PATH, oracle, random, silent, replay:FILE"


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

    @property
    def base(self) -> AgentSpec:
        """The same agent uncompressed."""
        return AgentSpec(self.kind if self.source is None else f"{self.kind}:{self.source}", self.kind, self.source)

    @property
    def defaults(self) -> dict[str, Json]:
        """The environment arguments that the agent is meant for: the reference agent was trained on level 1."""
        return {"level": 1} if self.kind == "reference" else {}


def parse_spec(text: str) -> AgentSpec:
    """Read an agent spec, and refuse what cannot work before anything is loaded.

    Args:
        text: ``reference``, ``hf:PATH-OR-ID``, ``oracle``, ``random``, ``silent``, ``replay:FILE``,
            ``openai:MODEL@URL``, which may end in ``#native`` or ``#text``
            (:func:`acgym.agents.remote.spec.parse_endpoint`), or ``vllm:PATH-OR-ID``, which may end in
            ``#tp=2,len=8192`` (:func:`acgym.agents.vllm.parse_engine`). Models may be followed by ``@rerun``; a model
            that runs here by ``+`` and a recipe, such as ``reference+gptq-w4-g64`` (see
            :func:`acgym.compress.parse`), or one of ACBench's by name (:data:`acgym.calibrate.spec.PRESETS`), then by
            ``@`` and a calibration of its own, such as ``reference+gptq-w3@text:pile.txt,128x512``
            (:func:`acgym.calibrate.spec.parse_calibration`), then by ``@packed`` to run on packed integers
            (:func:`acgym.compress.packed.convert.pack`), and then by ``@rerun``.

    Raises:
        ValueError: for an unknown kind or recipe (with the nearest valid one), a missing or superfluous source, a
            recipe on an agent without a model, a calibration on a recipe that reads none, or a model folder that must
            not or cannot be loaded. Calibration files are not looked for.
        FileNotFoundError: if the model folder or the replay file is not there.
        ImportError: if vLLM is asked for and not installed.
    """
    plain = text.strip().removesuffix(RERUN)
    rerun = plain != text.strip()
    if plain.partition(":")[0] in REMOTE:
        kind, source = _read_remote(plain)
        return AgentSpec(f"{kind}:{source}" + (RERUN if rerun else ""), kind, source, rerun=rerun)
    plain, before = plain.removesuffix(PACKED), plain
    packed = plain != before
    head, written = _split_recipe(plain)
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
    folder = model_folder(AgentSpec(head, kind, source or None))
    recipe, calibration = (None, None) if written is None else read_recipe(written, folder)
    if recipe is not None and kind not in MODELS:
        raise ValueError(f"{kind!r} has no model, so the recipe '{recipe}' cannot be applied to it; drop '+{recipe}'")
    if rerun and kind not in MODELS:
        raise ValueError(f"{kind!r} has no model: played again it does the same; drop {RERUN!r}")
    if packed and (recipe is None or not recipe.makes_integers):
        raise ValueError(f"{text!r} has no recipe that makes integers, so nothing can be packed; write gptq-w4{PACKED}")
    said = (f"+{recipe}" if recipe else "") + (f"@{calibration}" if calibration else "")
    said += (PACKED if packed else "") + (RERUN if rerun else "")
    spec = AgentSpec(head + said, kind, source or None, recipe, rerun, calibration, packed)
    _check_source(spec)
    return spec


def model_spec(model: str, recipe: str) -> tuple[AgentSpec, Recipe]:
    """Read a model, named as ``reference``, a folder or a hub id, with or without ``hf:`` before it, and its recipe.

    Returns:
        The spec of the compressed agent, and its recipe.

    Raises:
        ValueError, FileNotFoundError: as :func:`parse_spec`.
    """
    named = model if model == "reference" or model.startswith("hf:") else f"hf:{model}"
    spec = parse_spec(f"{named}+{recipe}")
    if spec.recipe is None:
        raise ValueError(f"there is a model at {spec.source!r}, so {recipe!r} is read as a part of its name")
    return spec, spec.recipe


def read_recipe(written: str, folder: Path | None = None) -> tuple[Recipe, Calibration | None]:
    """Read a recipe, or the name of one of ACBench's, and the calibration after ``@``; None if it says none.

    With the folder of a model, group sizes that are not said are such that fit it (:mod:`acgym.assemble.fit`).
    """
    from acgym.compress.recipe import parse

    text, at, after = written.partition("@")
    preset = PRESETS.get(text.strip().lower())
    if preset is not None and preset.recipe is None:
        raise ValueError(f"{text!r} names no recipe; write one before it: gptq-w4@{after or 'text:FILE'},{text}")
    recipe = parse(text if preset is None or preset.recipe is None else preset.recipe)
    said = parse_calibration(after) if at else Calibration()
    if at and not recipe.needs_calibration:
        raise ValueError(f"{str(recipe)!r} reads no calibration; drop '@{after}'")
    if preset is not None:
        fixed = Calibration((), preset.samples, preset.length, preset.seed)
        if said.samples is not None or said.seed is not None:
            raise ValueError(f"{text!r} is calibrated on {fixed}; for another shape write the recipe out: {recipe}")
        said = said.over(fixed)
    elif folder is not None:
        recipe = fit_default(text, recipe, folder)
    return recipe, said if str(said) else None


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


def model_folder(spec: AgentSpec) -> Path | None:
    """Return the folder of a spec's model; None for an agent without a model, or a model named by its hub id."""
    from acgym.agents.local import REFERENCE

    folder = REFERENCE if spec.source is None else Path(spec.source).expanduser()
    return folder if spec.kind in MODELS and folder.is_dir() else None


def _check_source(spec: AgentSpec) -> None:
    """Refuse a model folder that cannot be loaded, and a replay file that is not there."""
    from acgym.agents.local import REFERENCE, inspect_source

    if spec.kind in MODELS:
        inspect_source(str(REFERENCE) if spec.source is None else spec.source)
    elif spec.kind == "replay" and not Path(str(spec.source)).is_file():
        raise FileNotFoundError(f"there is no episode file at {spec.source!r}; expected a run's episodes.jsonl")
