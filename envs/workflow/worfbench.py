"""WorfBench's test rows as an environment: one request, one workflow, scored as the paper scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.rows import Row, RowEnv, read_rows
from acgym.scorers import worfbench as published
from acgym.scorers.matchers import matcher as matcher_of
from acgym.scorers.workflow_graph import chain_score, graph_f1, graph_score, node_chain_f1
from acgym.scorers.workflow_match import paired_steps
from acgym.scorers.workflow_text import missing_part, parse_workflow
from acgym.types import FailureClass, Task

SCENARIOS = {
    "toolbench": "function call",
    "toolalpaca": "function call",
    "alfworld": "embodied",
    "webshop": "embodied",
    "os": "embodied",
    "lumos": "problem solving",
    "wikihow": "open grounded",
    "seal_tools": "held out",
    "intercodesql": "held out",
}
"""The nine files of the test set and the scenario of each."""
METRICS = ("chain", "graph")


class WorfBench(RowEnv):
    """ACB/WorfBench-v0: the test rows of WorfBench (Qiao et al. 2025, arXiv 2410.07869), one workflow a row.

    What the agent sees: the row's system text and request as they are in the file. The two worked examples that the
    published runners put before the request are in their code, not in the data, and are not shown.

    What it must say: a workflow in the text format of :func:`acgym.scorers.workflow_text.parse_workflow`.

    What earns progress: the node-chain F1 (``metric="chain"``, the number that is usually quoted) or the graph F1
    (``metric="graph"``) of :mod:`acgym.scorers.workflow_graph`. Success is progress 1.

    When it ends: with the first reply; there is one step.

    Errors in ``info["error"]``, the first that holds: ``"missing_step"``, ``"extra_step"``, ``"wrong_order"`` (chain)
    or ``"wrong_edges"`` (graph). A reply that cannot be read as a workflow is malformed.

    The data (MIT) are not part of acgym: github.com/zjunlp/WorfBench, folder ``gold_traj``.

    Args:
        path: one file of the test set (a JSON list of rows), or a folder with several: ``NAME.json`` or
            ``NAME/graph_eval.json`` for the names in ``SCENARIOS``; those that are there are played. None for the
            folder that ``acgym data use worfbench`` named.
        scenario: play only the files of one scenario of ``SCENARIOS``, such as ``"function call"``; None for all.
        metric: ``"chain"`` or ``"graph"``.
        compat: None for the scores as the paper defines them; ``"acbench"`` for what the published code computes,
            defects included (:mod:`acgym.scorers.worfbench`); the gold answer itself can then score below 1.
        matcher: what counts as the same step, see :func:`acgym.scorers.matchers.matcher`. Its name, with a hash of the
            model's weights, is part of each task.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if the data is not here, saying how to get it.
        ValueError: for an unknown argument, or a path at which there is nothing to play.
        BadRow: for a row that is not in the official form, with file, line and reason.

    Versions: v0, first.
    """

    capability = "workflow generation"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "missing_step": "premature_stop",
        "extra_step": "wrong_tool",
        "wrong_order": "wrong_order",
        "wrong_edges": "wrong_order",
    }

    def __init__(
        self,
        path: str | Path | None = None,
        metric: str = "chain",
        compat: str | None = None,
        matcher: str = "exact",
        render_mode: str | None = None,
        scenario: str | None = None,
    ) -> None:
        if scenario is not None and scenario not in SCENARIOS.values():
            raise ValueError(
                f"scenario must be one of {', '.join(dict.fromkeys(SCENARIOS.values()))}, got {scenario!r}"
            )
        if metric not in METRICS:
            raise ValueError(f"metric must be 'chain' or 'graph', got {metric!r}")
        if compat not in (None, "acbench"):
            raise ValueError(f"compat must be None or 'acbench', got {compat!r}")
        self.metric, self.compat = metric, compat
        self.matcher = matcher_of(matcher)
        rows = [_named(row) for file in _files(path, scenario) for row in read_rows(file)]
        super().__init__(rows, render_mode)

    def task_of(self, row: Row) -> Task:
        """Read the system text, the request and the gold workflow of a row."""
        turns = row.need("conversations", list)
        said = {}
        for turn in turns:
            if not isinstance(turn, dict) or not isinstance(turn.get("content"), str):
                raise row.bad("a turn of 'conversations' must be an object with 'role' and a text 'content'")
            said[turn.get("role")] = turn["content"]
        if "user" not in said or "assistant" not in said:
            raise row.bad("'conversations' must have a turn of the user and one of the assistant, the gold workflow")
        missing = missing_part(said["assistant"])
        if missing is not None:
            raise row.bad(f"its gold workflow cannot be read: {missing}")
        if self.compat and published.parse(said["assistant"]) is None:
            raise row.bad("the published code does not read its gold workflow; play it without compat")
        data = {
            "system": said.get("system", ""),
            "metric": self.metric,
            "compat": self.compat,
            "matcher": self.matcher.name,
        }
        source = row.need("source", str)
        return Task(source, said["user"], data, said["assistant"], source=f"WorfBench {source} (MIT)")

    def tell(self) -> str:
        """Say the row's system text and request."""
        system = self.task.data["system"]
        return f"{system}\n\n{self.task.goal}" if system else self.task.goal

    def judge(self, action: str) -> Outcome:
        """Score a workflow against the row's gold workflow."""
        if self.compat:
            return self._judge_as_published(action)
        plan, gold = parse_workflow(action), parse_workflow(self.task.reference)
        if plan is None:
            return self.malformed(f"Your reply has no workflow that can be read: {missing_part(action)}.")
        assert gold is not None
        score = chain_score if self.metric == "chain" else graph_score
        progress = score(plan, gold, self.matcher.similarity)
        if progress == 1.0:
            return Outcome("The workflow is right.", 1.0, success=True, terminated=True)
        paired = paired_steps(plan, gold, self.matcher.similarity)
        return _wrong(progress, paired, len(plan.nodes), len(gold.nodes), self.metric)

    def _judge_as_published(self, action: str) -> Outcome:
        plan, gold = published.parse(action), published.parse(self.task.reference)
        if plan is None:
            return self.malformed(
                'Your reply has no workflow that can be read: it needs "Node" and edges as (START,1).'
            )
        assert gold is not None
        score = node_chain_f1 if self.metric == "chain" else graph_f1
        similarity = self.matcher.similarity
        progress = score(action, self.task.reference, compat=self.compat, similarity=similarity)
        if progress == 1.0:
            return Outcome("The workflow is right.", 1.0, success=True, terminated=True)
        return _wrong(progress, paired_steps(plan, gold, similarity), len(plan.nodes), len(gold.nodes), self.metric)

    def oracle(self) -> str:
        """Return the gold workflow as it is in the file."""
        reference: str = self.task.reference
        return reference

    def random_reply(self, rng: np.random.Generator) -> str:
        """Write a chain of one to six steps of three words each, taken anywhere from the request."""
        words = self.task.goal.split() or ["nothing"]
        count = int(rng.integers(1, 7))
        starts = rng.integers(len(words), size=count).tolist()
        steps = [" ".join(words[start : start + 3]) for start in starts]
        nodes = "\n".join(f"{number}: {step}" for number, step in enumerate(steps, 1))
        ends = ["START", *map(str, range(1, count + 1)), "END"]
        edges = " ".join(f"({a},{b})" for a, b in pairwise(ends))
        return f"Node:\n{nodes}\nEdge: {edges}"


