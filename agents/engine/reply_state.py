"""One reply while it is written: which token comes next, and whether it was the last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from acgym.agents.decoding import Decoding
from acgym.agents.engine.grammar import Document, Grammar
from acgym.agents.engine.sampling import prompt_key, sample, uniform

OPEN, CLOSE = "<think>", "</think>"
_TAG = 16
"""Tokens in which a tag is looked for; it has fewer letters."""


class Said(NamedTuple):
    """A finished reply."""

    token_ids: list[int]
    """What was generated, the stop token included where one was said."""
    logprobs: list[float | None] | None
    """Natural log of each token's probability as the model gave it, at temperature 1 and whatever else was allowed;
    None for a token that was written for the model. None as a whole if they were not asked for."""
    stopped: bool
    """Whether it ended by itself: by a stop token, a stop text, or with the document of a schema; else it was cut."""


class Rules:
    """How one agent's replies are written.

    Args:
        decoding: what was asked for.
        stop_ids: tokens that end a reply.
        tokenizer: a transformers tokenizer; needed for stop texts, a thinking budget and a schema.
        vocabulary: number of logits; needed for a schema.

    Raises:
        ImportError, ValueError: as :class:`acgym.agents.engine.grammar.Grammar`.
    """

    def __init__(
        self, decoding: Decoding, stop_ids: Collection[int], tokenizer: Any = None, vocabulary: int = 0
    ) -> None:
        self.decoding = decoding
        self.stop_ids = frozenset(stop_ids)
        self._tokenizer = tokenizer
        self.closing: list[int] = []
        """The tokens that end thinking."""
        if decoding.thinking_tokens is not None:
            self.closing = tokenizer.encode(CLOSE, add_special_tokens=False)
        self.grammar: Grammar | None = None
        if decoding.json_schema is not None:
            self.grammar = Grammar(decoding.json_schema, tokenizer, vocabulary, sorted(self.stop_ids))
        # The letters of a stop text have at most four bytes each, and a token at least one.
        self.tail = 4 * max(map(len, decoding.stop), default=0)

    def room(self, max_new_tokens: int) -> int:
        """Return the most tokens of a whole reply, of which ``max_new_tokens`` are not of the thinking."""
        return max_new_tokens + (self.decoding.thinking_tokens or 0) + len(self.closing)

    def text(self, ids: Sequence[int]) -> str:
        """Return the words of some tokens, tags included."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    def choose(self, logits: Tensor, turns: Sequence[tuple[Writing, Sequence[int]]]) -> tuple[list[int], list[float]]:
        """Choose a token after the end of each reply and after each token of its draft.

        Args:
            logits: (sum of drafted + 1 over the turns, vocabulary).
            turns: replies with their drafts.

        Returns:
            The tokens and, if they are wanted, their log-probabilities, one for each row.
        """
        if not turns:
            return [], []
        scores = logits
        if self.grammar is not None:
            scores = logits.masked_fill(
                ~torch.cat([w.masks(drafted) for w, drafted in turns]).to(logits.device), -torch.inf
            )
        if self.decoding.greedy:
            chosen = cast(list[int], scores.argmax(-1).tolist())
        else:
            how = self.decoding
            draws = [
                uniform(how.seed, writing.key, len(writing.said) + i)
                for writing, drafted in turns
                for i in range(len(drafted) + 1)
            ]
            chosen = sample(scores, draws, how.temperature, how.top_p, how.top_k)
        if not self.decoding.logprobs:
            return chosen, []
        likely = torch.log_softmax(logits.float(), -1).gather(-1, torch.tensor(chosen, device=logits.device)[:, None])
        return chosen, cast(list[float], likely[:, 0].tolist())


@dataclass(slots=True, eq=False)
class Writing:
    """A reply under way.

    Args:
        rules: of its agent.
        prompt: token ids of the prompt.
        room: most tokens of the whole reply.
    """

    rules: Rules
    prompt: list[int]
    room: int
    said: list[int] = field(default_factory=list)
    stopped: bool = False
    logprobs: list[float | None] = field(default_factory=list)
    key: int = field(init=False, default=0)
    """Stands for the prompt in draws; 0 where nothing is drawn."""
    _thinking: bool | None = field(init=False, default=False)
    """None until the first words tell."""
    _answer_from: int = field(init=False, default=0)
    """How many tokens the thinking took."""
    _document: Document | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Find out what the prompt begins."""
        how = self.rules.decoding
        self.key = 0 if how.greedy else prompt_key(self.prompt)
        if how.thinking_tokens is not None:
            opened = self.rules.text(self.prompt[-_TAG:]).rstrip().endswith(OPEN)
            self._thinking = True if opened else None
            self._think()
        if self.rules.grammar is not None:
            self._document = self.rules.grammar.begin()

    @property
    def over(self) -> bool:
        """Whether the reply is finished."""
        if self.stopped or len(self.said) >= self.room:
            return True
        most = self.rules.decoding.max_new_tokens
        return most is not None and not self._thinking and len(self.said) - self._answer_from >= most

    @property
    def outcome(self) -> Said:
        """The finished reply."""
        return Said(self.said, self.logprobs if self.rules.decoding.logprobs else None, self.stopped)

    def allowed(self, drafted: list[int]) -> list[int]:
        """Return as much of a draft as the schema allows."""
        document = self._under_way
        return drafted if document is None or not drafted else drafted[: document.allowed(drafted)]

    def masks(self, drafted: Sequence[int]) -> Tensor:
        """Return which tokens may follow now and after each drafted token, (drafted + 1, vocabulary) bool."""
        if self._thinking and self._document is not None:
            return torch.ones(len(drafted) + 1, self._document.vocabulary, dtype=torch.bool)
        return cast(Document, self._document).masks(drafted)

    def add(self, chosen: Sequence[int], logprobs: Sequence[float]) -> None:
        """Write tokens that the model chose, up to the one that ends the reply or its thinking budget.

        What is written for the model then follows in :attr:`said`.
        """
        for i, token in enumerate(chosen):
            self.said.append(token)
            if logprobs:
                self.logprobs.append(logprobs[i])
            self.stopped = token in self.rules.stop_ids or self._completes(token)
            before = len(self.said)
            self._think()
            if self.over or len(self.said) > before:
                return

    @property
    def _under_way(self) -> Document | None:
        """The document, if it is what is being written."""
        return None if self._thinking else self._document

    def _completes(self, token: int) -> bool:
        """Say whether a token completes a stop text, or the document."""
        document = self._under_way
        if document is not None and document.add(token):
            return True
        rules = self.rules
        if not rules.decoding.stop:
            return False
        tail = rules.text(self.said[-rules.tail :])
        return any(stop in tail for stop in rules.decoding.stop)

    def _think(self) -> None:
        """Follow the thinking, and end it when its budget is used up."""
        budget = self.rules.decoding.thinking_tokens
        if budget is None or self._thinking is False:
            return
        if self._thinking is None and self.said:
            text = self.rules.text(self.said).lstrip()
            if not OPEN.startswith(text[: len(OPEN)]):
                self._thinking = False
            elif text.startswith(OPEN):
                self._thinking = True
        if not self._thinking:
            return
        if CLOSE in self.rules.text(self.said[-_TAG:]):
            self._thinking, self._answer_from = False, len(self.said)
        elif len(self.said) >= budget and not self.stopped:
            written = self.rules.closing[: self.room - len(self.said)]
            self.said += written
            if self.rules.decoding.logprobs:
                self.logprobs += [None] * len(written)
            self._thinking, self._answer_from = False, len(self.said)
