"""What all models of a run are told about their replies: how to decode them, and how tool calls are written in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from acgym.agents.decoding import Decoding
from acgym.assemble.remote import REMOTE
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.assemble.agent import AgentSpec

_LOCAL = ("reference", "hf")


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
    if any(spec.kind in _LOCAL for spec in specs):
        read.check_installed()
    return read


def _check_use(what: str, value: object, specs: Sequence[AgentSpec]) -> None:
    """Refuse what only models need where there is none."""
    kinds = (*_LOCAL, *REMOTE)
    if not any(spec.kind in kinds for spec in specs):
        raise ValueError(f"a {what} is for models ({', '.join(kinds)}); drop {value!r}")
