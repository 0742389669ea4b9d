"""Calibration specs: one line of text that says what compression is calibrated on. Reads no file, loads no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Literal, TypeAlias, cast

Kind: TypeAlias = Literal["trajectories", "text", "chats"]
KINDS: tuple[Kind, ...] = ("trajectories", "text", "chats")

DEFAULT_SHAPE = (128, 512)
"""Samples and tokens of each: the ACBench paper's stated protocol."""

HOW = "trajectories, text:FILE, chats:FILE.jsonl, or a mixture such as trajectories*0.7+text:FILE*0.3,128x512"


@dataclass(frozen=True, slots=True)
class Source:
    """One place that calibration tokens come from."""

    kind: Kind
    """``trajectories``: the model's own episodes of the training split; ``text``: a plain text file (UTF-8);
    ``chats``: a file with a conversation in each line, put through the model's chat template."""
    path: str | None = None
    weight: str = "1"
    """Decimal number over 0; its share of all weights is the share of the tokens that come from here."""

    @property
    def name(self) -> str:
        """The source as it is written, without its weight."""
        return self.kind if self.path is None else f"{self.kind}:{self.path}"


@dataclass(frozen=True, slots=True)
class Preset:
    """A setting that ACBench used: recipe, and shape of the calibration. The data are the user's; none are shipped."""

    recipe: str | None
    """None for one that goes with any recipe."""
    samples: int | None
    """None for a recipe that reads no calibration; then ``length`` and ``seed`` are None too."""
    length: int | None
    seed: int | None
    data: str
    """What ACBench took the tokens from."""


_PILE, _C4 = "Pile validation (pileval)", "C4"
PRESETS: Mapping[str, Preset] = {
    "acbench": Preset(None, 128, 512, 0, f"{_PILE}: the paper's stated protocol"),
    "acbench-gptq": Preset("gptq-w4-g128-sym-actorder-static", 128, 2048, 0, _PILE),
    "acbench-awq": Preset("awq-w4-g128-sym", 128, 512, 42, _PILE),
    "acbench-autoawq": Preset("awq-w4-g128", 128, 512, 42, f"{_PILE}, the default of AutoAWQ"),
    "acbench-rtn": Preset("rtn-w4-g128-sym", None, None, None, "none"),
    "acbench-smoothquant": Preset("smoothquant-w8a8-alpha0.8", 1024, 2048, 0, "Open-Platypus"),
    "acbench-fp8": Preset("fp8-tensor", None, None, None, "none"),
    "acbench-magnitude": Preset("magnitude-50", None, None, None, "none"),
    "acbench-magnitude-2:4": Preset("magnitude-2:4", None, None, None, "none"),
    "acbench-wanda": Preset("wanda-50", 128, 4096, 0, _C4),
    "acbench-wanda-2:4": Preset("wanda-2:4", 128, 4096, 0, _C4),
    "acbench-sparsegpt": Preset("sparsegpt-50", 128, 4096, 0, _C4),
    "acbench-sparsegpt-2:4": Preset("sparsegpt-2:4", 128, 4096, 0, _C4),
}
"""ACBench's settings by name; ``acbench`` alone is the paper's stated protocol, the others are those of its code. Where
neither states a seed it is 0."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What compression is calibrated on. A part that is None or empty is not said, and another spec may say it."""

    sources: tuple[Source, ...] = ()
    samples: int | None = None
    length: int | None = None
    """Most tokens of a sequence. ``samples * length`` tokens are asked for."""
    seed: int | None = None
    """Chooses the windows of a text, the conversations of a file and the episodes of the training split."""

    def __str__(self) -> str:
        """Write the spec canonically; ``parse_calibration`` reads it back."""
        several = len(self.sources) > 1
        sources = "+".join(s.name + (f"*{s.weight}" if several else "") for s in self.sources)
        shape = None if self.samples is None else f"{self.samples}x{self.length}"
        seed = None if self.seed is None else f"seed{self.seed}"
        return ",".join(filter(None, (sources, shape, seed)))

    def over(self, below: Calibration) -> Calibration:
        """Fill in what is not said here from ``below``."""
        return Calibration(
            self.sources or below.sources,
            below.samples if self.samples is None else self.samples,
            below.length if self.length is None else self.length,
            below.seed if self.seed is None else self.seed,
        )

    @property
    def exact(self) -> bool:
        """Whether so many tokens must be there: a shape is said, or the shares of a mixture hang on it."""
        return self.samples is not None or len(self.sources) > 1

    @property
    def shape(self) -> tuple[int, int]:
        """Samples and length, the default's where none is said."""
        return DEFAULT_SHAPE if self.samples is None or self.length is None else (self.samples, self.length)

    def shares(self) -> list[int]:
        """Number of samples of each source: weights times samples, the largest remainders rounded up.

        Raises:
            ValueError: if a source gets none.
        """
        weights = [Fraction(source.weight) for source in self.sources]
        exact = [self.shape[0] * weight / sum(weights) for weight in weights]
        counts = [int(share) for share in exact]
        by_remainder = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
        for index in by_remainder[: self.shape[0] - sum(counts)]:
            counts[index] += 1
        if 0 in counts:
            name = self.sources[counts.index(0)].name
            raise ValueError(f"{name} gets none of {self.shape[0]} calibration samples; ask for more, or leave it out")
        return counts

    def asked(self) -> list[int]:
        """Number of tokens that each source shall give."""
        return [samples * self.shape[1] for samples in self.shares()]


