"""Agents whose model runs here: any causal language model that transformers loads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from acgym.agents.adapter import merge
from acgym.agents.base import Agent, AgentFailure, outgrown, too_long
from acgym.agents.decoding import Decoding
from acgym.agents.dense_model import downloaded, hold, in_a_sentence, load_dense, refuse_odd_numbers
from acgym.agents.engine.speculation import Drafts
from acgym.agents.prompt import PromptBuilder
from acgym.machine import give_back
from acgym.model_files.adapter import inspect_adapter
from acgym.model_files.gguf import gguf_file
from acgym.model_files.inspect import inspect_source
from acgym.model_files.quantisation import check_readable, quantisation
from acgym.model_files.settings import read_settings
from acgym.types import Json, Message, Reply, ToolSpec

if TYPE_CHECKING:
    import torch

    from acgym.agents.engine.engine import Engine
    from acgym.agents.engine.padded import Padded
    from acgym.agents.engine.reply_state import Rules
    from acgym.agents.engine.varlen import NotReadable, VarlenReader

__all__ = ["REFERENCE", "SMOLLM2", "Loaded", "LocalAgent", "held_dtype", "inspect_source", "load"]

REFERENCE = Path(__file__).parent / "reference"
"""Folder of the trained agent that ships with the package."""

SMOLLM2 = Path(__file__).parent / "smollm2"
"""Folder of the adapter that ships with the package: it makes an agent of SmolLM2-135M-Instruct."""

MAX_NEW_TOKENS = 512
"""Upper bound of one reply of a model whose generation config names none."""

_SMALL = 200e6  # parameters; below this single precision costs little memory and keeps greedy choices reproducible


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with its tokenizer, ready to play or to be compressed in place."""

    model: Any
    tokenizer: Any
    checkpoint: Mapping[str, Json] = field(default_factory=dict)
    """What the checkpoint stores, if it is quantised: see :func:`acgym.compress.formats.read.read_checkpoint`. With an
    adapter, its facts as ``adapter`` and those of its base as ``base``."""


Reader: TypeAlias = "Callable[[Path, Callable[[int, torch.dtype], torch.dtype]], tuple[Any, dict[str, Json]]]"
"""Makes a model of a folder with quantised weights, in the dtype that a function of the number of parameters and the
stored dtype names, and says what is stored."""


def load(source: str, read: Reader | None = None, adapter: str | Path | None = None) -> Loaded:
    """Load a model and its tokenizer from a folder, a hub id or a GGUF file: never code of the model's own.

    A model under 200M parameters is held in float32, whatever its stored type. A larger one keeps its stored type,
    except that float16 becomes bfloat16 where there is no GPU (CPUs compute float16 slowly). A GPU is used if there is
    one.

    Args:
        source: the folder, id or file; a folder that holds a GGUF file and no other weights means that file.
        read: reads checkpoints whose weights are quantised; None refuses them.
        adapter: folder of a low-rank adapter that is added to the weights; None for none.

    Raises:
        ValueError: if the model must not or cannot be loaded; as :func:`inspect_source`, and when a hub id is neither
            in the local cache nor to be had from the hub.
            As :func:`acgym.model_files.adapter.inspect_adapter` and :func:`acgym.agents.adapter.merge` for an adapter.
        FileNotFoundError: if ``source`` looks like a path and nothing is there, or the adapter is not there.
        ImportError: if its quantised weights need a package that is not installed; before anything is loaded.
    """
    inspect_source(source)
    merged = None if adapter is None else inspect_adapter(adapter)
    import torch
    from transformers import AutoTokenizer

    file = gguf_file(source)
    folder = file or Path(source).expanduser()
    if not folder.exists():
        folder = _from_the_hub(source)
    found = None if file else quantisation(read_settings(folder / "config.json"), folder)
    checkpoint: dict[str, Json] = {}
    model: Any
    if file is not None or found is not None:
        if found is not None:
            check_readable(found)
        if read is None:
            raise ValueError(
                f"the weights of {source} are quantised; make the agent with acgym.agent, which reads them"
            )
        with in_a_sentence(folder, own=True):
            model, checkpoint = read(folder, held_dtype)
    else:
        model = load_dense(folder)
        hold(model, held_dtype(sum(p.numel() for p in model.parameters()), model.dtype))
    with in_a_sentence(folder):
        where, named = (folder, {}) if file is None else (file.parent, {"gguf_file": file.name})
        tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False, **named)
    if merged is not None:
        merge(model, merged)
        base = {"base": checkpoint} if checkpoint else {}
        checkpoint = {**base, "adapter": merged.facts()}  # what the base stores says nothing of the sum
    if torch.cuda.is_available() and (found is None or found.read_here):
        model = model.to("cuda")
    refuse_odd_numbers(folder, model.eval(), tokenizer)
    return Loaded(model, tokenizer, checkpoint)


