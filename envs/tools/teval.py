"""T-Eval's rows as an environment: six abilities of tool use, one reply a row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.rows import BadRow, Row, RowEnv
from acgym.scorers.literals import between, read_value
from acgym.scorers.matchers import matcher as matcher_of
from acgym.scorers.teval import instruct_score, plan_f1, retrieve_score, review_score, understand_score
from acgym.scorers.teval_published import MARKS
from acgym.text import NotJson, read_json
from acgym.types import FailureClass, Json, Task

ABILITIES = ("instruct", "plan", "reason", "retrieve", "understand", "review")
_ERRORS = {
    "instruct": "wrong_call",
    "plan": "wrong_plan",
    "reason": "wrong_thought",
    "retrieve": "wrong_tool",
    "understand": "wrong_arguments",
    "review": "wrong_choice",
}
_NEEDED = {"instruct": "action", "reason": "thought", "retrieve": "name", "understand": "args", "review": "answer"}
"""What the reference of an ability must hold; that of a plan is a list."""
_JOINT = "reason_retrieve_understand"
"""Beginning of the name of the file that asks three abilities in JSON."""
_ALMOST_ONE = 1 - 1e-6  # the cosine of a text with itself, in float32
_NAME = re.compile(r"['\"]name['\"]: ?['\"]([A-Za-z_]\w*\.\w+)['\"]")


class _Reference(NamedTuple):
    """What a row's reply is scored by, ready for the scorers."""

    gold: Json
    form: str
    template: Mapping[str, str]
    names: Sequence[str]


