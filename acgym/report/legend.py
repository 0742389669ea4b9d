"""The legend of a comparison's tables: how they are to be read, and why what is missing is missing."""

from __future__ import annotations

from collections.abc import Sequence

from acgym.analysis.numbers import NotMeasured
from acgym.analysis.result import AgentResult, ComparisonResult
from acgym.report.cells import DASH
from acgym.text import printable


def legend(result: ComparisonResult) -> list[str]:
    """Say how the tables are to be read, a paragraph each, and why what is missing is missing."""
    several = len(result.envs) > 1
    parts = []
    if len(result.agents) > 1:
        means = " Over all environments: the mean of theirs, each weighing the same." if several else ""
        parts.append(
            f"Differences are to {result.dense}, pair by pair on the same episodes: {_method(result)}. "
            f"lost/won: episodes that only the first agent / only the other one solved.{means}"
        )
    if any(guess is not None for guess in result.heuristic_anchors.values()):
        parts.append(
            "Above heuristic: success minus what the best simple heuristic solves, in points; at 0 or below, success "
            "shows no skill."
        )
    parts.append("Errors are shares of turns: not in the format that is asked for / well formed but wrong.")
    if any(agent.probed for agent in result.agents):
        pooled = " Over all environments: their mean." if several else ""
        parts.append(
            f"All on the tokens that {result.dense} wrote. ERank: effective rank of the last hidden states; "
            "energy: mean -logsumexp of the logits; and against that agent's model: top-10 J and τ, Jaccard index "
            f"and Kendall's τ of the ten likeliest tokens; |ΔE|, mean change of energy; KL, divergence.{pooled}"
        )
    return [printable(part) for part in [*parts, *_execution(result.agents), *_missing(result)]]


def _execution(agents: Sequence[AgentResult]) -> list[str]:
    """Say which bits, bytes and times are measured of packed integers, and which compression is simulated."""
    records = {agent.name: agent.sheet.compression for agent in agents if agent.sheet.compression is not None}
    packed = {name: record.execution for name, record in records.items() if record.simulated is False}
    parts = [f"{name} runs {how}: bits, MB and times are measured." for name, how in packed.items()]
    if len(packed) < len(records):
        parts.append(
            f"{'All other compression' if packed else 'Compression'} is simulated: bits and MB are what packed storage "
            "would take, times are those of dense arithmetic."
        )
    return parts


def _method(result: ComparisonResult) -> str:
    """Name the intervals and the test."""
    over = "over the environments; of all environments, over the agents" if len(result.envs) > 1 else "over the agents"
    pooled = "of all environments together uncorrected" if len(result.envs) > 1 else "uncorrected"
    holm = f"(Holm-corrected {over})"
    if not result.version:  # a file of before
        holm = f"(Holm-corrected over the environments; {pooled})"
    if result.settings.until is not None:
        return (
            "intervals and p are anytime-valid (confidence sequences by betting), so that they hold although the play "
            f"ended when they were good enough; all environments' intervals of an agent hold at once with 95 % {holm}"
        )
    return (
        f"interval by Tango's score method, p by the exact McNemar test {holm}; mid-p, the same test less conservative "
        "and without its guarantee, likewise"
    )


def _missing(result: ComparisonResult) -> list[str]:
    """Say why what is not measured is not: one line for each agent and reason."""
    reasons: dict[str, list[str]] = {}
    for agent in result.agents:
        why = [score.reason for score in agent.scores.values() if isinstance(score, NotMeasured)]
        why += [agent.sheet.signals.reason or ""] if agent.sheet.signals is not None else []
        for reason in dict.fromkeys(filter(None, why)):
            reasons.setdefault(reason, []).append(agent.name)
    return [f"{DASH}: not measured.", *(f"{', '.join(names)}: {reason}." for reason, names in reasons.items())]