DEFAULT = Calibration((Source("trajectories"),))
"""Calibration on the model's own trajectories."""


def parse_calibration(text: str) -> Calibration:
    """Read a calibration spec.

    ``SOURCES[,SAMPLESxLENGTH][,seedN]``, where ``SOURCES`` are joined by ``+``, each with a weight after ``*`` if there
    are several; a preset's name may stand for the shape and the seed. Each part may be missing, but not all.

    =========================================  ========================================================================
    ``trajectories``                           the model's own episodes of the training split, whole
    ``pile.txt``, ``text:pile.txt``            up to 128 windows of 512 tokens of a text
    ``text:pile.txt,128x2048,seed1``           128 windows of 2048 tokens, chosen by the seed (default 0); no fewer
    ``chats:mine.jsonl``                       conversations, ``{"messages": [...], "tools": [...]}`` in each line
    ``trajectories*0.7+text:pile.txt*0.3``     a mixture: 70 % of the tokens from the one, 30 % from the other
    ``text:pile.txt,acbench-gptq``             128 windows of 2048 tokens, seed 0
    =========================================  ========================================================================

    Raises:
        ValueError: what was expected, what came, and the nearest that would do. Files are not looked for.
    """
    text = text.strip()
    if not text:
        raise ValueError(f"a calibration is empty; write {HOW}")
    head, shape = _split_shape(text)
    # A path may hold a "+": it is cut only before a kind of source.
    parts = re.split(rf"\+(?=(?:{'|'.join(KINDS)})(?:[:*+]|$))", head) if head else []
    sources = tuple(_source(part, text) for part in parts)
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the calibration {text!r} names {name} twice; give it one weight")
    if len(sources) == 1:
        sources = (replace(sources[0], weight="1"),)
    found = replace(shape, sources=sources)
    if found.samples is not None and sources:
        found.shares()
    return found


def _split_shape(text: str) -> tuple[str, Calibration]:
    """Cut the shape and the seed, or a preset's name, from the end of a spec."""
    *words, last = text.split(",")
    if last in PRESETS:
        preset = PRESETS[last]
        if preset.samples is None:
            raise ValueError(f"{last} reads no calibration; leave it out of {text!r}")
        return ",".join(words), Calibration((), preset.samples, preset.length, preset.seed)
    match = re.fullmatch(r"(.*?)(?:(?:^|,)(\d{1,9})x(\d{1,9}))?(?:(?:^|,)seed(\d{1,9}))?", text, re.ASCII | re.DOTALL)
    head, samples, length, seed = cast("re.Match[str]", match).groups()
    if samples is not None and 0 in (int(samples), int(length)):
        raise ValueError(f"a calibration has at least 1 sample of 1 token, got {samples}x{length}; write 128x512")
    numbers = [None if number is None else int(number) for number in (samples, length, seed)]
    return head, Calibration((), *numbers)


def _source(text: str, whole: str) -> Source:
    """Read one source with its weight."""
    match = re.fullmatch(r"(.*)\*(\d+(?:\.\d+)?|\.\d+)", text, re.ASCII | re.DOTALL)
    name, weight = match.groups() if match else (text, "1")
    if not Fraction(weight):
        raise ValueError(f"the weight of {name} in {whole!r} must be over 0, got {weight}")
    kind, colon, path = name.partition(":")
    if kind == "trajectories" and not colon:
        return Source("trajectories", None, weight)
    if kind in ("text", "chats") and path:
        return Source(cast(Kind, kind), path, weight)
    if kind in KINDS:
        raise ValueError(f"cannot read {name!r} in the calibration {whole!r}; write {HOW}")
    if re.fullmatch(r".*\.jsonl?", name, re.IGNORECASE):
        raise ValueError(f"write chats:{name} for a file of conversations, text:{name} to take it as plain text")
    near = get_close_matches(kind, [*KINDS, *PRESETS], n=1, cutoff=0.7)
    if near and (colon or not re.search(r"[./\\]", name)):
        raise ValueError(f"unknown calibration {name!r} in {whole!r}; did you mean {near[0]!r}? Write {HOW}")
    return Source("text", name, weight)