class TEval(RowEnv):
    """ACB/TEval-v0: rows of T-Eval (Chen et al. 2023, arXiv 2312.14033), one reply a row.

    What the agent sees: the row's conversation so far (``origin_prompt``), each turn under its role.

    What it must say: what the conversation's system text asks for, as JSON or as a string.

    What earns progress, by ability (:mod:`acgym.scorers.teval`): instruct, form and call; plan, F1 of the calls in
    order; reason, likeness of the thought by ``matcher``; retrieve, the right tool; understand, the share of right
    arguments; review, the right letter. Success is progress 1.

    When it ends: with the first reply; there is one step.

    Errors in ``info["error"]``: ``"wrong_call"``, ``"wrong_plan"``, ``"wrong_thought"``, ``"wrong_tool"``,
    ``"wrong_arguments"``, ``"wrong_choice"``. A reply to be written as JSON that holds no JSON is malformed, as is an
    empty one.

    The data (Apache-2.0) are not part of acgym: the hub's ``lovesnowbest/T-Eval``.

    Args:
        path: one file of the data set: a JSON object, id -> row. Or the folder with all of them: then ``ability`` says
            which are played, in both reply forms where there are two, and ids begin with the file's name.
            None for the folder that ``acgym data use teval`` named.
        ability: one of ``ABILITIES``; None takes it from the file's name (``plan_json_v2.json``).
        compat: None or ``"acbench"``, see :mod:`acgym.scorers.teval_published`.
        matcher: how thoughts, and calls of a plan under ``compat``, are compared; see
            :func:`acgym.scorers.matchers.matcher`. The published numbers use a sentence model.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if the data is not here, saying how to get it.
        ValueError: for an unknown argument or an ability that the file's name does not tell.
        BadRow: for a row that is not in the official form.

    Versions: v0, first.
    """

    capability = "tool calling"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "wrong_call": "wrong_argument",
        "wrong_plan": "wrong_order",
        "wrong_thought": "lost_track",
        "wrong_tool": "wrong_tool",
        "wrong_arguments": "wrong_argument",
        "wrong_choice": "lost_track",
    }
    unclear_errors = frozenset(("wrong_call", "wrong_plan"))

    def __init__(
        self,
        path: str | Path | None = None,
        ability: str | None = None,
        compat: str | None = None,
        matcher: str = "tokens",
        render_mode: str | None = None,
    ) -> None:
        place = data_folder("teval") if path is None else Path(path).expanduser()
        self.ability = _ability(place, ability)
        if compat not in (None, "acbench"):
            raise ValueError(f"compat must be None or 'acbench', got {compat!r}")
        self.compat = compat
        self.matcher = matcher_of(matcher)
        super().__init__(_all_rows(place, self.ability), render_mode)

    def task_of(self, row: Row) -> Task:
        """Read the conversation and the reference of a row."""
        turns = row.need("origin_prompt", list)
        if not turns or any(not isinstance(t, dict) or not isinstance(t.get("content"), str) for t in turns):
            raise row.bad("'origin_prompt' must be a list of turns, each an object with 'role' and a text 'content'")
        shown = "\n\n".join(f"{turn.get('role', 'user')}: {turn['content']}" for turn in turns)
        reference = self._reference(row)
        data = {
            "prompt": shown,
            "ability": self.ability,
            "compat": self.compat,
            "matcher": self.matcher.name,
            "form": reference.form,
            "template": dict(reference.template),
            "names": list(reference.names),
        }
        return Task(
            f"{self.ability} {reference.form}", turns[-1]["content"], data, reference.gold, source="T-Eval (Apache-2.0)"
        )

    def _reference(self, row: Row) -> _Reference:
        """Check that the row has what its ability is scored by."""
        meta: Mapping[str, Json] = next(
            (row.value[key] for key in ("meta_data", "meta") if isinstance(row.value.get(key), dict)), {}
        )
        asked = meta.get("response_format", meta.get("prompt_type", "string" if "_str" in row.file.name else "json"))
        form = {"json": "json", "str": "string", "string": "string"}.get(str(asked))
        if form is None:
            raise row.bad(f"the form of its reply must be 'json', 'str' or 'string', it is {asked!r}")
        gold = row.value.get("ground_truth")
        gold = read_value(gold) if isinstance(gold, str) else gold
        if self.ability == "plan":
            if not isinstance(gold, list) or any(
                not isinstance(c, dict) or not isinstance(c.get("name"), str) for c in gold
            ):
                raise row.bad("'ground_truth' of a plan must be a list of calls, each an object with 'name'")
            names = meta.get("API_list", [])
            if form == "string" and (
                not isinstance(names, list) or not all(isinstance(n, str) for n in names) or not names
            ):
                raise row.bad("a plan in sentences needs 'API_list', the names of the tools")
            return _Reference(gold, form, {}, names if form == "string" else ())
        if not isinstance(gold, dict) or _NEEDED[self.ability] not in gold:
            raise row.bad(f"'ground_truth' must be an object with {_NEEDED[self.ability]!r}")
        self._check_gold(row, gold)
        template = row.need("template", dict) if self.ability == "instruct" else {}
        marks = MARKS if form == "string" else ("thought", "action", "args")
        if self.ability == "instruct" and not (
            isinstance(gold.get("args"), dict) and all(isinstance(template.get(mark), str) for mark in marks)
        ):
            raise row.bad(f"an instruction needs the reference's 'args' and in 'template' the texts {', '.join(marks)}")
        return _Reference(gold, form, template, ())

    def _check_gold(self, row: Row, gold: Mapping[str, Json]) -> None:
        """Check that what an ability is scored by is of a kind that a reply can equal."""
        key = _NEEDED[self.ability]
        if self.ability == "review" and gold[key] not in tuple("ABCDE"):
            raise row.bad(f"the answer of a review must be a letter from A to E, it is {gold[key]!r}")
        row.need(key, (str, dict) if self.ability == "understand" else str, gold)

    def tell(self) -> str:
        """Say the conversation so far."""
        prompt: str = self.task.data["prompt"]
        return prompt

    def judge(self, action: str) -> Outcome:
        """Score a reply against the row's reference."""
        data, gold = self.task.data, self.task.reference
        form, closed = data["form"], ("[", "]") if self.ability == "plan" else ("{", "}")
        held = read_value(between(action, *closed))
        wanted = list if self.ability == "plan" else dict
        if not action.strip() or (form == "json" and self.ability != "review" and not isinstance(held, wanted)):
            return self.malformed("Your reply is not in the form that was asked for: it holds no such JSON.")
        compat = self.compat
        scores: dict[str, Callable[[], float]] = {
            "instruct": lambda: instruct_score(action, gold, data["template"], response_format=form, compat=compat),
            "plan": lambda: plan_f1(
                action,
                gold,
                names=data["names"] or None,
                similarity=self.matcher.similarity if compat else None,
                compat=compat,
            ),
            "reason": lambda: self._likeness(
                held.get("thought") if isinstance(held, dict) and form == "json" else action
            ),
            "retrieve": lambda: retrieve_score(action, gold["name"], response_format=form, compat=compat),
            "understand": lambda: understand_score(action, gold["args"], response_format=form, compat=compat),
            "review": lambda: review_score(action, gold["answer"], response_format=form, compat=compat),
        }
        progress = scores[self.ability]()
        if progress > _ALMOST_ONE:
            return Outcome("That is right.", 1.0, success=True, terminated=True)
        return Outcome("That is not all right.", progress, terminated=True, error=_ERRORS[self.ability])

    def _likeness(self, thought: Json) -> float:
        """Compare a thought with the reference's."""
        wanted, said = str(self.task.reference["thought"]), str(thought or "")
        similarity = self.matcher.similarity
        return float(said == wanted) if similarity is None else similarity(said, wanted)

    def oracle(self) -> str:
        """Write the reference in the form that is asked for."""
        gold, data = self.task.reference, self.task.data
        if self.ability == "review":
            return f"Answer: {gold['answer']}"
        if self.ability == "plan":
            calls = [{"id": i, "args": {}, **call} for i, call in enumerate(gold)]
            return json.dumps(calls) if data["form"] == "json" else "\n".join(call["name"] for call in calls)
        if self.ability == "instruct":
            return self._instructed(gold["action"], gold["args"])
        if data["form"] == "json":
            return json.dumps(gold)
        said = gold[{"reason": "thought", "retrieve": "name", "understand": "args"}[self.ability]]
        return said if isinstance(said, str) else json.dumps(said)

    def _instructed(self, action: str, args: Json) -> str:
        template = self.task.data["template"]
        if self.task.data["form"] == "json":
            return json.dumps({template["thought"]: "", template["action"]: action, template["args"]: args})
        start, end, call, done, given, last = (template[mark] for mark in MARKS)
        return f"{start}{end}{call}{action}{done}{given}{args!r}{last}"

    def random_reply(self, rng: np.random.Generator) -> str:
        """Name a random tool of the conversation, without arguments; a random letter in a review."""
        names = _NAME.findall(self.task.data["prompt"]) or ["Some.tool"]
        name = str(names[int(rng.integers(len(names)))])
        if self.ability == "review":
            return f"Answer: {'ABCDE'[int(rng.integers(5))]}"
        if self.ability == "instruct":
            return self._instructed(name, {})
        if self.task.data["form"] == "json":
            call = {"id": 0, "thought": "", "name": name, "args": {}}
            return json.dumps([call] if self.ability == "plan" else call)
        return name


