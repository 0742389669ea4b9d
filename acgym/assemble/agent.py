"""Makes agents from their specs: ``reference``, ``hf:PATH``, ``oracle``, ..., with an optional compression recipe."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.assemble.recipe import has_integers, read_recipe
from acgym.assemble.remote import REMOTE, is_remote, read_remote, remote
from acgym.assemble.replies import check_decoding, check_format
from acgym.calibrate.files import check_files, read_calibration
from acgym.calibrate.sample import draw
from acgym.calibrate.spec import DEFAULT, PRESETS, Calibration, parse_calibration
from acgym.memory import uncollected
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.decoding import Decoding
    from acgym.agents.local import LocalAgent
    from acgym.compress import CompressionRecord

MODELS = ("reference", "hf")
"""Kinds of agent that have a model, and so can be compressed."""
KINDS = (*MODELS, *REMOTE, "oracle", "random", "silent", "replay")
RERUN = "@rerun"
"""Ends the spec of a model that plays once more in batches of another size: the noise floor of a comparison."""
PACKED = "@packed"
"""Ends the spec of a compressed model (before RERUN) that runs on packed integers instead of simulating them."""
SOURCES = {"hf": "PATH-OR-ID", **REMOTE, "replay": "FILE"}
"""Kinds that need a source after a colon, and what it is."""
KNOWN = "reference, hf:PATH, openai:MODEL@URL, vllm:PATH, oracle, random, silent, replay:FILE"

CAPABILITIES = ("ACB/ToolCall-v0", "ACB/Workflow-v0", "ACB/Needle-v0", "ACB/Household-v0")
"""The first environment of each capability: the default of every comparison."""

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
    rerun: bool = False
    """Whether the spec ends in RERUN."""
    calibration: str | None = None
    """What this recipe alone is calibrated on, canonically; a part that is not said is that of all others."""
    packed: bool = False
    """Whether the spec ends in PACKED (before RERUN)."""

    @property
    def base(self) -> AgentSpec:
        """The same agent uncompressed."""
        text = self.kind if self.source is None else f"{self.kind}:{self.source}"
        return AgentSpec(text, self.kind, self.source, None)


def parse_spec(text: str) -> AgentSpec:
    """Read an agent spec, and refuse what cannot work before anything is loaded.

    Args:
        text: ``reference``, ``hf:PATH-OR-ID``, ``oracle``, ``random``, ``silent``, ``replay:FILE``, or one of
            :mod:`acgym.assemble.remote`, which may be followed by ``@rerun``; a model that runs here may be followed by
            ``+`` and a recipe, such as ``reference+gptq-w4-g64`` (see :func:`acgym.compress.parse`), or one of
            ACBench's by name (:data:`acgym.calibrate.spec.PRESETS`), then by ``@`` and a calibration of its own, such
            as ``reference+gptq-w3@text:pile.txt,128x512`` (:func:`acgym.calibrate.spec.parse_calibration`), then by
            ``@packed`` to run on packed integers (:func:`acgym.compress.packed.convert.pack`), and then by ``@rerun``.

    Raises:
        ValueError: for an unknown kind or recipe (with the nearest valid one), a missing or superfluous source, a
            recipe on an agent without a model, a calibration on a recipe that reads none, or a model folder that must
            not or cannot be loaded. Calibration files are not looked for.
        FileNotFoundError: if the model folder or the replay file is not there.
    """
    plain = text.strip().removesuffix(RERUN)
    rerun = plain != text.strip()
    if is_remote(plain):
        name, kind, where = read_remote(plain)
        return AgentSpec(name + (RERUN if rerun else ""), kind, where, None, rerun=rerun)
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
    folder = model_folder(AgentSpec(head, kind, source or None, None))
    recipe, calibration = (None, None) if written is None else read_recipe(written, folder)
    if recipe is not None and kind not in MODELS:
        raise ValueError(f"{kind!r} has no model, so the recipe {recipe!r} cannot be applied to it; drop '+{recipe}'")
    if rerun and kind not in MODELS:
        raise ValueError(f"{kind!r} has no model: played again it does the same; drop {RERUN!r}")
    if packed and (recipe is None or not has_integers(recipe)):
        raise ValueError(f"{text!r} has no recipe that makes integers, so nothing can be packed; write gptq-w4{PACKED}")
    said = (f"+{recipe}" if recipe else "") + (f"@{calibration}" if calibration else "")
    said += (PACKED if packed else "") + (RERUN if rerun else "")
    spec = AgentSpec(head + said, kind, source or None, recipe, rerun=rerun, packed=packed, calibration=calibration)
    _check_source(spec)
    return spec


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


def _check_source(spec: AgentSpec) -> None:
    from acgym.agents.local import REFERENCE, inspect_source

    if spec.kind in MODELS:
        inspect_source(str(REFERENCE) if spec.source is None else spec.source)
    elif spec.kind == "replay" and not Path(str(spec.source)).is_file():
        raise FileNotFoundError(f"there is no episode file at {spec.source!r}; expected a run's episodes.jsonl")


def model_folder(spec: AgentSpec) -> Path | None:
    """Return the folder of a spec's model; None for an agent without a model, or a model named by its hub id."""
    from acgym.agents.local import REFERENCE

    folder = REFERENCE if spec.source is None else Path(spec.source).expanduser()
    return folder if spec.kind in MODELS and folder.is_dir() else None


