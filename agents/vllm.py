"""Agents whose model runs in this process by vLLM: for large models on GPUs, in continuous batches."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from acgym.agents.background_loop import BackgroundLoop
from acgym.agents.base import Agent, AgentFailure, outgrown, too_long
from acgym.agents.decoding import Decoding
from acgym.agents.prompt import PromptBuilder
from acgym.model_files.inspect import inspect_source
from acgym.types import Json, Message, Reply, ToolSpec

MAX_NEW_TOKENS = 512
"""Upper bound of one reply of a model whose generation config names none."""

_OPTIONS = {"tp": "tensor_parallel", "len": "context"}


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """A model for vLLM, and how it is spread."""

    model: str
    """A folder or a hub id."""
    tensor_parallel: int = 1
    """Number of GPUs that each matrix is spread over."""
    context: int | None = None
    """Longest conversation in tokens; None for the model's own window."""
    concurrency: int = 256
    """Most conversations answered at once."""

    @property
    def source(self) -> str:
        """The engine as it is written in a spec."""
        said = [f"tp={self.tensor_parallel}"] if self.tensor_parallel != 1 else []
        said += [] if self.context is None else [f"len={self.context}"]
        return self.model + ("#" + ",".join(said) if said else "")


def parse_engine(text: str) -> EngineSpec:
    """Read ``PATH-OR-ID``, with ``#tp=2,len=8192`` behind it to spread it over GPUs or to bound its memory.

    Raises:
        ImportError: if vLLM is not installed; before anything else is looked at.
        ValueError, FileNotFoundError: if an option is unknown, or as :func:`acgym.model_files.inspect.inspect_source`.
    """
    if find_spec("vllm") is None:
        raise ImportError(f"the agent 'vllm:{text}' needs vLLM; install it with: pip install \"acgym[vllm]\"")
    model, mark, options = text.rpartition("#")
    if not mark or Path(text).expanduser().exists():
        model, options = text, ""
    given: dict[str, int] = {}
    for option in filter(None, options.split(",")):
        name, _, value = option.strip().partition("=")
        if name not in _OPTIONS or not value.isdecimal() or int(value) < 1:
            raise ValueError(f"a vllm agent is written 'vllm:PATH-OR-ID#tp=2,len=8192', got the option {option!r}")
        given[_OPTIONS[name]] = int(value)
    inspect_source(model)
    return EngineSpec(model, **given)