def _ability(file: Path, ability: str | None) -> str:
    """Return the ability that is named, or that a file's name tells."""
    told = [name for name in ABILITIES if file.name.startswith(name) and not file.is_dir()]
    if ability is None and (not told or file.name.startswith(_JOINT)):
        raise ValueError(
            f"{file.name} does not say which ability it tests: give ability= one of {', '.join(ABILITIES)}"
        )
    found = ability or told[0]
    if found not in ABILITIES:
        raise ValueError(f"ability must be one of {', '.join(ABILITIES)}, got {ability!r}")
    return found


def _all_rows(path: Path, ability: str) -> list[Row]:
    """Read a file, or the files of an ability in a folder."""
    if not path.is_dir():
        return _rows(path)
    joint = sorted(path.glob(f"{_JOINT}_*.json")) if ability in _JOINT.split("_") else []
    own = [file for file in sorted(path.glob(f"{ability}_*.json")) if file not in joint]
    if not own and not joint:
        raise ValueError(f"{path} holds no file of T-Eval for {ability}; expected {ability}_NAME.json")
    return [replace(row, id=f"{file.stem}:{row.id}") for file in [*own, *joint] for row in _rows(file)]


def _rows(file: Path) -> list[Row]:
    """Read a file that is one JSON object, id -> row."""
    if not file.is_file():
        raise FileNotFoundError(f"there is no data file {str(file)!r}")
    try:
        text = file.read_bytes().decode("utf-8-sig")
        value = read_json(text, unique=True)
    except UnicodeDecodeError as error:
        raise BadRow(f"{file}: it is not UTF-8 at byte {error.start}") from None
    except NotJson as error:
        line = "" if error.line is None else f", line {error.line}"
        raise BadRow(f"{file}{line}: it is not JSON ({error})") from None
    if not isinstance(value, dict) or not value:
        raise BadRow(f"{file}: it must be a JSON object, id -> row, with at least one row")
    for name, row in value.items():
        if not isinstance(row, dict):
            raise BadRow(f"{file}, row {name!r}: a row must be an object, it is {type(row).__name__}")
    rows, place, at = [], 1, 0
    for name, row in value.items():
        found = text.find(json.dumps(name), at)
        if found >= 0:  # else it is written in another way, and stands after the one before
            place, at = place + text.count("\n", at, found), found
        rows.append(Row(file, place, name, row))
    return rows
