"""A race of recipes from the smallest up: which is the smallest that is not worse than a margin in any environment.

Each recipe in turn plays batches of the dense agent's episodes. After each batch two anytime-valid tests look at every
environment (:func:`acgym.statistics.sequential.margin_ps`): one of "not worse than the margin", one of "worse". A
recipe is chosen once every environment says "not worse"; it is dropped once one says "worse"; an environment that has said
"not worse" is not played by it any more. With K recipes and E environments:

* "not worse" is said at 0.05 / K. A recipe that is worse somewhere is chosen only if that environment says so wrongly;
  over all recipes that has at most probability 0.05 (Bonferroni over recipes; over environments none is needed, since
  all of them must say so: Berger 1982, Technometrics 24:295, intersection-union).
* "worse" is said at 0.05 / (K E), so that with at most probability 0.05 any recipe is dropped that is not worse.

What is decided after n episodes depends on the first n alone: a race that was interrupted goes the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from acgym.analysis.equivalence import MarginVerdict
from acgym.analysis.numbers import ALPHA
from acgym.analysis.until import FIRST_LOOK, looks
from acgym.statistics.sequential import margin_ps, pairs_to_bet
from acgym.typed import Written
from acgym.types import Json

RACE = "race.json"
"""In the run's folder."""

State: TypeAlias = Literal["chosen", "dropped", "open", "waiting", "cannot"]
Gains: TypeAlias = Sequence[float]
"""other - dense in success, pair by pair in the order of the seeds."""
Play: TypeAlias = Callable[[str, Mapping[str, int]], Mapping[str, Gains]]
"""Plays (agent, environment -> first so many seeds) and returns what came of these seeds."""
Tests: TypeAlias = Callable[[Gains, float], tuple[float, float]]


@dataclass(frozen=True)
class Standing(Written):
    """Where a recipe stands in one environment."""

    n: int
    """Pairs in which both finished."""
    lost: int
    won: int
    p: float
    """Of "worse by the margin or more", anytime-valid, not corrected."""
    p_worse: float
    verdict: MarginVerdict
    further: int | None = field(default=None, metadata={"optional": True})
    """Of an open one: about so many more pairs would tell; None where no number of interest would."""


@dataclass(frozen=True)
class Runner(Written):
    """One recipe in the race."""

    agent: str
    bits: float | None
    """Bits per weight of a large matrix in packed storage; None where nothing is packed."""
    state: State
    """``chosen``; ``dropped``, worse somewhere; ``open``, the episodes allowed did not tell; ``waiting``, not played
    since a smaller one was chosen; ``cannot``, some environment measures nothing."""
    standings: Mapping[str, Standing]
    """Environment -> what its last look showed."""

    @property
    def episodes(self) -> int:
        """Pairs that it played."""
        return sum(row.n for row in self.standings.values())


@dataclass(frozen=True)
class Race(Written):
    """A race as it stands; ``race.json``."""

    margin: float
    dense: str
    envs: tuple[str, ...]
    limit: int
    """Most episodes of each recipe in each environment."""
    runners: tuple[Runner, ...]
    """From the smallest up."""
    blind: tuple[str, ...] = ()
    """Environments in which nothing can be measured: no recipe can be chosen then."""
    dense_episodes: int = 0
    seconds: float = 0.0
    """Wall-clock seconds of all sessions."""
    version: int = 1
    more: Mapping[str, Json] = field(default_factory=dict)

    @property
    def chosen(self) -> Runner | None:
        """The smallest recipe that is not worse anywhere; None if there is none (yet)."""
        return next((runner for runner in self.runners if runner.state == "chosen"), None)


def race(
    candidates: Mapping[str, float | None],
    envs: Sequence[str],
    margin: float,
    limit: int,
    play: Play,
    blind: Callable[[], Sequence[str]] = tuple,
    tests: Tests = margin_ps,
) -> tuple[tuple[Runner, ...], tuple[str, ...]]:
    """Race recipes.

    Args:
        candidates: agent -> bits, from the smallest up.
        envs: environments.
        margin: in (0, 1).
        limit: most episodes of each recipe in each environment, at least 1.
        play: plays; called with more episodes each time.
        blind: asked after each batch; names environments in which nothing can be measured, which end the race.
        tests: p of "worse by the margin or more" and of "at most so much worse", both valid at any time.

    Returns:
        All recipes as they stand in the end, and the blind environments.
    """
    done: list[Runner] = []
    for agent, bits in candidates.items():
        if any(runner.state in ("chosen", "cannot") for runner in done):
            done.append(Runner(agent, bits, "waiting", {}))
            continue
        standings: dict[str, Standing] = {}
        state: State = "open"
        for count in looks(limit):
            undecided = [env for env in envs if env not in standings or standings[env].verdict == "open"]
            gains = play(agent, dict.fromkeys(undecided, count))
            for env in undecided:
                standings[env] = _standing(gains[env], margin, len(candidates), len(envs), tests)
            unmeasured = tuple(blind())
            state = _state(standings, bool(unmeasured))
            if state != "open":
                break
        done.append(Runner(agent, bits, state, standings))
        if state == "cannot":
            rest = [Runner(name, size, "waiting", {}) for name, size in list(candidates.items())[len(done) :]]
            return (*done, *rest), unmeasured
    return tuple(done), ()


def _state(standings: Mapping[str, Standing], blind: bool) -> State:
    verdicts = {row.verdict for row in standings.values()}
    if "no" in verdicts:
        return "dropped"
    if blind:
        return "cannot"
    return "chosen" if verdicts == {"yes"} else "open"


def _standing(gains: Gains, margin: float, recipes: int, envs: int, tests: Tests) -> Standing:
    p, p_worse = tests(gains, margin)
    lost, won = (sum(gain == sign for gain in gains) for sign in (-1, 1))
    verdict: MarginVerdict = "open"
    if p_worse <= ALPHA / (recipes * envs):
        verdict = "no"
    elif p <= ALPHA / recipes:
        verdict = "yes"
    further = None
    if verdict == "open" and len(gains):
        level = ALPHA / recipes if won - lost > -margin * len(gains) else ALPHA / (recipes * envs)
        needed = pairs_to_bet(lost / len(gains), won / len(gains), margin, level)
        further = None if needed is None else max(FIRST_LOOK, needed - len(gains))
    return Standing(len(gains), lost, won, p, p_worse, verdict, further)
