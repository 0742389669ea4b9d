"""Which engine answers with a model: one that reads without padding where it may, else the model's own forward pass."""

from __future__ import annotations

from typing import Any

from acgym.agents.engine.engine import Engine
from acgym.agents.engine.padded import Padded
from acgym.agents.engine.reply_state import Rules
from acgym.agents.engine.speculation import Drafts
from acgym.agents.engine.varlen import NotReadable, VarlenReader
from acgym.types import Json


def make_engine(
    model: Any, reader: VarlenReader | NotReadable, rules: Rules, max_batch: int, drafts: Drafts
) -> Engine | Padded:
    """Return the engine for what :func:`acgym.agents.engine.varlen.reader_of` says of a model."""
    if isinstance(reader, NotReadable):
        return Padded(model, rules, max_batch)
    return Engine(reader, rules, max_batch, drafts)


def engine_facts(reader: VarlenReader | NotReadable) -> dict[str, Json]:
    """Return what a record says of the choice: ``engine``, ``varlen`` or ``padded``, the latter with ``engine_why``."""
    if isinstance(reader, NotReadable):
        return {"engine": "padded", "engine_why": reader.why}
    return {"engine": "varlen"}
