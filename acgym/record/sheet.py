"""An agent's data sheet, ``agent.json``: what its model is, what its play took, what its inside showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from acgym.typed import Written, from_json
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.record.run import Run

SHEET = "agent.json"
VERSION = 1
"""Of the file's format; a file without one is of format 0, which says the same in the same words."""


@dataclass(frozen=True)
class Play(Written):
    """What playing took."""

    seconds: float
    """Wall-clock seconds, added up where workers shared the play."""
    episodes: int
    """Episodes that these seconds cover; those of a session that was killed are missing."""


@dataclass(frozen=True)
class Compression(Written):
    """What compression made of a model, see :class:`acgym.compress.walk.compress.CompressionRecord`."""

    omit_none: ClassVar[bool] = True
    sparsity: float | None = None
    """Share of zeros, in [0, 1]."""
    seconds: float | None = None
    simulated: bool | None = None
    """Whether dense arithmetic stands in for packed storage; None in old files, where it always did."""
    execution: str | None = None
    """How it runs, in words."""
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class SignalNumbers(Written):
    """Signals of one environment, or their mean over all: fields as of :class:`acgym.probe.signals.Signals`.

    None is "not measured". The keys of mappings are k, or a layer's number, as text.
    """

    n_tokens: float
    n_sequences: float
    erank: float | None
    diff_erank: float | None
    energy: float
    nll: float
    temperature: float = 1.0
    perplexity: float | None = None
    margin: float | None = None
    erank_layers: Mapping[str, float | None] | None = None
    energy_shift: float | None = None
    energy_abs_shift: float | None = None
    energy_w1: float | None = None
    energy_ks: float | None = None
    topk_jaccard: Mapping[str, float | None] | None = None
    topk_kendall: Mapping[str, float | None] | None = None
    topk_spearman: Mapping[str, float | None] | None = None
    kl: float | None = None
    js: float | None = None
    top1_flip: float | None = None

    def at(self, name: str, k: str) -> float | None:
        """Return an agreement of the ``k`` likeliest tokens, such as ``at("topk_jaccard", "10")``."""
        rows: Mapping[str, float | None] | None = getattr(self, name)
        return None if rows is None else rows.get(k)


@dataclass(frozen=True)
class SignalSheet(Written):
    """What a probe of the model found, see :meth:`acgym.probe.baseline.Baseline.measure`."""

    omit_none: ClassVar[bool] = True
    tokens_sha256: str | None = None
    """Of the tokens that were read: the first agent's."""
    reason: str | None = None
    """Why some or all of it was not measured."""
    episodes: int | None = None
    """Episodes of each environment that were read at most."""
    seconds: float | None = None
    by_env: Mapping[str, SignalNumbers] | None = None
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet(Written):
    """Everything that is known of one agent of a run. None is "not known" or "does not apply"."""

    omit_none: ClassVar[bool] = True
    version: int | None = None
    """Of the format, see :data:`VERSION`; None is 0."""
    facts: Mapping[str, Json] | None = None
    """What is known of the model, from its checkpoint or its server."""
    bits_per_weight: float | None = None
    """As packed storage would take, scales included."""
    weight_bytes: float | None = None
    """Bytes of the weights, likewise."""
    compression: Compression | None = None
    """None of an agent that was not compressed here."""
    rerun: Mapping[str, Json] | None = None
    """What the first agent did otherwise when it was played again; None of any other agent."""
    play: Play | None = None
    usage: Mapping[str, int] | None = None
    """Requests, retries and tokens of a remote agent."""
    signals: SignalSheet | None = None
    more: Mapping[str, Json] = field(default_factory=dict)
    """Other keys, ``calibration`` among them."""

    @classmethod
    def from_json(cls, value: Json, where: str = SHEET) -> Sheet:
        """Read a sheet.

        Raises:
            ValueError: naming the place in it that is not what it should be.
        """
        return from_json(cls, value, where)

    @classmethod
    def read(cls, run: Run, agent: str) -> Sheet:
        """Read an agent's sheet from its folder; an empty one if there is none yet."""
        return cls.from_json(run.read_json(SHEET, agent) or {}, f"{agent}: {SHEET}")

    def write(self, run: Run, agent: str) -> None:
        """Write the sheet to the agent's folder, in the format of today."""
        run.write_json(SHEET, replace(self, version=VERSION).to_json(), agent)

    def updated(self, facts: Mapping[str, Json]) -> Sheet:
        """Return the sheet with these keys in place of its own."""
        return Sheet.from_json({**self.to_json(), **facts})

    def played(self, seconds: float, episodes: int, usage: Mapping[str, int]) -> Sheet:
        """Return the sheet with what one more play took; ``usage`` is what a remote agent used meanwhile."""
        sheet = self
        if episodes:
            before = self.play or Play(0.0, 0)
            sheet = replace(sheet, play=Play(before.seconds + seconds, before.episodes + episodes))
        if usage:
            earlier = self.usage or {}
            sheet = replace(sheet, usage={name: earlier.get(name, 0) + count for name, count in usage.items()})
        return sheet

    def signals_of(self, env: str) -> SignalNumbers | None:
        """Return the signals of one environment; None if they were not measured."""
        return None if self.signals is None or self.signals.by_env is None else self.signals.by_env.get(env)
