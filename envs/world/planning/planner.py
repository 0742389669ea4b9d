"""Finds a plan: greedy best-first search with the FF heuristic and preferred operators, then cut to what is needed.

The heuristic is the length of a relaxed plan (Hoffmann and Nebel, "The FF Planning System", JAIR 14, 2001, section 4);
actions that begin it are preferred (its "helpful actions"). Plans are valid and not always shortest.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import count

from acgym.envs.world.planning.ground import Action, State, World

MAX_STATES = 200_000
"""States that are looked at before the search gives up."""


class Relaxed:
    """The task without deletions and negative conditions, its facts numbered."""

    def __init__(self, world: World) -> None:
        self.actions = list(world.actions.values())
        facts = {fact for action in self.actions for fact in (*action.needs, *action.adds)} | world.start
        goal = [(each.predicate, each.arguments) for each in world.problem.goal if each.positive]
        self.number = {fact: i for i, fact in enumerate(sorted(facts.union(goal)))}
        self.goal = [self.number[fact] for fact in goal]
        self.adds = [[self.number[fact] for fact in sorted(action.adds)] for action in self.actions]
        self.needs = [[self.number[fact] for fact in sorted(action.needs)] for action in self.actions]
        self.readers: list[list[int]] = [[] for _ in self.number]
        for i, needs in enumerate(self.needs):
            for fact in needs:
                self.readers[fact].append(i)
        self.sizes = [len(needs) for needs in self.needs]

    def estimate(self, state: State) -> tuple[int, set[int]] | None:
        """Return the length of a relaxed plan from ``state`` and the actions of it that can be done now.

        None if the goal cannot be reached even so: then it cannot be reached at all.
        """
        # h_add of each fact (Bonet and Geffner 2001), settled in order of value; ``by`` is its cheapest achiever.
        far = 1 << 30
        cost, by = [far] * len(self.number), [-1] * len(self.number)
        missing, total = list(self.sizes), [1] * len(self.actions)
        settled = [False] * len(self.number)
        queue: list[tuple[int, int]] = []
        for number in (self.number[held] for held in state if held in self.number):
            cost[number] = 0
            queue.append((0, number))
        heapq.heapify(queue)
        ready = [i for i, size in enumerate(self.sizes) if size == 0]
        while True:
            for i in ready:
                for fact in self.adds[i]:
                    if total[i] < cost[fact]:
                        cost[fact], by[fact] = total[i], i
                        heapq.heappush(queue, (total[i], fact))
            ready = []
            while queue and settled[queue[0][1]]:
                heapq.heappop(queue)
            if not queue:
                break
            value, fact = heapq.heappop(queue)
            settled[fact] = True
            for i in self.readers[fact]:
                missing[i] -= 1
                total[i] += value
                if missing[i] == 0:
                    ready.append(i)
        if any(cost[fact] == far for fact in self.goal):
            return None
        return self._relaxed_plan(by, state)

    def _relaxed_plan(self, by: list[int], state: State) -> tuple[int, set[int]]:
        """Walk back from the goal through the cheapest achievers; facts without one hold already."""
        chosen: set[int] = set()
        waiting = list(self.goal)
        while waiting:
            achiever = by[waiting.pop()]
            if achiever >= 0 and achiever not in chosen:
                chosen.add(achiever)
                waiting.extend(self.needs[achiever])
        return len(chosen), {i for i in chosen if self.actions[i].applicable(state)}


def plan(world: World, start: State) -> list[Action] | None:
    """Find actions that lead from ``start`` to the goal.

    Returns:
        The plan, empty if the goal holds already; None if there is none or MAX_STATES states did not show one.
    """
    relaxed = Relaxed(world)
    goal = len(world.problem.goal)
    first = relaxed.estimate(start)
    if first is None:
        return None
    came: dict[State, tuple[State, Action] | None] = {start: None}
    order = count()
    # Two queues that are taken from in turn: all states, and those reached by preferred actions (Helmert 2006, "The
    # Fast Downward Planning System", section 5.2).
    queues: tuple[list[tuple[int, int, State]], ...] = ([], [(first[0], next(order), start)])
    helpful = {start: first[1]}
    turn = 0
    while any(queues) and len(came) < MAX_STATES:
        turn = 1 - turn
        _, _, state = heapq.heappop(queues[turn] or queues[1 - turn])
        if state not in helpful:
            continue  # taken from the other queue already
        preferred = helpful.pop(state)
        if world.goals_met(state) == goal:
            return shortened(_steps(came, state), world, start)
        for i, action in enumerate(relaxed.actions):
            if not action.applicable(state) or (after := action.apply(state)) in came:
                continue
            came[after] = (state, action)
            estimate = relaxed.estimate(after)
            if estimate is None:
                continue
            helpful[after] = estimate[1]
            heapq.heappush(queues[0], (estimate[0], next(order), after))
            if i in preferred:
                heapq.heappush(queues[1], (estimate[0], next(order), after))
    return None


def _steps(came: dict[State, tuple[State, Action] | None], state: State) -> list[Action]:
    steps: list[Action] = []
    while (link := came[state]) is not None:
        state, action = link
        steps.append(action)
    return steps[::-1]


def shortened(steps: Sequence[Action], world: World, start: State) -> list[Action]:
    """Leave out actions without which the plan still works ("action elimination", Nakhost and Müller 2010)."""
    kept = list(steps)
    i = 0
    while i < len(kept):
        state, rest = start, []
        for j, action in enumerate(kept):
            if j == i or (j > i and not action.applicable(state)):
                continue
            state = action.apply(state)
            rest.append(action)
        if world.goals_met(state) == len(world.problem.goal):
            kept = rest
        else:
            i += 1
    return kept


def valid(steps: Iterable[Action], world: World, start: State) -> bool:
    """Say whether the actions can be done one after the other and reach the goal."""
    state = start
    for action in steps:
        if not action.applicable(state):
            return False
        state = action.apply(state)
    return world.goals_met(state) == len(world.problem.goal)
