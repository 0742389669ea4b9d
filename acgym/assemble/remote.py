"""Makes agents whose model runs elsewhere: behind a server (``openai:MODEL@URL``) or in vLLM (``vllm:PATH-OR-ID``)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.decoding import Decoding
    from acgym.assemble.agent import AgentSpec

REMOTE = {"openai": "MODEL@URL", "vllm": "PATH-OR-ID"}
"""Kinds of agent whose model cannot be looked into or compressed here, and what follows the colon."""


def is_remote(text: str) -> bool:
    """Whether a spec names one of these kinds."""
    return text.partition(":")[0] in REMOTE


def read_remote(text: str) -> tuple[str, str, str]:
    """Read the spec of such an agent: canonical name, kind, and what follows the colon, canonical too.

    ``openai:MODEL@URL`` may end in ``#native`` or ``#text``, see :func:`acgym.agents.remote.spec.parse_endpoint`;
    ``vllm:PATH-OR-ID`` in ``#tp=2,len=8192``, see :func:`acgym.agents.vllm.parse_engine`.

    Raises:
        ValueError, FileNotFoundError: if it cannot work.
        ImportError: if vLLM is asked for and not installed.
    """
    kind, _, source = text.partition(":")
    if not source:
        raise ValueError(f"the agent {text!r} should be written '{kind}:{REMOTE[kind]}'")
    _refuse_recipe(kind, source)
    if kind == "openai":
        from acgym.agents.remote.spec import limits_of, parse_endpoint

        limits_of()
        source = parse_endpoint(source).source
    else:
        from acgym.agents.vllm import parse_engine

        source = parse_engine(source).source
    return f"{kind}:{source}", kind, source


def _refuse_recipe(kind: str, source: str) -> None:
    """Refuse a recipe on a model that cannot be compressed here."""
    from acgym.compress.methods.table import METHODS

    for written in source.split("+")[1:]:
        if re.split(r"[-@]", written)[0].lower() in METHODS:
            raise ValueError(
                f"{kind!r} runs its model elsewhere, so the recipe {written!r} cannot be applied to it; write the "
                "compressed model with 'acgym compress', let that one be run, and drop the recipe"
            )


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
