"""The text space of observations and actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from acgym.text import MAX_ACTION_CHARS

# 256 characters for sampling: controls, ASCII, Latin-1, and a few from every longer UTF-8 width.
_BEYOND_LATIN = dict(zip(range(0xF0, 0x100), "Ωж中日한अع\u2028\u200b\ufeff€—😀𝔘🧪ÿ", strict=True))
_DRAWN_AT_ONCE = 8192
_LONGEST_SAMPLE = 62


class Utf8(Space[str]):
    """Any text that UTF-8 can carry, up to ``max_length`` characters, the empty string included.

    Gymnasium's own ``Text`` admits letters and digits only by default. Surrogates are outside the space. Samples are
    1 to 62 characters, controls and non-Latin letters included; the same seed gives the same samples in any process.
    """

    def __init__(self, max_length: int = MAX_ACTION_CHARS, seed: int | np.random.Generator | None = None) -> None:
        if max_length < 1:
            raise ValueError(f"max_length must be at least 1 character, got {max_length}")
        self.max_length = max_length
        self._forget()
        super().__init__(dtype=str, seed=seed)

    def _forget(self) -> None:
        """Drop what was drawn ahead: a NumPy draw costs as much as making ten samples."""
        self._drawn, self._text, self._next = b"", "", 0

    def seed(self, seed: int | None = None) -> int | Any:
        """Seed the samples; return the seed that was used."""
        self._forget()
        return super().seed(seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no fixed-size array form."""
        return False

    def sample(self, mask: None = None, probability: None = None) -> str:
        """Draw a random text; ``mask`` and ``probability`` are not supported."""
        if mask is not None or probability is not None:
            raise ValueError("Utf8 cannot sample with a mask or a probability; call sample() without arguments")
        if self._next + _LONGEST_SAMPLE >= len(self._drawn):
            self._drawn = self.np_random.bytes(_DRAWN_AT_ONCE)
            self._text = self._drawn.decode("latin-1").translate(_BEYOND_LATIN)
            self._next = 0
        start = self._next + 1
        self._next = start + min(1 + self._drawn[self._next] % _LONGEST_SAMPLE, self.max_length)
        return self._text[start : self._next]

    def contains(self, x: Any) -> bool:
        """Say whether ``x`` is text of the allowed length without surrogates."""
        if not isinstance(x, str) or len(x) > self.max_length:
            return False
        if x.isascii():
            return True
        try:
            x.encode("utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def __repr__(self) -> str:
        """Show the space as it is made."""
        return f"Utf8(max_length={self.max_length})"

    def __eq__(self, other: object) -> bool:
        """Two text spaces are equal when they admit the same lengths."""
        return isinstance(other, Utf8) and other.max_length == self.max_length

    __hash__ = None  # type: ignore[assignment]  # spaces are mutable (their seed) and compare by content

    def to_jsonable(self, sample_n: Iterable[str]) -> list[str]:
        """Return the samples as a JSON list of strings."""
        return list(sample_n)

    def from_jsonable(self, sample_n: Iterable[Any]) -> list[str]:
        """Read samples written by ``to_jsonable``."""
        return [str(sample) for sample in sample_n]
