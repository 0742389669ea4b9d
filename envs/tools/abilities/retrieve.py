"""ACB/ToolRetrieve-v0: which of n tools serves a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL
from acgym.envs.spoken import today
from acgym.envs.tools.abilities.base import RIGHT, Ability, Mark, dated, numbered
from acgym.envs.tools.abilities.heuristics import best_tools
from acgym.envs.tools.abilities.replies import Form, first_name, only, write_items
from acgym.envs.tools.library.model import Domain, Tool, domains, tools
from acgym.envs.tools.library.request import remark, request
from acgym.envs.tools.library.words import Words
from acgym.types import Anchor, FailureClass, Json, Split, Task

NONE = "none"
MIN_TOOLS, MAX_TOOLS = 5, 128
SHAPES = {1: (5, 1, 0.0), 2: (8, 2, 0.1), 3: (20, 3, 0.15), 4: (48, 4, 0.15), 5: (128, 5, 0.2)}
"""Level -> tools, requests, chance that no tool serves a request."""

_RULES = """\
Each request below is served by one of the tools: choose it by what the tools say of themselves.
If no tool does what a request asks for, its answer is none. Do not call anything."""
_HOW = {
    "json": 'Reply with one JSON object that gives the name of a tool for each number, such as {"1": "some_tool"}.',
    "string": "Reply with one line for each number and the name of a tool, such as 1: some_tool",
}


class ToolRetrieve(Ability):
    """ACB/ToolRetrieve-v0: choose, among n tools, the one that serves a request.

    What the agent sees: the rules, the day, n tools by name, parameters and description, and numbered requests of
    different people. A parameter that is a code is shown with the look of such codes. From level 2 the tools that look
    like the right one are among them: only their descriptions tell them apart.

    What it must say: the name of a tool, or ``none``, for each number: as one JSON object (``form="json"``) or as lines
    (``form="string"``). Names count in any case.

    What earns progress: the share of requests with the right tool. Success: all of them. ``found``: the same, read from
    a reply in either form.

    When it ends: with the first reply that can be read; at most 3 replies.

    Levels:
        ===== ===== ======== ==========================================================
        level tools requests what is new
        ===== ===== ======== ==========================================================
        1     5     1        tools of different domains
        2     8     2        near-duplicates; one request in ten that no tool serves
        3     20    3        all tools of the domains that are asked for
        4     48    4
        5     128   5        one request in five that no tool serves
        ===== ===== ======== ==========================================================

    Args:
        level: 1 to 5.
        form: ``"json"`` or ``"string"``.
        n_tools: how many tools there are, 5 to 128; None takes the level's number.
        render_mode: ``"ansi"`` or None.

    Errors in ``info["error"]``: ``wrong_tool``; ``not_refused`` (a tool where none serves), ``refused`` (none where one
    serves), ``unknown_tool``, ``unfinished`` (a number is missing).

    Source: generated, MIT. Stands for T-Eval's Retrieve (Chen et al. 2023, arXiv 2312.14033) in ACBench's tool use.
    Departs from it: the number of tools is an axis, and a request may have no tool.

    Version history: v0, first.
    """

    env_id = "ACB/ToolRetrieve-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "not_refused": "wrong_tool",
        "refused": "premature_stop",
        "unknown_tool": "wrong_tool",
        "unfinished": "premature_stop",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.171, 0.171),
        2: Anchor(0.011, 0.113),
        3: Anchor(0.000, 0.049),
        4: Anchor(0.000, 0.021),
        5: Anchor(0.000, 0.005),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.485, 0.485),
        2: Anchor(0.096, 0.312),
        3: Anchor(0.009, 0.215),
        4: Anchor(0.000, 0.158),
        5: Anchor(0.000, 0.111),
    }

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        form: str = "json",
        n_tools: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        whole = isinstance(n_tools, int) and not isinstance(n_tools, bool)
        if n_tools is not None and not (whole and MIN_TOOLS <= n_tools <= MAX_TOOLS):
            raise ValueError(f"n_tools must be None or an integer from {MIN_TOOLS} to {MAX_TOOLS}, got {n_tools!r}")
        super().__init__(level, form, render_mode)
        self.n_tools = SHAPES[level][0] if n_tools is None else n_tools

    @property
    def anchor(self) -> Anchor | None:
        """What ``random_reply`` scores at this level; None with another number of tools than the level's."""
        return super().anchor if self._usual else None

    @property
    def heuristic_anchor(self) -> Anchor | None:
        """What ``heuristic_reply`` scores at this level; None with another number of tools than the level's."""
        return super().heuristic_anchor if self._usual else None

    @property
    def _usual(self) -> bool:
        return self.n_tools == SHAPES[self.level][0]

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw requests of a few domains, and tools among which theirs are."""
        _, count, unserved = SHAPES[self.level]
        day = today(draw)
        chosen = draw.sample(domains(split), min((count + 1) // 2, len(domains(split))))
        said: list[tuple[str, str]] = []
        gold: list[Tool] = []
        for i in range(count):
            domain = chosen[i % len(chosen)]
            if draw.chance(unserved):
                words = Words(draw, domain.slots, day)
                said.append((remark(draw, split, draw.pick(domain.unserved), words), NONE))
                continue
            barred = {name for other in gold for name in other.rivals}
            free = [t for t in domain.tools if t not in gold and t.name not in barred]
            tool = draw.pick([t for t in free if not any(other.name in t.rivals for other in gold)])
            gold.append(tool)
            made = request(draw, split, draw.pick(tool.asks), day, plain=self.level == 1)
            said.append((made.text, tool.name))
        said = draw.shuffled(said)
        listed = self._listed(draw, split, chosen, gold)
        told = "\n".join([tool.line for tool in listed])
        goal = dated(day, f"Tools:\n{told}\nRequests:\n{numbered([text for text, _ in said])}")
        data = {"names": [tool.name for tool in listed]}
        return Task(f"{len(said)} requests", goal, data, [name for _, name in said])

    def _listed(self, draw: Draw, split: Split, chosen: list[Domain], gold: list[Tool]) -> list[Tool]:
        """Choose the tools: the right ones, what looks like them, their domains' others, then any."""
        listed = dict.fromkeys(gold)
        if self.level > 1:
            for tool in gold:
                listed.update(dict.fromkeys(tool.domain.by_name[name] for name in tool.near))
        if self.level > 2:
            for domain in chosen:
                listed.update(dict.fromkeys(domain.tools))
        barred = {name for tool in gold for name in tool.rivals}
        first = [tool for tool in listed if tool in gold or tool.name not in barred][: self.n_tools]
        taken = set(first)
        left = [tool for tool in tools(split) if tool not in taken and tool.name not in barred]
        first += draw.sample(left, min(self.n_tools - len(first), len(left)))
        return draw.shuffled(first)

    def rules(self) -> str:
        """Say what to choose and how to write it."""
        return f"{_RULES}\n{_HOW[self.form]}"

    def mark(self, place: int, said: Json, form: Form) -> Mark:
        """Compare a name with the right one."""
        name = first_name(str(only(said, "name", "tool", "function", "answer"))).casefold()
        name = NONE if name == "null" else name
        gold = self.answer(place)
        if name == gold.casefold():
            return RIGHT
        if name not in {NONE, *(known.casefold() for known in self.task.data["names"])}:
            return Mark(0.0, "unknown_tool")
        return Mark(0.0, "refused" if name == NONE else "not_refused" if gold == NONE else "wrong_tool")

    def answer(self, place: int) -> str:
        """Return the name of the right tool."""
        name: str = self.task.reference[place]
        return name

    def random_reply(self, rng: np.random.Generator) -> str:
        """Name random tools."""
        draw, names = Draw(rng), [*self.task.data["names"], NONE]
        return write_items([draw.pick(names) for _ in range(self.count)], self.form)

    def heuristic_reply(self) -> str | None:
        """Name the tools that share most rare words with the requests."""
        if not self._usual:
            return None
        return write_items(best_tools(self.observations[0]), self.form)