def held_dtype(parameters: int, stored: torch.dtype) -> torch.dtype:
    """Return the dtype that a model of so many parameters is held in: see :func:`load`."""
    import torch

    if parameters < _SMALL:
        return torch.float32
    return torch.bfloat16 if stored == torch.float16 and not torch.cuda.is_available() else stored


def _from_the_hub(source: str) -> Path:
    """Return the folder of a hub id, looked over as any other."""
    try:
        folder = downloaded(source)
    except OSError as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"cannot load the model {source!r}: {reason} Expected a folder that holds a model, or the id of one on the "
            "hub; check the spelling, the connection and (for a gated model) that you are logged in to the hub."
        ) from error
    inspect_source(str(folder))
    return folder


class LocalAgent(Agent):
    """Plays with a model in this process; concurrent requests are answered in batches.

    Args:
        loaded: the model and its tokenizer.
        name: the agent's name in records.
        max_new_tokens: upper bound of one reply; a longer one is cut and marked ``finish_reason="length"``. None for
            what the model's generation config names, else MAX_NEW_TOKENS.
        max_batch: most conversations decoded at once.
        decoding: how replies are decoded; greedily if nothing is said. ``max_new_tokens`` may be said here too.
        tool_format: as :class:`acgym.agents.prompt.PromptBuilder` takes it.

    Raises:
        ValueError: if the tokenizer has no usable chat template, a bound is below 1, or a JSON schema cannot be kept.
        ImportError: if a JSON schema is asked for and the package that keeps it is not installed.
    """

    def __init__(
        self,
        loaded: Loaded,
        name: str,
        max_new_tokens: int | None = None,
        max_batch: int = 128,
        decoding: Decoding | None = None,
        tool_format: str | None = None,
    ) -> None:
        decoding = decoding or Decoding()
        if max_new_tokens is None:
            named = getattr(loaded.model.generation_config, "max_new_tokens", None)
            max_new_tokens = decoding.max_new_tokens or named or MAX_NEW_TOKENS
        if max_new_tokens < 1 or max_batch < 1:
            raise ValueError(f"max_new_tokens and max_batch must be at least 1, got {max_new_tokens} and {max_batch}")
        self.name = name
        self.model = loaded.model
        self.checkpoint = loaded.checkpoint
        self.tokenizer = loaded.tokenizer
        self.max_new_tokens = max_new_tokens
        self.max_batch = max_batch
        self.tool_format = tool_format
        self.prompts = PromptBuilder(loaded.tokenizer, name, tool_format)
        self.window = int(getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None) or 2**31)
        self.stop_ids = _stop_ids(loaded, self.prompts.turn_end) | self.prompts.call_ends
        self.vocabulary = int(loaded.model.config.get_text_config().vocab_size)
        if max(self.stop_ids, default=0) >= self.vocabulary:
            raise ValueError(f"{name}: {_unknown(max(self.stop_ids), self.vocabulary)}")
        self.decoding = replace(decoding, max_new_tokens=max_new_tokens)
        self.drafts = Drafts()
        if decoding.json_schema is not None:
            decoding.check_installed()
            _ = self._rules  # what cannot be kept is refused now

    @cached_property
    def _rules(self) -> Rules:
        from acgym.agents.engine.reply_state import Rules

        return Rules(self.decoding, self.stop_ids, self.tokenizer, self.vocabulary)

    @cached_property
    def _reader(self) -> VarlenReader | NotReadable:
        from acgym.agents.engine.varlen import reader_of

        return reader_of(self.model)

    @cached_property
    def _engine(self) -> Engine | Padded:
        from acgym.agents.engine.choice import make_engine

        return make_engine(self.model, self._reader, self._rules, self.max_batch, self.drafts)

    @cached_property
    def _engine_facts(self) -> dict[str, Json]:
        from acgym.agents.engine.choice import engine_facts

        return engine_facts(self._reader)

    def like(self, loaded: Loaded, name: str) -> LocalAgent:
        """Return an agent that plays another model with the same tokenizer in the way of this one."""
        return LocalAgent(loaded, name, self.max_new_tokens, self.max_batch, self.decoding, self.tool_format)

    def expect(self, sequences: Sequence[tuple[Sequence[int], Sequence[tuple[int, int]]]]) -> None:
        """Hear what another agent with the same tokens said, as :meth:`acgym.record.episode.Episode.sequences` gives
        it.

        It changes no reply: where this agent says the same to the same prompt, it is only faster.
        """
        for ids, spans in sequences:
            for start, end in spans:
                self.drafts.know(ids[:start], ids[start:end])

    def rest(self) -> None:
        """Let go of what is remembered of conversations: their keys and values."""
        self.__dict__.pop("_engine", None)
        self.__dict__.pop("_reader", None)  # its model may be another one when it plays next: compressed in place
        give_back()

    @property
    def facts(self) -> dict[str, Json]:
        """What a record should say about the agent."""
        return {
            "architecture": type(self.model).__name__,
            "dtype": str(self.model.dtype).removeprefix("torch."),
            **self._engine_facts,
            **self.prompts.tools.facts,
            "decoding": replace(self.decoding, max_new_tokens=None).to_dict() or "greedy",
            "max_new_tokens": self.max_new_tokens,
            **({"checkpoint": dict(self.checkpoint)} if self.checkpoint else {}),
            **self.prompts.facts,
        }

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Answer with the model's continuation of the conversation.

        Raises:
            AgentFailure: if the first prompt leaves no room in the model's context window (a later one is answered by
                :func:`acgym.agents.base.outgrown`), or memory runs out even for this conversation alone. Any other
                error of the model is a bug: it is raised as it is and stops the run, because episodes that "failed" by
                a bug would quietly shrink the sample.
        """
        started = time.perf_counter()
        ids = self.prompts.ids(messages, tools)
        if len(ids) >= self.window:
            return outgrown(messages, too_long(len(ids), self.window))
        if max(ids) >= self.vocabulary:  # a special token of a tokenizer that knows more than its model
            raise AgentFailure(_unknown(max(ids), self.vocabulary))
        room = min(self._rules.room(self.max_new_tokens), self.window - len(ids))
        token_ids, logprobs, stopped = await self._engine.answer(ids, room, _last_seen(messages, ids))
        spoken = token_ids[:-1] if token_ids[-1] in self.stop_ids else token_ids
        text = self.prompts.said(spoken)
        text = text[: min((at for at in map(text.find, self.decoding.stop) if at >= 0), default=len(text))]
        action, calls = self.prompts.tools.parse(text, tools)
        finish: Literal["stop", "length"] = "stop" if stopped else "length"
        likely = None if logprobs is None else tuple(logprobs)
        return Reply(text, action, calls, tuple(ids), tuple(token_ids), finish, time.perf_counter() - started, likely)


def _unknown(token: int, words: int) -> str:
    return f"the tokenizer makes token {token}, but the model knows {words} tokens; the two do not belong together"


def _last_seen(messages: Sequence[Message], ids: list[int]) -> tuple[int, ...]:
    """Return the tokens of the turn before, if the prompt begins with them."""
    for message in reversed(messages):
        if message.reply is not None:
            seen = (*(message.reply.prompt_ids or ()), *(message.reply.token_ids or ()))
            return seen if tuple(ids[: len(seen)]) == seen else ()
    return ()


def _stop_ids(loaded: Loaded, turn_end: int | None) -> frozenset[int]:
    """Collect the end-of-turn tokens that the model, its tokenizer and its chat template name."""
    named = getattr(loaded.model.generation_config, "eos_token_id", None)
    ids = {named} if isinstance(named, int) else set(named or ())
    return frozenset(ids | {loaded.tokenizer.eos_token_id, turn_end} - {None})