class VllmAgent(Agent):
    """Plays with a model that vLLM holds in this process; token ids are kept, so that it can be probed later.

    Prompts are rendered and tokenised here, as for every agent with a model of its own (:mod:`acgym.agents.prompt`), so
    that no token is made twice; vLLM gets and gives token ids. It reuses the keys and values of common beginnings, so a
    turn costs its new tokens. The engine is loaded when the agent is made.

    Hidden states are not to be had while it plays: vLLM hands them over where it was started for that alone
    (:func:`acgym.probe.vllm.in_vllm`).

    Args:
        engine: the model and its options.
        name: the agent's name in records.
        decoding: how tokens are chosen and where a reply ends; greedy for None. Draws depend on the prompt's seed, and
            on the company only by rounding. The bound of a reply is, where it is not said, what the model's generation
            config names, else MAX_NEW_TOKENS.
        tool_format: as :class:`acgym.agents.prompt.PromptBuilder` takes it.
        arguments: further arguments of vLLM's engine, such as ``{"gpu_memory_utilization": 0.5}``.

    Raises:
        ImportError: if vLLM is not installed.
        ValueError: if the model must not or cannot be loaded, or has no usable chat template; for a budget of thinking
            tokens or log-probabilities, which are not supported here.
    """

    def __init__(
        self,
        engine: EngineSpec,
        name: str,
        *,
        decoding: Decoding | None = None,
        tool_format: str | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        from transformers import AutoTokenizer

        decoding = decoding or Decoding()
        for option in ("thinking_tokens", "logprobs"):
            if getattr(decoding, option) not in (None, False):
                raise ValueError(f"decoding: an agent in vLLM has no {option!r}; leave it out")
        inspect_source(engine.model)
        self.name = name
        self.engine = engine
        self.tokenizer = AutoTokenizer.from_pretrained(_where(engine), trust_remote_code=False)
        self.prompts = PromptBuilder(self.tokenizer, name, tool_format)
        self.decoding = decoding
        self._own = BackgroundLoop("acgym-vllm")
        self._numbers = itertools.count()
        self._llm, self.window, self.stop_ids, named = self._own.wait(_load(engine, arguments or {}))
        ends = {self.tokenizer.eos_token_id, self.prompts.turn_end} - {None}
        self.stop_ids = sorted({*self.stop_ids, *ends, *self.prompts.call_ends})
        self.max_new_tokens = decoding.max_new_tokens or named or MAX_NEW_TOKENS

    @property
    def facts(self) -> dict[str, Json]:
        """What a record should say about the agent."""
        from importlib.metadata import packages_distributions, version

        made_by = packages_distributions().get("vllm", ["vllm"])[0]
        return {
            "engine": f"{made_by} {version(made_by)}",
            "tensor_parallel": self.engine.tensor_parallel,
            "dtype": str(self._llm.model_config.dtype).removeprefix("torch."),
            **self.prompts.tools.facts,
            "decoding": self.decoding.to_dict() or "greedy",
            "max_new_tokens": self.max_new_tokens,
            **self.prompts.facts,
        }

    def close(self) -> None:
        """Let go of the model."""
        self._own.wait(_shut(self._llm))
        self._llm = None  # or it would tidy up once more when the interpreter ends, and fail
        self._own.close()

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Answer with the model's continuation of the conversation.

        Raises:
            AgentFailure: if the first prompt leaves no room in the context window (a later one is answered by
                :func:`acgym.agents.base.outgrown`), or the engine has died.
        """
        from vllm.v1.engine.exceptions import EngineDeadError

        started = time.perf_counter()
        ids = self.prompts.ids(messages, tools)
        if len(ids) >= self.window:
            return outgrown(messages, too_long(len(ids), self.window))
        room = min(self.max_new_tokens, self.window - len(ids))
        try:
            token_ids, stopped = await self._own.run(self._generate(ids, room))
        except EngineDeadError as error:
            raise AgentFailure(f"vLLM's engine has died: {error}") from None
        ended = bool(token_ids) and token_ids[-1] in self.stop_ids
        text = self.prompts.said(token_ids[:-1] if ended else token_ids)
        text = text[: min((at for at in map(text.find, self.decoding.stop) if at >= 0), default=len(text))]
        action, calls = self.prompts.tools.parse(text, tools)
        return Reply(
            text=text,
            action=action,
            calls=calls,
            prompt_ids=tuple(ids),
            token_ids=tuple(token_ids),
            finish_reason="stop" if stopped else "length",
            seconds=time.perf_counter() - started,
        )

    async def _generate(self, ids: list[int], room: int) -> tuple[list[int], bool]:
        """Let the engine continue a prompt, and say whether it came to an end; cancelling this takes it out again."""
        sampling = self._sampling(ids, room)
        said: list[int] = []
        stopped = False
        async for output in self._llm.generate({"prompt_token_ids": ids}, sampling, str(next(self._numbers))):
            said, stopped = list(output.outputs[0].token_ids), output.outputs[0].finish_reason == "stop"
        return said, stopped

    def _sampling(self, ids: list[int], room: int) -> Any:
        """Return vLLM's SamplingParams; the seed of a draw is made of the agent's and the prompt's tokens."""
        from vllm import SamplingParams
        from vllm.sampling_params import StructuredOutputsParams

        how = self.decoding
        drawn: dict[str, Any] = {"temperature": 0.0}
        if not how.greedy:
            seed = int.from_bytes(blake2b(repr((how.seed, ids)).encode(), digest_size=7).digest())
            drawn = {"temperature": how.temperature, "top_p": how.top_p, "top_k": how.top_k, "seed": seed}
        if how.json_schema is not None:
            drawn["structured_outputs"] = StructuredOutputsParams(json=dict(how.json_schema))
        return SamplingParams(
            **drawn,
            max_tokens=room,
            stop=list(how.stop),
            stop_token_ids=self.stop_ids,
            detokenize=bool(how.stop),
        )


async def _shut(llm: Any) -> None:
    llm.shutdown()  # in the engine's own loop, where its tasks are


def _where(engine: EngineSpec) -> str:
    folder = Path(engine.model).expanduser()
    return str(folder) if folder.is_dir() else engine.model


async def _load(engine: EngineSpec, arguments: Mapping[str, Any]) -> tuple[Any, int, list[int], int | None]:
    """Start the engine.

    Returns:
        The engine; its context window in tokens; the model's own end-of-turn tokens; its bound of a reply, if any.
    """
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    asked = AsyncEngineArgs(
        model=_where(engine),
        tensor_parallel_size=engine.tensor_parallel,
        max_model_len=engine.context,
        max_num_seqs=engine.concurrency,
        trust_remote_code=False,
        load_format="safetensors",
        enable_prefix_caching=True,
        **arguments,
    )
    llm = await asyncio.to_thread(AsyncLLM.from_engine_args, asked)
    generation = llm.model_config.try_get_generation_config()
    named = generation.get("eos_token_id")
    stops = [named] if isinstance(named, int) else list(named or ())
    return llm, int(llm.model_config.max_model_len), stops, generation.get("max_new_tokens")
