"""An episode's calls against what the task requires: what each gives, the kind of error, and which items hold."""

from __future__ import annotations

from collections.abc import Set
from copy import deepcopy

from acgym.envs.tools.call.world import Gold, Result, World, keys_of
from acgym.envs.tools.schema import whole
from acgym.envs.tools.turns import refused
from acgym.types import Call, Json, Task


class Progress:
    """The world of one task, and how far it is from what the user wants.

    Args:
        task: the task; see :func:`~acgym.envs.tools.call.tasks.draw_composed`.
    """

    def __init__(self, task: Task) -> None:
        self._task, self._reference = task, task.reference
        self._specs = {spec["function"]["name"]: spec["function"] for spec in task.tools}
        self._made: set[str] = set()
        self.world, self.gold = World(task.data), Gold(task.data, task.reference["calls"])

    def run(self, call: Call) -> tuple[Json, str | None]:
        """Run one call; return what the agent is told and the kind of error, if any."""
        wrong = refused(call, self._specs)
        if wrong is not None:
            return wrong
        arguments = whole(call.arguments)
        before = self.gold.wrong(self.world)
        result = self.world.call(call.name, arguments)
        keys = keys_of(self._task.data, call.name, arguments)
        kind = self._kind(Call(call.name, arguments), result, keys, before)
        self._made.update(keys)
        return result.value, kind

    def _kind(self, call: Call, result: Result, keys: tuple[str, ...], before: int) -> str | None:
        """Name the error of an executed call; ``before`` is the number of wrong records before it."""
        gold = self.gold
        if self._task.data["tools"][call.name]["op"] == "ask":
            return None if keys else "needless_question"
        strayed = gold.is_wrong_tool(call.name, call.arguments)
        if result.failed:
            expected = any(step.key == keys[0] and not step.cells for step in gold.steps)
            return None if expected and keys[0] not in self._made else "wrong_tool" if strayed else "failed_call"
        if result.record is None:  # a look-up
            return "wrong_tool" if strayed else None
        added = gold.wrong(self.world) - before
        if added > 0 and any(row["tool"] == call.name for row in self._reference.get("refused", ())):
            return "forbidden_call"
        if strayed:  # a change that puts a record right again is none
            return "wrong_tool" if added >= 0 else None
        return "wrong_call" if added > 0 else None

    def held(self, answered: bool = False, refused: Set[str] = frozenset()) -> list[bool]:
        """Say which required items hold and count: the calls in order, the answer if one is asked, the refusals.

        Args:
            answered: whether the final reply gives the right answer.
            refused: the things that the final reply refuses.
        """
        steps, reference = self.gold.steps, self._reference
        held = [self.gold.reached(step, self.world) if step.cells else step.key in self._made for step in steps]
        refusals = reference.get("refused", ())
        said = [reference["answer_needs"]] if answered else []
        said += [row["needs"] for row in refusals if row["noun"] in refused]
        for j in (j for needs in said for j in needs):
            held[j] = held[j] or not steps[j].cells
        for i in reversed(range(len(steps))):
            if held[i]:
                for j in steps[i].needs:
                    # An effect could not have come about without what it needed; a look-up implies only look-ups.
                    held[j] = held[j] or bool(steps[i].cells) or not steps[j].cells
        for i, step in enumerate(steps):
            held[i] = held[i] and all(held[j] for j in step.needs)
        if reference["answer"] is not None:
            held.append(answered and all(held[j] for j in reference["answer_needs"]))
        return held + [row["noun"] in refused and all(held[j] for j in row["needs"]) for row in refusals]

    def score(self, held: list[bool]) -> float:
        """Return progress in [0, 1]: the items that hold less the records that are wrong, as a share of all items."""
        return max(0.0, (sum(held) - self.gold.wrong(self.world)) / len(held))

    def fault(self, held: list[bool], refused: Set[str]) -> str | None:
        """Name what is wrong with an episode that ends so; None if it is solved."""
        steps, reference = len(self.gold.steps), self._reference
        served = set(reference.get("served", ())) & refused
        if not all(held[:steps]):
            return "wrong_refusal" if served else "unfinished"
        if self.gold.wrong(self.world):
            return "wrong_call"
        if reference["answer"] is not None and not held[steps]:
            return "wrong_answer"
        if not all(held):
            return "missed_refusal"
        return "wrong_refusal" if served else None

    def ready(self) -> list[Call]:
        """Return the required calls that can be made now."""
        held = self.held()
        ready = []
        for i, step in enumerate(self.gold.steps):
            if held[i] or not all(held[j] for j in step.needs):
                continue
            # Made before and yet not in effect: worth another try only if the world still allows it.
            if step.key in self._made and deepcopy(self.world).call(step.name, step.arguments).failed:
                continue
            ready.append(Call(step.name, step.arguments))
        return ready
