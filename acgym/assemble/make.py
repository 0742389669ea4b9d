"""Makes agents of their specs: ``reference``, ``hf:PATH``, ``oracle``, ..., with an optional compression recipe."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.agents.decoding import Decoding
from acgym.assemble.spec import MODELS, REGISTERED, REMOTE, AgentSpec, model_source, parse_spec
from acgym.calibrate.files import check_files, read_calibration
from acgym.calibrate.sample import draw
from acgym.calibrate.spec import Calibration
from acgym.machine import uncollected
from acgym.suites import default_envs
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent
    from acgym.compress import CompressionRecord, Recipe


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
    envs = default_envs(parsed.defaults)
    made = compressed(dense, parsed, [] if chosen is None else draw(chosen, dense, envs).sequences)[0]
    return rerun(made, parsed) if parsed.rerun else made


def scripted(spec: AgentSpec) -> Agent:
    """Make an agent that has no model."""
    from acgym.agents.scripted import Oracle, Random, Replay, Silent

    makers: dict[str, Callable[[], Any]] = {
        "oracle": Oracle,
        "random": Random,
        "silent": Silent,
        "replay": lambda: Replay(str(spec.source)),
    }
    registered = REGISTERED.get(spec.kind)
    made: Agent = makers[spec.kind]() if registered is None else registered(spec.source)
    made.name = spec.text
    return made


def local(spec: AgentSpec, tool_format: str | None = None, decoding: Decoding | None = None) -> LocalAgent:
    """Load the dense model of a spec as an agent; ``tool_format`` and ``decoding`` as :func:`agent` takes them."""
    with uncollected():
        from acgym.agents.local import LocalAgent, load
        from acgym.compress.formats.read import read_checkpoint

        source, adapter = model_source(spec)
        loaded = load(source, read_checkpoint, adapter)
    return LocalAgent(loaded, spec.base.text, decoding=decoding, tool_format=tool_format)


def unmerged(spec: AgentSpec, keep: bool = False) -> tuple[LocalAgent, Mapping[str, Any] | None]:
    """Load the model of a spec to train it: its adapter beside it, so that training goes on with that one.

    Args:
        spec: of a model without a recipe.
        keep: add the adapter to the weights all the same.

    Returns:
        The agent, and the tensors of its adapter by name, scaled so that alpha is twice the rank; None if it has none.

    Raises:
        ValueError, FileNotFoundError: as :func:`local`.
    """
    from acgym.agents.adapter import terms
    from acgym.agents.local import LocalAgent, load
    from acgym.compress.formats.read import read_checkpoint

    source, adapter = model_source(spec)
    with uncollected():
        loaded = load(source, read_checkpoint, adapter if keep else None)
    agent = LocalAgent(loaded, spec.base.text)
    return agent, None if adapter is None or keep else terms(adapter, 2.0)


def compressed(
    dense: LocalAgent, spec: AgentSpec, calibration: Sequence[Sequence[int]]
) -> tuple[LocalAgent, CompressionRecord]:
    """Compress a copy of a dense agent's model by the recipe of ``spec``; ``dense`` stays as it is.

    Raises:
        ValueError: if the recipe does not fit the model, or it should run packed and nothing can.
    """
    from acgym.agents.local import Loaded
    from acgym.compress import compress

    if spec.recipe is None:
        raise ValueError(f"{spec.text!r} has no recipe to compress by; write {spec.text}+gptq-w4")
    model = copy.deepcopy(dense.model)
    if spec.packed:
        from acgym.compress.packed.convert import GridKeeper, pack, packed_record

        keeper = GridKeeper()
        record = compress(model, spec.recipe, calibration, keep=keeper)
        record = packed_record(record, pack(model.cpu(), keeper.grids))
    else:
        record = compress(model, spec.recipe, calibration)
    return dense.like(Loaded(model, dense.tokenizer), spec.text), record


def rerun(first: LocalAgent, spec: AgentSpec) -> LocalAgent:
    """Let a model play again in batches of an eighth of the size: other sums are rounded, and nothing else differs.

    If replies are sampled, they are drawn with the next seed.
    """
    from acgym.agents.local import Loaded

    again = first.like(Loaded(first.model, first.tokenizer, first.checkpoint), spec.text)
    again.max_batch, again.decoding = max(1, first.max_batch // 8), first.decoding.again
    return again


def calibration_of(spec: AgentSpec, default: Calibration, overrides: Iterable[Recipe] = ()) -> Calibration | None:
    """Return what a spec is calibrated on: its own over the default; None if it, and overrides, read none."""
    if spec.recipe is None or not any(recipe.needs_calibration for recipe in (spec.recipe, *overrides)):
        return None
    return default if spec.calibration is None else spec.calibration.over(default)


def remote(
    spec: AgentSpec, decoding: Decoding | None = None, tool_format: str | None = None
) -> tuple[Agent, dict[str, Json]]:
    """Make such an agent: ask its server whether it is there, or load its model.

    A re-run asks for an eighth as many replies at once: other requests share a batch, other sums are rounded. If
    replies are sampled, they are drawn with the next seed.

    Returns:
        The agent, and what :meth:`acgym.assemble.models.Models.make` returns of it.

    Raises:
        ValueError, ConnectionError: if the server refuses, or does not answer.
    """
    source = str(spec.source)
    decoding = decoding.again if decoding is not None and spec.rerun else decoding
    if spec.kind == "vllm":
        from acgym.agents.vllm import VllmAgent, parse_engine

        engine = parse_engine(source)
        few = replace(engine, concurrency=max(1, engine.concurrency // 8)) if spec.rerun else engine
        loaded = VllmAgent(few, spec.text, decoding=decoding, tool_format=tool_format)
        return loaded, {"facts": loaded.facts, **_rerun(spec, few.concurrency, engine.concurrency)}
    from acgym.agents.remote.agent import RemoteAgent
    from acgym.agents.remote.spec import key_for, limits_of, parse_endpoint

    endpoint, limits = parse_endpoint(source), limits_of()
    fewer = replace(limits, concurrency=max(1, limits.concurrency // 8)) if spec.rerun else limits
    agent = RemoteAgent(endpoint, spec.text, fewer, key_for(endpoint), decoding=decoding, tool_format=tool_format)
    agent.prepare()
    return agent, {"facts": agent.facts, **_rerun(spec, fewer.concurrency, limits.concurrency)}


def _rerun(spec: AgentSpec, now: int, before: int) -> dict[str, Json]:
    return {"rerun": {"max_batch": now, "max_batch_before": before}} if spec.rerun else {}


def check_format(tool_format: str | None, specs: Sequence[AgentSpec]) -> None:
    """Refuse a tool format that there is not, or that no agent could use.

    Raises:
        ValueError: with the known names.
    """
    from acgym.agents.tool_formats.families import format_named

    if tool_format is None:
        return
    format_named(tool_format)
    _check_use("tool format", tool_format, specs)


def check_decoding(decoding: Decoding | Mapping[str, Json] | None, specs: Sequence[AgentSpec]) -> Decoding:
    """Read how replies are to be decoded, and refuse what no agent could do.

    Args:
        decoding: as it is, or as :meth:`acgym.agents.decoding.Decoding.from_dict` reads it; None for greedy.
        specs: the agents that take part.

    Raises:
        ValueError: for an unknown option or a value outside its range.
        ImportError: if a model here is to keep a JSON schema and the package that does it is missing.
    """
    read = decoding if isinstance(decoding, Decoding) else Decoding.from_dict(decoding or {})
    if read != Decoding():
        _check_use("decoding", read.to_dict(), specs)
    if any(spec.kind in MODELS for spec in specs):
        read.check_installed()
    return read


def _check_use(what: str, value: object, specs: Sequence[AgentSpec]) -> None:
    """Refuse what only models need where there is none."""
    kinds = (*MODELS, *REMOTE)
    if not any(spec.kind in kinds for spec in specs):
        raise ValueError(f"a {what} is for models ({', '.join(kinds)}); drop {value!r}")
