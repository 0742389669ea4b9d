"""``acgym choose``: the smallest recipe of a model that is not worse than a margin in any environment of a suite."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.assemble.models import Models
from acgym.assemble.spec import MODELS, parse_spec
from acgym.experiment.asked import entries
from acgym.experiment.job import AgentJob
from acgym.experiment.settings import Settings, prepare
from acgym.files import sweep
from acgym.listener import Listener
from acgym.record.run import Run
from acgym.types import canonical_json

if TYPE_CHECKING:
    from acgym.analysis.race import Race

AMONG = ("gptq-w2", "gptq-w3", "awq-w3", "gptq-w4", "awq-w4", "rtn-w8")
"""Recipes that race if none are named."""
MOST = 1000
"""Episodes of each recipe in each environment, at most, if no number is named."""


def prepare_choice(
    model: str,
    margin: float,
    envs: Sequence[str] = (),
    *,
    among: Sequence[str] = (),
    max_bits: float | None = None,
    episodes: int | None = None,
    **asked: Any,
) -> Settings:
    """Check what races, before any model is loaded.

    Args:
        model: spec of the dense model.
        margin: loss of success, in (0, 1), that no environment may have.
        envs: ids or short names; empty for those of a suite.
        among: recipes; empty for :data:`AMONG`. Agents as they are (``python:...``, ``oracle``) race too, behind those
            whose size is known.
        max_bits: bits per weight of the largest recipe that may race, more than 0; None for any.
        episodes: most of each recipe in each environment; None for :data:`MOST`.
        asked: further arguments of :func:`acgym.experiment.settings.prepare`.

    Returns:
        Settings whose agents are the dense one and the recipes, from the smallest up.

    Raises:
        ValueError: for what cannot race.
    """
    from acgym.analysis.equivalence import check_margin

    check_margin(margin)
    dense = parse_spec(model)
    if dense.recipe is not None:
        raise ValueError(f"the model that recipes are chosen for is given without one, such as {dense.base.text}")
    compresses = dense.kind in MODELS
    if not compresses and not among:
        raise ValueError(
            f"{model!r} has no weights here to compress; choose takes a model, such as reference or ./model"
        )
    texts = [f"{dense.text}+{recipe}" if compresses else recipe for recipe in among or AMONG]
    sized = {text: bits_of(text) for text in texts}
    kept = [text for text, bits in sized.items() if max_bits is None or bits <= max_bits]
    if not kept:
        raise ValueError(
            f"no recipe has at most {max_bits:g} bits a weight; the smallest is {min(sized, key=sized.__getitem__)}"
        )
    order = sorted(kept, key=lambda text: sized[text])
    made = prepare([model, *order], entries(list(envs)), until=margin, episodes=episodes or MOST, **asked)
    if made.rows:
        raise ValueError(
            f"{', '.join(made.rows)} has fewer rows than {made.episodes} episodes; name fewer with --episodes"
        )
    return made


def bits_of(text: str) -> float:
    """Return the bits per weight that an agent's recipe packs a large matrix into; infinity if none."""
    recipe = parse_spec(text).recipe
    return float("inf") if recipe is None else recipe.fewest_bits


def default_folder(settings: Settings) -> Path:
    """Return where a race goes if no folder is named: the same settings, the same folder."""
    return Path("runs") / f"choose-{hashlib.sha256(canonical_json(settings.to_dict()).encode()).hexdigest()[:8]}"


def run_choice(settings: Settings, margin: float, folder: Path, listener: Listener | None = None) -> Race:
    """Race the recipes; what is on the disk is not played again, and the race goes as it would have gone.

    Args:
        settings: from :func:`prepare_choice`.
        margin: the same.
        folder: the run's, new or of the same settings. It then holds ``race.json`` (:class:`acgym.analysis.race.Race`),
            and comparison and report of what was played.
        listener: hears of progress.

    Raises:
        What :func:`acgym.experiment.run.run_comparison` raises.
    """
    from acgym.analysis.comparison import assemble_result
    from acgym.analysis.race import RACE, Race, race
    from acgym.analysis.result import RESULT
    from acgym.report.page import write_report

    started = time.perf_counter()
    with Run.open(folder, settings.to_dict()) as run:
        sweep(folder)
        track = _Track(AgentJob(settings, run, Models.of(settings.to_dict(), listener or Listener(), run)), margin)
        dense, *others = settings.agents
        sizes = {name: bits if isfinite(bits := bits_of(name)) else None for name in others}
        runners, blind = race(sizes, list(settings.envs), margin, settings.episodes, track.play, track.blind)
        before = run.read_json(RACE) or {}
        found = Race(margin, dense, tuple(settings.envs), settings.episodes, runners, blind,
                     dense_episodes=len(run.episodes(dense)),
                     seconds=float(before.get("seconds", 0.0)) + time.perf_counter() - started)  # fmt: skip
        run.write_json(RACE, found.to_json())
        played = [dense, *(runner.agent for runner in runners if runner.standings)]
        seen = Run(folder, {**run.settings, "agents": played})
        result = assemble_result(seen, margin)
        run.write_json(RESULT, result.to_json())
        write_report(result, folder / "report.html", seen)
    return found


class _Track:
    """Plays batches, and remembers what came of them."""

    def __init__(self, job: AgentJob, margin: float) -> None:
        self.job, self.margin = job, margin

    def play(self, agent: str, counts: Mapping[str, int]) -> Mapping[str, list[float]]:
        """Play the dense agent, then the other one, on the first seeds of some environments."""
        from acgym.analysis.until import first_of_tasks, gains_of

        dense = self.job.settings.agents[0]
        for name in (dense, agent):
            left = {env: self._left(name, env, count) for env, count in counts.items()}
            if any(left.values()):
                self.job.some(self.job.settings.specs[name], left, max(counts.values()))
        found = {}
        for env, count in counts.items():
            seeds = self.job.settings.seeds[:count]
            ours, theirs = ([e for e in self.job.run.episodes(name) if e.env == env and e.seed in seeds]
                            for name in (dense, agent))  # fmt: skip
            found[env] = [success for success, _ in first_of_tasks(list(gains_of(ours, theirs).values()))]
        return found

    def blind(self) -> list[str]:
        """Name the environments in which the dense agent's episodes so far measure nothing."""
        from acgym.analysis.equivalence import unmeasurable

        settings = self.job.settings
        rows = [e for e in self.job.run.episodes(settings.agents[0]) if e.outcome == "finished"]
        by_env = {env: [e for e in rows if e.env == env] for env in settings.envs}
        return [env for env, played in by_env.items() if played and unmeasurable(played, self.margin)]

    def _left(self, agent: str, env: str, count: int) -> list[int]:
        settings = self.job.settings
        return self.job.run.seeds_left(agent, env, settings.envs[env], "eval", settings.seeds[:count])