def fingerprint(spec: AgentSpec) -> str | None:
    """Identify the model files of a spec, so that a run is never continued with other weights under the same path.

    Returns:
        16 hexadecimal digits over the names, sizes and the first and last 4 MiB of the files that make the model; None
        for an agent without a model, or a model that is named by its hub id.
    """
    folder = model_folder(spec)
    if folder is None:
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


def agent(
    spec: str,
    *,
    calibration: str | Path | None = None,
    tool_format: str | None = None,
    decoding: Decoding | Mapping[str, Json] | None = None,
) -> Agent:
    """Make an agent from its spec.

    Args:
        spec: see :func:`parse_spec`.
        calibration: what to calibrate a recipe on, where the spec does not say it: the path of a text file, or see
            :func:`acgym.calibrate.spec.parse_calibration`; None for the model's own trajectories on the training
            split of the four capabilities.
        tool_format: name of the format in which the model writes tool calls, one of
            :data:`acgym.agents.tool_formats.families.FORMATS`; None to tell it from its chat template.
        decoding: how replies are decoded, or its options by name; None for greedy.

    Raises:
        ValueError, FileNotFoundError: as :func:`parse_spec` and :func:`acgym.calibrate.files.check_files`, before any
            model is loaded; as :func:`acgym.calibrate.sample.draw`, after.
    """
    parsed = parse_spec(spec)
    check_format(tool_format, [parsed])
    how = check_decoding(decoding, [parsed])
    if parsed.kind in REMOTE:
        return remote(parsed, how, tool_format)[0]
    if parsed.kind not in MODELS:
        return scripted(parsed)
    chosen = calibration_of(parsed, read_calibration(calibration))
    if chosen is not None:
        check_files(chosen)
    dense = local(parsed.base, tool_format, how)
    if parsed.recipe is None:
        return rerun(dense, parsed) if parsed.rerun else dense
    envs = {env: default_kwargs(parsed) for env in CAPABILITIES}
    made = compressed(dense, parsed, [] if chosen is None else draw(chosen, dense, envs).sequences)[0]
    return rerun(made, parsed) if parsed.rerun else made


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


def local(spec: AgentSpec, tool_format: str | None = None, decoding: Decoding | None = None) -> LocalAgent:
    """Load the dense model of a spec as an agent; ``tool_format`` and ``decoding`` as :func:`agent` takes them."""
    with uncollected():
        from acgym.agents.local import REFERENCE, LocalAgent, load
        from acgym.compress.formats.read import read_checkpoint

        loaded = load(str(REFERENCE) if spec.source is None else spec.source, read_checkpoint)
    return LocalAgent(loaded, spec.base.text, decoding=decoding, tool_format=tool_format)


def compressed(
    dense: LocalAgent, spec: AgentSpec, calibration: Sequence[Sequence[int]]
) -> tuple[LocalAgent, CompressionRecord]:
    """Compress a copy of a dense agent's model by the recipe of ``spec``; ``dense`` stays as it is.

    Raises:
        ValueError: if the recipe does not fit the model, or it should run packed and nothing can.
    """
    from acgym.agents.local import Loaded
    from acgym.compress import compress

    model = copy.deepcopy(dense.model)
    if spec.packed:
        from acgym.compress.packed.convert import GridKeeper, pack, packed_record

        keeper = GridKeeper()
        record = compress(model, str(spec.recipe), calibration, keep=keeper)
        record = packed_record(record, pack(model.cpu(), keeper.grids))
    else:
        record = compress(model, str(spec.recipe), calibration)
    return dense.like(Loaded(model, dense.tokenizer), spec.text), record


def rerun(first: LocalAgent, spec: AgentSpec) -> LocalAgent:
    """Let a model play again in batches of an eighth of the size: other sums are rounded, and nothing else differs.

    If replies are sampled, they are drawn with the next seed.
    """
    from acgym.agents.local import Loaded

    again = first.like(Loaded(first.model, first.tokenizer, first.checkpoint), spec.text)
    again.max_batch, again.decoding = max(1, first.max_batch // 8), first.decoding.again
    return again


def calibration_of(spec: AgentSpec, default: Calibration, overrides: Iterable[str] = ()) -> Calibration | None:
    """Return what a spec is calibrated on: its own over the default; None if it, and overrides, read none."""
    from acgym.compress.recipe import parse

    if spec.recipe is None or not any(parse(recipe).needs_calibration for recipe in (spec.recipe, *overrides)):
        return None
    return default if spec.calibration is None else parse_calibration(spec.calibration).over(default)


def trajectories(dense: LocalAgent, envs: Mapping[str, Mapping[str, Json]]) -> list[list[int]]:
    """Let a model play the training split and return what it read and wrote: the default calibration.

    Args:
        dense: the agent to be compressed.
        envs: environment id -> arguments of ``gym.make``.
    """
    return draw(DEFAULT, dense, envs).sequences
