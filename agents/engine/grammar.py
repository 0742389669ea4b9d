"""Keeps replies to a JSON schema: which tokens may come next. llguidance does the work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from acgym.types import Json


class Grammar:
    """A JSON schema in the tokens of one model.

    Args:
        schema: the JSON Schema.
        tokenizer: a transformers tokenizer.
        vocabulary: number of logits.
        stop_ids: tokens that may end a reply when the document is complete.

    Raises:
        ImportError: if llguidance is not installed; see :meth:`acgym.agents.decoding.Decoding.check_installed`.
        ValueError: if the schema cannot be kept.
    """

    def __init__(self, schema: Mapping[str, Json], tokenizer: Any, vocabulary: int, stop_ids: Sequence[int]) -> None:
        import llguidance
        import llguidance.hf

        self._rules = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        self._tokens = llguidance.hf.from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=list(stop_ids) or None)
        self._matcher = llguidance.LLMatcher
        fault = llguidance.LLMatcher.validate_grammar(self._rules, self._tokens)
        if fault:
            raise ValueError(f"this JSON schema cannot be kept: {fault}")

    def begin(self) -> Document:
        """Return an empty document."""
        return Document(self._matcher(self._tokens, self._rules), self._tokens.vocab_size)


class Document:
    """A document that is being written."""

    def __init__(self, matcher: Any, vocabulary: int) -> None:
        self._matcher = matcher
        self.vocabulary = vocabulary

    def allowed(self, drafted: Sequence[int]) -> int:
        """Return how many of the drafted tokens the document may go on with."""
        return int(self._matcher.validate_tokens(list(drafted)))

    def masks(self, drafted: Sequence[int]) -> Tensor:
        """Return what may follow now and after each drafted token, (drafted + 1, vocabulary) bool.

        All of ``drafted`` must be :meth:`allowed`.
        """
        rows = []
        taken = 0
        for token in [*drafted, None]:
            bits = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
            rows.append((bits[:, None] >> torch.arange(8, dtype=torch.uint8) & 1).flatten()[: self.vocabulary].bool())
            if token is None or not self._matcher.consume_token(token):
                break
            taken += 1
        if taken:
            self._matcher.rollback(taken)
        return torch.stack(rows)

    def add(self, token: int) -> bool:
        """Write a token; say whether nothing may follow it."""
        self._matcher.consume_token(token)
        return bool(self._matcher.is_stopped())
