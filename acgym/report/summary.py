"""What the report says first: one sentence that recommends, and what run it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acgym.analysis.equivalence import Equivalence
from acgym.analysis.result import POOLED, AgentResult, ComparisonResult
from acgym.record.manifest import MANIFEST, read_manifest
from acgym.record.run import Run
from acgym.report.words import short_env
from acgym.text import printable
from acgym.types import Json

TOLERATED = 0.05
"""Loss of success that has to be ruled out before an agent is named, where no margin was asked for."""


def recommendation(result: ComparisonResult) -> str:
    """Name the smallest compressed agent that the episodes speak for, or say that they speak for none.

    With a margin: the smallest that is not worse by it in any environment (the corrected test says "yes" in all).
    Without one: the smallest whose 95 % interval over all environments rules a loss of TOLERATED out; where that is
    none, the one that comes nearest. Empty where no agent that is compared has a known size.
    """
    known = [agent for agent in result.others if agent.sheet.weight_bytes and agent.name != result.noise_floor]
    if not known:
        return ""
    if result.margin is not None:
        return printable(_by_margin(known, result, f"{100 * result.margin:g} points"))
    return printable(_by_interval(known, result))


def _by_interval(known: Sequence[AgentResult], result: ComparisonResult) -> str:
    """Recommend by the interval over all environments, or of the only one."""
    where = POOLED if len(result.envs) > 1 else result.envs[0]
    rows = {agent.name: agent.comparison(where) for agent in known}
    least = {name: row.success_interval.low for name, row in rows.items() if row is not None and row.limit is None}
    over = f"over all {len(result.envs)} environments" if len(result.envs) > 1 else f"in {short_env(where)}"
    points = f"{100 * TOLERATED:g} points"
    if not least:
        return f"Nothing can be said of a loss: {result.dense} solves too little here."
    fit = [agent for agent in known if least.get(agent.name, -1.0) > -TOLERATED]
    if fit:
        best = _smallest(fit)
        lost = max(0.0, -100 * least[best.name])
        return (
            f"Smallest whose loss is under {points} {over}: {_named(best, result)}; up to {lost:.1f} points are not "
            "ruled out. A margin of your own, in every environment: --margin 0.02."
        )
    near = max((agent for agent in known if agent.name in least), key=lambda agent: least[agent.name])
    return (
        f"Too few episodes to recommend one: a loss of {points} {over} is ruled out for none. Nearest comes "
        f"{_recipe(near, result)}, with up to {-100 * least[near.name]:.1f} points."
    )


def _by_margin(known: Sequence[AgentResult], result: ComparisonResult, points: str) -> str:
    """Recommend by the verdicts against a margin."""
    fit = [agent for agent in known if all(_verdict(agent, env) == "yes" for env in result.envs)]
    where = "in any environment" if len(result.envs) > 1 else f"in {short_env(result.envs[0])}"
    if fit:
        return f"Smallest that is not worse than {result.dense} by {points} {where}: {_named(_smallest(fit), result)}."
    rest = [agent for agent in known if all(_verdict(agent, env) in ("yes", "open") for env in result.envs)]
    said = f"No compressed agent is shown to be within {points} of {result.dense} {where.replace('any', 'every')}"
    names = ", ".join(_recipe(agent, result) for agent in _by_size(rest))
    return f"{said}; still open, smallest first: {names}." if rest else f"{said}."


def _verdict(agent: AgentResult, env: str) -> str | None:
    found = (agent.equivalence or {}).get(env)
    return found.verdict if isinstance(found, Equivalence) else None


def _by_size(agents: Sequence[AgentResult]) -> list[AgentResult]:
    return sorted(agents, key=lambda agent: agent.sheet.weight_bytes or 0)


def _smallest(agents: Sequence[AgentResult]) -> AgentResult:
    return _by_size(agents)[0]


def _recipe(agent: AgentResult, result: ComparisonResult) -> str:
    return agent.name.removeprefix(f"{result.dense}+")


def _named(agent: AgentResult, result: ComparisonResult) -> str:
    """Name an agent by its recipe, with its size and the share of the dense one's."""
    size, whole = agent.sheet.weight_bytes or 0, result.agents[0].sheet.weight_bytes
    share = f", {100 * size / whole:.0f} % of dense" if whole else ""
    return f"{_recipe(agent, result)} ({_bytes(size)}{share})"


def _bytes(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.2f} MB"


def run_facts(result: ComparisonResult, run: Run | None) -> list[tuple[str, str]]:
    """Say what run it is, as names and values: when, how many episodes, versions and machine, as far as recorded."""
    settings = result.settings
    facts = [
        ("episodes", f"{settings.episodes:,} in each of {len(result.envs)}, from seed {settings.seed}"),
        ("environments", ", ".join(map(short_env, result.envs))),
    ]
    if run is not None:
        manifest = read_manifest(run.path / MANIFEST)
        facts = [("begun", str(manifest.get("created", "-"))), *facts, *_of_sessions(manifest)]
    return [(name, printable(value)) for name, value in facts]


def _of_sessions(manifest: Mapping[str, Json]) -> list[tuple[str, str]]:
    """Versions and machine of the last session; that there were several is said."""
    sessions = manifest.get("sessions")
    last = sessions[-1] if isinstance(sessions, Sequence) and sessions and not isinstance(sessions, str) else None
    if not isinstance(last, Mapping):
        return []
    parts = []
    for name, title in (("versions", "versions"), ("machine", "machine")):
        values = last.get(name)
        if isinstance(values, Mapping):
            parts.append((title, ", ".join(f"{key} {value}" for key, value in values.items())))
    return parts
