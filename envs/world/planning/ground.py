"""A planning task with its variables filled in: facts as numbers, ground actions, states as sets of facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from acgym.envs.world.planning.pddl import BadPddl, Domain, Literal, Problem, Schema

MAX_ACTIONS = 100_000
"""A task with more ground actions is refused: it could not be planned for in reasonable time."""

Fact: TypeAlias = tuple[str, tuple[str, ...]]
State: TypeAlias = frozenset[Fact]
"""The facts that hold; every other one is false (closed world)."""


class Action(NamedTuple):
    """A ground action; ``needs`` must hold and ``forbids`` must not, then ``deletes`` go and ``adds`` come."""

    name: str
    arguments: tuple[str, ...]
    needs: frozenset[Fact]
    forbids: frozenset[Fact]
    adds: frozenset[Fact]
    deletes: frozenset[Fact]

    def applicable(self, state: State) -> bool:
        """Say whether the action can be done in ``state``."""
        return self.needs <= state and not (self.forbids & state)

    def apply(self, state: State) -> State:
        """Return the state after the action; call it on applicable actions only."""
        return (state - self.deletes) | self.adds


@dataclass(frozen=True)
class World:
    """One problem of a domain, ready to be played.

    Raises:
        BadPddl: on the first use of ``actions``, if there are more than MAX_ACTIONS.
    """

    domain: Domain
    problem: Problem

    @cached_property
    def start(self) -> State:
        """The initial state."""
        return frozenset((each.predicate, each.arguments) for each in self.problem.init)

    @cached_property
    def actions(self) -> Mapping[tuple[str, tuple[str, ...]], Action]:
        """Name and arguments -> action, sorted, for those that could ever be done when nothing is ever deleted."""
        found: dict[tuple[str, tuple[str, ...]], Action] = {}
        for action in _reachable(self.domain, self.problem, self.start):
            found[action.name, action.arguments] = action
            if len(found) > MAX_ACTIONS:
                raise BadPddl(f"problem {self.problem.name}: more than {MAX_ACTIONS} ground actions")
        return dict(sorted(found.items()))

    @cached_property
    def moving(self) -> frozenset[str]:
        """Predicates that some action changes; the others always stay as they are."""
        return frozenset(literal.predicate for action in self.domain.actions for literal in action.effect)

    def applicable(self, state: State) -> list[Action]:
        """List what can be done in ``state``, sorted by name and arguments."""
        return [action for action in self.actions.values() if action.applicable(state)]

    def goals_met(self, state: State) -> int:
        """Count the goal literals that hold in ``state``."""
        return sum(((each.predicate, each.arguments) in state) is each.positive for each in self.problem.goal)


def fill(schema: Schema, values: Mapping[str, str]) -> Action | None:
    """Fill an action's variables in; None if an (in)equality among its preconditions is violated."""

    def facts(literals: tuple[Literal, ...], positive: bool) -> frozenset[Fact]:
        return frozenset(
            (each.predicate, tuple(values.get(name, name) for name in each.arguments))
            for each in literals
            if each.positive is positive and each.predicate != "="
        )

    for each in schema.precondition:
        if each.predicate == "=":
            a, b = (values.get(name, name) for name in each.arguments)
            if (a == b) is not each.positive:
                return None
    adds = facts(schema.effect, True)
    return Action(
        schema.name,
        tuple(values[each.name] for each in schema.parameters),
        facts(schema.precondition, True),
        facts(schema.precondition, False),
        adds,
        facts(schema.effect, False) - adds,
    )


def _reachable(domain: Domain, problem: Problem, start: State) -> Iterator[Action]:
    """Yield each action whose positive preconditions can come true when nothing is deleted (a fixed point)."""
    by_type = {
        (schema.name, each.name): [
            thing.name
            for thing in problem.objects
            if any(domain.is_a(kind, wanted) for kind in thing.types for wanted in each.types)
        ]
        for schema in domain.actions
        for each in schema.parameters
    }
    known: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for predicate, arguments in start:
        known[predicate].add(arguments)
    done: set[tuple[str, tuple[str, ...]]] = set()
    grown = True
    while grown:
        grown = False
        for schema in domain.actions:
            for values in list(_matches(schema, by_type, known)):
                key = (schema.name, tuple(values[each.name] for each in schema.parameters))
                if key in done:
                    continue
                done.add(key)
                action = fill(schema, values)
                if action is None:
                    continue
                yield action
                for predicate, arguments in action.adds:
                    if arguments not in known[predicate]:
                        known[predicate].add(arguments)
                        grown = True


def _matches(
    schema: Schema, by_type: Mapping[tuple[str, str], list[str]], known: Mapping[str, set[tuple[str, ...]]]
) -> Iterator[dict[str, str]]:
    """Yield every filling of the parameters under which the positive preconditions are among ``known``.

    Parameters are filled one by one, and a precondition is looked at as soon as its last variable has a value.
    """
    names = [each.name for each in schema.parameters]
    place = {name: i for i, name in enumerate(names)}
    due: list[list[Literal]] = [[] for _ in range(len(names) + 1)]
    for each in schema.precondition:
        if each.positive and each.predicate != "=":
            due[max((place[name] + 1 for name in each.arguments if name in place), default=0)].append(each)
    values: dict[str, str] = {}

    def holds(step: int) -> bool:
        return all(
            tuple(values.get(name, name) for name in each.arguments) in known[each.predicate] for each in due[step]
        )

    def fill_from(step: int) -> Iterator[dict[str, str]]:
        if step == len(names):
            yield dict(values)
            return
        for thing in by_type[schema.name, names[step]]:
            values[names[step]] = thing
            if holds(step + 1):
                yield from fill_from(step + 1)
        values.pop(names[step], None)

    if holds(0):
        yield from fill_from(0)