def _wrong(progress: float, paired: int, said: int, wanted: int, metric: str) -> Outcome:
    """Name the first thing that is wrong: steps that lack, steps too many, then order or edges."""
    if paired < wanted:
        error, sentence = "missing_step", "The workflow lacks a step."
    elif paired < said:
        error, sentence = "extra_step", "The workflow has a step too many."
    elif metric == "chain":
        error, sentence = "wrong_order", "The workflow has a step before a step that it needs."
    else:
        error, sentence = "wrong_edges", "The steps are right, the edges are not."
    return Outcome(sentence, progress, terminated=True, error=error)


def _named(row: Row) -> Row:
    """Give a row an id that says its source, the same whether its file is played alone or with others."""
    source = row.need("source", str)
    return row if row.id.startswith(source) else replace(row, id=f"{source}_{row.id}")


def _files(path: str | Path | None, scenario: str | None) -> Sequence[Path]:
    """Find the files to play: those of a scenario, if one is named."""
    folder = data_folder("worfbench") if path is None else Path(path).expanduser()
    if not folder.is_dir():
        if scenario is not None and folder.is_file():
            raise ValueError(f"scenario={scenario!r} chooses among the files of a folder, and {folder} is one file")
        return [folder]
    names = [name for name, kind in SCENARIOS.items() if scenario in (None, kind)]
    places = [place for name in names for place in (folder / f"{name}.json", folder / name / "graph_eval.json")]
    found = [place for place in places if place.is_file()]
    if not found:
        raise ValueError(
            f"{folder} holds no file of WorfBench; expected NAME.json or NAME/graph_eval.json, "
            f"NAME being one of {', '.join(names)}"
        )
    return found
