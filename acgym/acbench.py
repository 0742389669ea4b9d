"""ACBench's tasks under the names of its paper: capability, metric, what plays each, and what was published for it.

The table follows Dong et al. 2025 (arXiv 2505.19433). A task is played on the official rows where a user has them, and
by a generated stand-in where not; which of the two, a comparison's table says in each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from acgym.types import Json

SUITE = "acbench"
"""Name of the suite that plays the tasks."""
TOOLS, WORKFLOW, CONTEXT, WORLD = (
    "Action execution", "Workflow generation", "Long context", "Real-world application",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that the paper prints for a task."""

    name: str
    """``PR`` (progress rate), ``SR`` (success rate), ``F1``, ``accuracy``, ``score``."""
    of: Literal["progress", "success"]
    """Which number of an environment it is."""


PROGRESS, SUCCESS = Metric("PR", "progress"), Metric("SR", "success")
F1, ACCURACY, SCORE = Metric("F1", "progress"), Metric("accuracy", "progress"), Metric("score", "progress")


@dataclass(frozen=True, slots=True)
class Play:
    """How a task is played."""

    env: str
    """Id of the environment."""
    kwargs: Mapping[str, Json] = field(default_factory=dict)
    """What the task sets of it."""
    name: str = ""
    """Id that stands for environment and arguments together, where one environment plays several tasks; empty where
    the environment's own id does."""
    files: tuple[str, ...] = ()
    """Of official rows: patterns of file names, one of which must be in the data set's folder."""
    one_file: bool = False
    """Whether the first such file is the environment's ``path``; else the folder is."""

    @property
    def id(self) -> str:
        """The id under which it is played and recorded."""
        return self.name or self.env


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Published results, see :mod:`acgym.report.published`."""

    file: str
    metrics: Mapping[str, str]
    """Name of the metric here -> there."""
    tasks: tuple[str, ...]
    """Names there of what the task consists of."""


@dataclass(frozen=True, slots=True)
class PaperTask:
    """One task of the paper."""

    capability: str
    name: str
    metrics: tuple[Metric, ...]
    native: Play | None = None
    """The generated stand-in."""
    official: Play | None = None
    data: str = ""
    """Data set of the official rows, as ``acgym data`` names it."""
    published: Benchmark | None = None
    also: tuple[str, ...] = ()
    """Further environments beside which the published numbers are shown."""
    reported: bool = True
    """False for a task that the authors' scripts name and that no result of theirs shows."""


def _teval(name: str, metric: Metric, *files: str) -> PaperTask:
    official = Play("ACB/TEval-v0", {"ability": name.lower()}, f"ACBench/TEval-{name}-v0", files)
    return PaperTask(TOOLS, f"T-Eval {name}", (metric,), Play(f"ACB/Tool{name}-v0"), official, "teval")


def _worfbench(scenario: str, *files: str) -> PaperTask:
    short = scenario.title().replace(" ", "")
    places = tuple(place for file in files for place in (f"{file}.json", f"{file}/graph_eval.json"))
    return PaperTask(
        WORKFLOW,
        f"WorFBench {scenario}",
        (F1,),
        Play("ACB/Workflow-v0", {"scenario": scenario.replace(" ", "_")}, f"ACBench/Workflow-{short}-v0"),
        Play("ACB/WorfBench-v0", {"scenario": scenario, "matcher": "tokens"}, f"ACBench/WorfBench-{short}-v0", places),
        "worfbench",
        Benchmark("worfbench", {"F1": "node_chain_f1"}, files),
        ("ACB/Workflow-v0", "ACB/WorfBench-v0"),
    )


def _longgenbench(questions: str, native: Play | None = None) -> PaperTask:
    name, low = f"LongGenBench {questions}", questions.lower()
    official = Play("ACB/LongGenBench-v0", {}, f"ACBench/LongGenBench-{questions}-v0", (f"{low}*.jsonl",), True)
    return PaperTask(CONTEXT, name, (ACCURACY,), native, official, "longgenbench")


def _board(name: str, native: str, official: Play | None = None, also: tuple[str, ...] = ()) -> PaperTask:
    numbers = Benchmark("agentboard", {"PR": "progress_rate", "SR": "success_rate"}, (name.lower(),))
    data = "" if official is None else "pddl"
    return PaperTask(WORLD, name, (PROGRESS, SUCCESS), Play(native) if native else None, official, data, numbers, also)


def _unreported(name: str, native: str) -> PaperTask:
    return PaperTask(WORLD, name, (PROGRESS, SUCCESS), Play(native), reported=False)


_HAYSTACK = Play("ACB/NIAH-v0", files=("*.txt",))
_PLANNING = Play("ACB/PDDL-v0", {"compat": "agentboard"}, "ACBench/PDDL-v0", ("*.pddl", "*/*.pddl"))
_LENGTHS = Benchmark("needle", {"accuracy": "word_overlap"}, ("1k-8k", "9k-16k", "17k-32k", "1k-32k"))
_CALLS, _HOUSE = ("ACB/ToolCall-v0",), ("ACB/Household-v0",)

TASKS: tuple[PaperTask, ...] = (
    _teval("Instruct", SCORE, "instruct_*.json"),
    _teval("Plan", F1, "plan_*.json"),
    _teval("Reason", SCORE, "reason_*.json"),
    _teval("Retrieve", ACCURACY, "retrieve_*.json", "reason_retrieve_understand_*.json"),
    _teval("Understand", ACCURACY, "understand_*.json", "reason_retrieve_understand_*.json"),
    _teval("Review", ACCURACY, "review_*.json"),
    _worfbench("function call", "toolbench", "toolalpaca"),
    _worfbench("embodied", "alfworld", "webshop", "os"),
    _worfbench("problem solving", "lumos"),
    _worfbench("open grounded", "wikihow"),
    PaperTask(CONTEXT, "LongBench", (SCORE,), Play("ACB/LongQA-v0"), Play("ACB/LongBench-v0", files=("*.jsonl",)),
              "longbench"),
    _longgenbench("GSM8K", Play("ACB/LongGen-v0")),
    _longgenbench("MMLU"),
    PaperTask(CONTEXT, "Needle in a haystack", (ACCURACY,), Play("ACB/Needle-v0"), _HAYSTACK, "niah", _LENGTHS),
    _board("ScienceWorld", "ACB/Lab-v0", also=_HOUSE),
    _board("Jericho", "ACB/Adventure-v0", also=_HOUSE),
    _board("PDDL", "", _PLANNING, also=_HOUSE),
    _board("Tool-Query", "ACB/ToolQuery-v0", also=_CALLS),
    _board("Tool-Operation", "ACB/ToolOperation-v0", also=_CALLS),
    _unreported("AlfWorld", "ACB/Household-v0"),
    _unreported("BabyAI", "ACB/GridNav-v0"),
    _unreported("WebShop", "ACB/WebShop-v0"),
)  # fmt: skip
"""The paper's tasks in its order: one line each. What is not registered is not played."""


def tasks_of(env: str) -> list[tuple[PaperTask, Literal["native", "official", "related"]]]:
    """Return the tasks that an environment plays, and as what; ``related`` where numbers are shown beside it only."""
    found: list[tuple[PaperTask, Literal["native", "official", "related"]]] = []
    for task in TASKS:
        if task.official is not None and env == task.official.id:
            found.append((task, "official"))
        elif task.native is not None and env == task.native.id:
            found.append((task, "native"))
        elif env in task.also:
            found.append((task, "related"))
    return found
