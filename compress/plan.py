"""Which steps each projection gets: the recipe's, those of an override, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase

from acgym.compress.methods.table import METHODS
from acgym.compress.options.weights import NEEDS, Needs, Sparsity
from acgym.compress.recipe import Recipe, Step, parse


@dataclass(frozen=True)
class Plan:
    """A recipe, and the steps that each projection gets in its walks."""

    recipe: Recipe
    steps: Mapping[str, tuple[Step, ...]]
    """Full name of a projection to its steps, the i-th taken in the walk of the recipe's i-th step; none if ignored."""
    ignored: tuple[str, ...] = ()
    """The patterns of projections that get none."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """The patterns of projections that get another recipe, and which."""
    routers: tuple[str, ...] = ()
    """Full names of the routers of experts that are left as they are, because no override names them."""

    @property
    def notes(self) -> list[str]:
        """What the record should say of it."""
        if not self.routers:
            return []
        more = f" and {len(self.routers) - 1} more" if len(self.routers) > 1 else ""
        return [
            f"routers of experts stay as they are: {self.routers[0]}{more}; an override that ends in a router's own "
            "name compresses it"
        ]

    def step(self, at: int, name: str) -> Step | None:
        """Return what a projection gets in walk ``at``; None if it is left as it is, or is no part of the plan."""
        steps = self.steps.get(name, ())
        return steps[at] if at < len(steps) else None

    def needs(self, at: int) -> Needs:
        """Return the most that a step of walk ``at`` needs of calibration."""
        found = [step.needs for name in self.steps if (step := self.step(at, name)) is not None]
        return max(found, key=NEEDS.index, default="nothing")

    @property
    def most_needed(self) -> Needs:
        """The most that any walk needs of calibration."""
        return max((self.needs(at) for at in range(len(self.recipe))), key=NEEDS.index, default="nothing")

    def pruned(self, at: int, name: str) -> bool:
        """Say whether a step before walk ``at`` pruned a projection."""
        return any(isinstance(step.options, Sparsity) for step in self.steps[name][:at])

    @property
    def compressed(self) -> tuple[str, ...]:
        """Names of the projections that get any step."""
        return tuple(name for name, steps in self.steps.items() if steps)

    @property
    def needs_calibration(self) -> bool:
        """Whether any step reads calibration text."""
        return any(self.needs(at) != "nothing" for at in range(len(self.recipe)))


def plan(
    recipe: Recipe,
    projections: Iterable[str],
    modules: Sequence[str],
    ignore: Sequence[str],
    overrides: Mapping[str, Recipe | str],
    head: Iterable[str] = (),
    routers: Iterable[str] = (),
) -> Plan:
    """Sort projections to steps.

    Args:
        recipe: what every projection gets that no pattern matches.
        projections: full names of all projections in the decoder layers.
        modules: full names of all modules of the model: what is to be ignored may also be none that would be compressed
            (``lm_head``).
        ignore: patterns (``*``, ``?``, ``[...]``, as in :mod:`fnmatch`, letters' case matters) of full names of
            projections that get no step.
        overrides: pattern to the recipe that its projections get instead, with at most as many steps as ``recipe``; the
            first pattern that matches decides, and ``ignore`` comes before them.
        head: full name of the output head, if it can be compressed: it is where an override bears this very name; no
            other pattern of an override reaches it.
        routers: full names of the projections that choose experts: they get no step, unless by an override whose
            pattern ends in their own name, such as ``"*.gate"``.

    Raises:
        ValueError: for an ignored pattern that matches no module and an override that matches no projection (with the
            nearest one), for an override that is no recipe, has too many steps or one that concerns the whole model, or
            if nothing is left to compress.
    """
    read = {pattern: _instead(pattern, given, recipe) for pattern, given in overrides.items()}
    names = list(projections)
    asked = [name for name in head if name in read]
    for pattern in ignore:
        _check_used(pattern, [*modules, *names], "module")
    for pattern in read:
        _check_used(pattern, [*names, *asked], "projection", head)
    own, left = tuple(step for step in recipe), set(routers)
    steps: dict[str, tuple[Step, ...]] = {}
    for name in names:
        reach = [
            pattern for pattern in read if fnmatchcase(name, pattern) and (name not in left or _ends(pattern, name))
        ]
        if reach:
            steps[name] = read[reach[0]].steps
            left.discard(name)
        else:
            steps[name] = () if name in left else own
    steps |= {name: read[name].steps for name in asked}
    for name in steps:
        if any(fnmatchcase(name, pattern) for pattern in ignore):
            steps[name] = ()
    if not any(steps.values()):
        raise ValueError(f"nothing is left to compress: {', '.join(ignore)} match every projection")
    given = {pattern: str(instead) for pattern, instead in read.items()}
    return Plan(recipe, steps, tuple(ignore), given, tuple(name for name in names if name in left))


def _instead(pattern: str, given: Recipe | str, recipe: Recipe) -> Recipe:
    """Read the recipe of an override, and refuse one that cannot stand for ``recipe``."""
    instead = parse(given) if isinstance(given, str) else given
    if len(instead) > len(recipe):
        raise ValueError(f"the override {pattern!r}: {instead} has more steps than {recipe}; give it at most as many")
    for step in instead:
        if METHODS[step.method].model is not None:
            raise ValueError(f"{step} concerns the whole model and cannot override {pattern!r}")
    return instead


def _ends(pattern: str, name: str) -> bool:
    """Whether a pattern ends in the last part of a name, letter by letter."""
    return pattern.rpartition(".")[2] == name.rpartition(".")[2]


def _check_used(pattern: str, names: Sequence[str], kind: str, by_name: Iterable[str] = ()) -> None:
    """Refuse a pattern that matches nothing of its kind; what can only be named is suggested too."""
    if any(fnmatchcase(name, pattern) for name in names):
        return
    near = get_close_matches(pattern, [*names, *by_name], n=1, cutoff=0.0)
    hint = f"; the nearest {kind} is {near[0]!r}" if near else ""
    raise ValueError(f"the pattern {pattern!r} matches no {kind} of the model{hint}")
