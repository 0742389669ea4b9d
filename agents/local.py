"""Agents whose model runs here: any causal language model that transformers loads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from acgym.agents.base import Agent, AgentFailure
from acgym.agents.prompt import PromptBuilder
from acgym.agents.source import inspect_source
from acgym.tool_calls import PARSER, parse_reply
from acgym.types import Json, Message, Reply, ToolSpec

if TYPE_CHECKING:
    from acgym.agents.batching import Batcher

__all__ = ["REFERENCE", "Loaded", "LocalAgent", "inspect_source", "load"]

REFERENCE = Path(__file__).parent / "reference"
"""Folder of the trained agent that ships with the package."""

MAX_NEW_TOKENS = 512
"""Upper bound of one reply of a model whose generation config names none."""

_SMALL = 200e6  # parameters; below this single precision costs little memory and keeps greedy choices reproducible


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with its tokenizer, ready to play or to be compressed in place."""

    model: Any
    tokenizer: Any


def load(source: str) -> Loaded:
    """Load a model and its tokenizer from a folder or a hub id: safetensors only, never code of the model's own.

    A model under 200M parameters is held in float32, whatever its stored type. A larger one keeps its stored type,
    except that float16 becomes bfloat16 where there is no GPU (CPUs compute float16 slowly). A GPU is used if there is
    one.

    Raises:
        ValueError: if the model must not or cannot be loaded; as :func:`inspect_source`, and when a hub id is neither
            in the local cache nor to be had from the hub.
        FileNotFoundError: if ``source`` looks like a path and nothing is there.
    """
    inspect_source(source)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = Path(source).expanduser()
    where = str(folder) if folder.is_dir() else source
    try:
        with _quiet(folder.is_dir()):
            tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False)
            model: Any = AutoModelForCausalLM.from_pretrained(
                where, trust_remote_code=False, use_safetensors=True, dtype="auto"
            )
    except OSError as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"cannot load the model {source!r}: {reason} Expected a folder that holds a model, or the id of one on the "
            "hub; check the spelling, the connection and (for a gated model) that you are logged in to the hub."
        ) from error
    if sum(p.numel() for p in model.parameters()) < _SMALL:
        model = model.to(torch.float32)
    elif not torch.cuda.is_available() and model.dtype == torch.float16:
        model = model.to(torch.bfloat16)
    if torch.cuda.is_available():
        model = model.to("cuda")
    return Loaded(model.eval(), tokenizer)


@contextmanager
def _quiet(silent: bool) -> Iterator[None]:
    """Keep transformers' progress bars off the terminal; downloads from the hub keep theirs (``silent`` is False)."""
    from transformers.utils import logging

    if not silent or not logging.is_progress_bar_enabled():
        yield
        return
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]


class LocalAgent(Agent):
    """Plays with a model in this process; concurrent requests are answered in batches, greedily.

    Args:
        loaded: the model and its tokenizer.
        name: the agent's name in records.
        max_new_tokens: upper bound of one reply; a longer one is cut and marked ``finish_reason="length"``. None for
            what the model's generation config names, else MAX_NEW_TOKENS.
        max_batch: most conversations decoded at once.

    Raises:
        ValueError: if the tokenizer has no usable chat template, or a bound is below 1.
    """

    def __init__(self, loaded: Loaded, name: str, max_new_tokens: int | None = None, max_batch: int = 128) -> None:
        if max_new_tokens is None:
            max_new_tokens = getattr(loaded.model.generation_config, "max_new_tokens", None) or MAX_NEW_TOKENS
        if max_new_tokens < 1 or max_batch < 1:
            raise ValueError(f"max_new_tokens and max_batch must be at least 1, got {max_new_tokens} and {max_batch}")
        self.name = name
        self.model = loaded.model
        self.tokenizer = loaded.tokenizer
        self.max_new_tokens = max_new_tokens
        self.max_batch = max_batch
        self.prompts = PromptBuilder(loaded.tokenizer, name)
        self.window = int(getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None) or 2**31)
        self.stop_ids = _stop_ids(loaded, self.prompts.turn_end)

    @cached_property
    def _batcher(self) -> Batcher:
        from acgym.agents.batching import Batcher

        return Batcher(self.model, self.stop_ids, self.max_batch)

    @property
    def facts(self) -> dict[str, Json]:
        """What a record should say about the agent."""
        return {
            "architecture": type(self.model).__name__,
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "tool_call_parser": PARSER,
            "decoding": "greedy",
            "max_new_tokens": self.max_new_tokens,
            **self.prompts.facts,
        }

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Answer with the model's greedy continuation of the conversation.

        Raises:
            AgentFailure: if the prompt leaves no room in the model's context window, or memory runs out even for this
                conversation alone. Any other error of the model is a bug: it is raised as it is and stops the run,
                because episodes that "failed" by a bug would quietly shrink the sample.
        """
        started = time.perf_counter()
        ids = self.prompts.ids(messages, tools)
        if len(ids) >= self.window:
            raise AgentFailure(f"the prompt has {len(ids)} tokens, and the model's context window is {self.window}")
        room = min(self.max_new_tokens, self.window - len(ids))
        token_ids = await self._batcher.answer(ids, room, _last_seen(messages, ids))
        spoken = token_ids[:-1] if token_ids[-1] in self.stop_ids else token_ids
        text = self.tokenizer.decode(spoken, skip_special_tokens=True)
        action, calls = parse_reply(text)
        finish: Literal["stop", "length"] = "stop" if len(spoken) < len(token_ids) else "length"
        return Reply(text, action, calls, tuple(ids), tuple(token_ids), finish, time.perf_counter() - started)


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
