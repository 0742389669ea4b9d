"""How an agent's words are chosen from what its model finds likely, and where a reply ends."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from importlib.util import find_spec

from acgym.types import Json


@dataclass(frozen=True, slots=True)
class Decoding:
    """How replies are decoded. The default is greedy: the likeliest token, each time.

    Draws depend on the seed, the prompt's tokens and the position in the reply alone, so a reply is the same in any
    company, order and batch (up to the rounding of the model's arithmetic). The same prompt with the same seed is
    answered the same; for another sample take another seed.

    Raises:
        ValueError: for a value outside its range.
    """

    temperature: float = 0.0
    """Divides the logits before the softmax; 0 is greedy, and then ``top_p``, ``top_k`` and ``seed`` change nothing."""
    top_p: float = 1.0
    """Keep the fewest likeliest tokens whose probabilities reach this sum (Holtzman et al. 1904.09751), in (0, 1];
    after ``top_k``."""
    top_k: int = 0
    """Keep so many of the likeliest tokens; 0 for all."""
    seed: int = 0
    """Of the draws, 0 or larger."""
    stop: tuple[str, ...] = ()
    """Texts that end a reply. Neither they nor what follows is part of its text; its token ids end with the token
    that completed one."""
    max_new_tokens: int | None = None
    """Most tokens of a reply; with ``thinking_tokens``, of what follows the thinking. None for what the model names."""
    thinking_tokens: int | None = None
    """Most tokens between ``<think>`` and ``</think>``; then the closing tag is written for the model. None to count
    thinking like everything else."""
    logprobs: bool = False
    """Whether replies carry the log-probabilities of their tokens."""
    json_schema: Mapping[str, Json] | None = None
    """JSON Schema that replies must keep (what follows the thinking, where the prompt opens it). Needs the extra
    ``constrained``. A reply that is cut off may be an incomplete document."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""

        def check(name: str, fine: bool, want: str) -> None:
            if not fine:
                raise ValueError(f"decoding: {name} must be {want}, got {getattr(self, name)!r}")

        object.__setattr__(self, "stop", (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ()))
        check("temperature", _number(self.temperature) and self.temperature >= 0, "a number from 0 on (0 is greedy)")
        check("top_p", _number(self.top_p) and 0 < self.top_p <= 1, "a number above 0 and at most 1")
        check("top_k", _whole(self.top_k, 0), "a whole number from 0 on (0 keeps all tokens)")
        check("seed", _whole(self.seed, 0) and self.seed < 2**64, "a whole number from 0 on, below 2^64")
        check("stop", all(isinstance(s, str) and s for s in self.stop), "a list of texts that are not empty")
        check("max_new_tokens", self.max_new_tokens is None or _whole(self.max_new_tokens, 1), "at least 1")
        check("thinking_tokens", self.thinking_tokens is None or _whole(self.thinking_tokens, 0), "at least 0")
        check("logprobs", isinstance(self.logprobs, bool), "true or false")
        check("json_schema", self.json_schema is None or isinstance(self.json_schema, Mapping), "a JSON object")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0

    @property
    def again(self) -> Decoding:
        """How to decode where chance is to fall otherwise: with the next seed; the same if nothing is left to it."""
        return self if self.greedy else replace(self, seed=(self.seed + 1) % 2**64)

    def check_installed(self) -> None:
        """See whether a model in this process can be decoded like this.

        Raises:
            ImportError: if not; it names the command that installs what is missing.
        """
        if self.json_schema is not None and find_spec("llguidance") is None:
            raise ImportError(
                "decoding to a JSON schema needs the package llguidance; install it with: "
                "pip install 'acgym[constrained]'"
            )

    def to_dict(self) -> dict[str, Json]:
        """Return what differs from the default, as JSON; empty for plain greedy decoding."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return json.loads(json.dumps(given))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, row: Mapping[str, Json]) -> Decoding:
        """Read what :meth:`to_dict` writes, or a user.

        Raises:
            ValueError: for an unknown name, with the nearest known one, or a value outside its range.
        """
        known = [f.name for f in fields(cls)]
        for name in row:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise ValueError(f"decoding has no option {name!r}; {hint}Known: {', '.join(known)}")
        return cls(**row)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
