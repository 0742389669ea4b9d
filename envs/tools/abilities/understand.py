"""ACB/ToolUnderstand-v0: the arguments of a call, from what a user says and the function's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.envs.spoken import today
from acgym.envs.tools.abilities.base import RIGHT, Ability, Mark, dated, spread
from acgym.envs.tools.abilities.heuristics import filled
from acgym.envs.tools.abilities.replies import Form, as_mapping, read_call, write_call, write_items
from acgym.envs.tools.abilities.values import random_values
from acgym.envs.tools.library.match import holds, share
from acgym.envs.tools.library.model import Ask, tools
from acgym.envs.tools.library.request import request
from acgym.types import Anchor, FailureClass, Json, Split, Task

SHAPES = {1: (1, 1, 3), 2: (1, 1, 9), 3: (2, 3, 9), 4: (3, 3, 9), 5: (4, 3, 9)}
"""Level -> requests, fewest and most arguments of a gold call."""
_RULES = """\
Each request below is for the function that stands above it. Give the arguments of the call.
Take values from the request and write them as the schema says. Leave out optional arguments that nothing is said about.
Where somebody takes a word back, the last word counts."""
_HARD_RULES = "\nA value that is only mentioned, for something else or somebody else, does not count."
HARD = 3
"""From this level on values are mentioned that are not for the call."""
ASIDE = 0.7
_HOW = {
    "json": 'Reply with one JSON object: for each number the object of arguments, such as {"1": {"some_name": 3}}.',
    "string": 'Reply with one line for each number and the call, such as 1: some_function(some_name=3, other="x")',
}


class ToolUnderstand(Ability):
    """ACB/ToolUnderstand-v0: turn what a user says into the arguments that a function's schema asks for.

    What the agent sees: the rules, the day, and for each number a function (name, description, JSON Schema) and a
    request for it, in somebody's voice. Dates are said in words ("three days ago"), times and amounts as people say
    them, values of an enum by what they mean. From level 2 there are misspellings, and values that are taken back.

    What it must say: ``form="json"``: one JSON object, number -> object of arguments. ``form="string"``: one line for
    each number with the call, ``1: name(argument="value", other=3)``.

    What earns progress: the mean over the requests of right arguments / arguments that the gold call or the reply has.
    Arguments that are null or equal their default count as left out, texts are compared without regard to case, numbers
    by value, lists in any order. Success: all are right. ``found``: the content of all gold arguments is there,
    whatever its types (``"3"`` for 3), spelling and form.

    When it ends: with the first reply that can be read; at most 3 replies.

    Levels:
        ===== ======== ============ ===================================
        level requests arguments    what is new
        ===== ======== ============ ===================================
        1     1        1 to 3       plain voices
        2     1        any number   misspelt, corrected, dictated
        3     2        3 and more   values that are mentioned and not meant
        4     3        3 and more
        5     4        3 and more
        ===== ======== ============ ===================================

    Args:
        level: 1 to 5.
        form: ``"json"`` or ``"string"``.
        render_mode: ``"ansi"`` or None.

    Errors in ``info["error"]``: ``wrong_value`` (a gold argument has another value or is missing), ``extra_argument``,
    ``wrong_tool`` (in ``form="string"``), ``no_arguments`` (not an object of arguments), ``unfinished``.

    Source: generated, MIT. Stands for T-Eval's Understand (Chen et al. 2023, arXiv 2312.14033) in ACBench's tool use.
    Departs from it: arguments too many are counted, values are compared by what they mean.

    Version history: v0, first.
    """

    env_id = "ACB/ToolUnderstand-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "wrong_value": "wrong_argument",
        "extra_argument": "wrong_argument",
        "no_arguments": "format",
        "unfinished": "premature_stop",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.006, 0.064),
        2: Anchor(0.004, 0.064),
        3: Anchor(0.000, 0.070),
        4: Anchor(0.000, 0.068),
        5: Anchor(0.000, 0.068),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.198, 0.462),
        2: Anchor(0.185, 0.430),
        3: Anchor(0.003, 0.312),
        4: Anchor(0.001, 0.311),
        5: Anchor(0.000, 0.309),
    }

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw asks of different tools and word them."""
        count, least, most = SHAPES[self.level]
        day = today(draw)
        blocks, gold, names, schemas = [], [], [], []
        for i, ask in enumerate(spread(draw, _asks(split, least, most), count), 1):
            made = request(draw, split, ask, day, plain=self.level == 1, aside=ASIDE if self.level >= HARD else 0.0)
            blocks.append(f"Function {i}: {made.tool.documentation}\nRequest {i}: {made.text}")
            gold.append(made.args)
            names.append(made.tool.name)
            schemas.append(made.tool.parameters)
        return Task("+".join(names), dated(day, "\n".join(blocks)), {"names": names, "schemas": schemas}, gold)

    def rules(self) -> str:
        """Say what to give and how to write it."""
        return f"{_RULES}{_HARD_RULES if self.level >= HARD else ''}\n{_HOW[self.form]}"

    def mark(self, place: int, said: Json, form: Form) -> Mark:
        """Compare arguments with the gold ones."""
        gold: dict[str, Json] = self.task.reference[place]
        name = self.task.data["names"][place]
        call = read_call(said)
        given = call.arguments if call is not None else as_mapping(said)
        if given is not None and call is None:
            given = _inner(given, name)
        if given is None:
            return Mark(0.0, "no_arguments")
        if call is not None and call.name.casefold() != name.casefold():
            return Mark(0.0, "wrong_tool", holds(gold, given))
        schema = self.task.data["schemas"][place]
        worth = share(schema, gold, given)
        if worth == 1.0:
            return RIGHT
        right = all(share(schema, {key: value}, {key: given.get(key)}) == 1.0 for key, value in gold.items())
        return Mark(worth, "extra_argument" if right else "wrong_value", holds(gold, given))

    def answer(self, place: int) -> Json:
        """Return the gold arguments, or the call as text."""
        gold = self.task.reference[place]
        return gold if self.form == "json" else write_call(self.task.data["names"][place], gold)

    def _written(self, calls: Sequence[tuple[str, dict[str, Json]]]) -> str:
        said = [made if self.form == "json" else write_call(name, made) for name, made in calls]
        return write_items(said, self.form)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Give random legal arguments."""
        draw = Draw(rng)
        both = zip(self.task.data["names"], self.task.data["schemas"], strict=True)
        return self._written([(name, random_values(draw, schema)) for name, schema in both])

    def heuristic_reply(self) -> str:
        """Fill arguments with the first value of the request that fits."""
        return self._written(filled(self.observations[0]))


def _inner(given: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """Take a whole call for its arguments."""
    for key in ("arguments", "args", "parameters"):
        if isinstance(given.get(key), dict) and set(given) <= {key, "name", "function"}:
            inner: Mapping[str, Json] = given[key]
            return inner
    only = given.get(name)
    return only if isinstance(only, dict) and len(given) == 1 else given


def _asks(split: Split, least: int, most: int) -> list[Ask]:
    key = (split, least, most)
    if key not in _ASKS:
        _ASKS[key] = [ask for tool in tools(split) for ask in tool.asks if least <= len(ask.args) <= most]
    return _ASKS[key]


_ASKS: dict[tuple[Split, int, int], list[Ask]] = {}
