"""LongBench's rows as an environment: 21 data sets of long texts, one reply a row, each with its own metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.envs.context.longbench_prompts import ASKED
from acgym.rows import Row, RowEnv, read_rows
from acgym.scorers.longbench import METRICS, reply_score
from acgym.types import FailureClass, Task


class LongBench(RowEnv):
    """ACB/LongBench-v0: rows of LongBench (Bai et al. 2023, arXiv 2308.14508), one reply a row.

    What the agent sees: the row's whole context and its question, in words of our own that ask what the originals ask
    (:mod:`acgym.envs.context.longbench_prompts`). Nothing is cut out of the middle: what does not fit an agent's
    window is the agent's affair. The published runs ask trec, triviaqa, samsum, lsht, lcc and repobench-p without a
    chat template; here an agent wraps all rows as it always does.

    What it must say: the answer as free text. ``task.data["max_new_tokens"]`` is what the published runs allow.

    What earns progress: the metric of the row's data set (:mod:`acgym.scorers.longbench`), the best over the row's
    answers: token F1, ROUGE-L, class, number, likeness of a line of code. Chinese texts are compared by characters,
    where the published code uses the words of jieba. Success is progress 1, which a summary hardly ever reaches:
    compare progress.

    When it ends: with the first reply; there is one step.

    Errors in ``info["error"]``: ``"wrong_answer"`` (progress 0), ``"partial_answer"``. A blank reply is malformed.

    The data (each data set has its own licence) are not part of acgym: ``data.zip`` of the hub's ``THUDM/LongBench``.

    Args:
        path: one file (JSON Lines) with ``input``, ``context``, ``answers``, ``dataset``, ``all_classes``, ``_id``;
            each row names its data set (those of LongBench-E end in ``_e``). Or a folder with several: ``NAME.jsonl``
            for the names of the 21 data sets; those that are there are played. None for the folder that ``acgym data
            use longbench`` named.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if the data is not here, saying how to get it.
        ValueError: for a path at which there is nothing to play.
        BadRow: for a row that is not in the official form, with file, line and reason.

    Versions: v0, first.
    """

    capability = "long-context retrieval"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {"wrong_answer": "lost_track", "partial_answer": "lost_track"}

    def __init__(self, path: str | Path | None = None, render_mode: str | None = None) -> None:
        super().__init__([row for file in _files(path) for row in read_rows(file, id_key="_id")], render_mode)

    def task_of(self, row: Row) -> Task:
        """Read data set, context, question and answers of a row."""
        dataset = row.need("dataset", str).removesuffix("_e")
        if dataset not in METRICS:
            raise row.bad(f"'dataset' must be one of {', '.join(METRICS)}, it is {dataset!r}")
        answers = row.need("answers", list)
        if not all(isinstance(answer, str) for answer in answers) or not any(answer.strip() for answer in answers):
            raise row.bad("'answers' must be a list of texts, of which one at least is not blank")
        classes = row.value.get("all_classes") or []
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise row.bad("'all_classes' must be a list of texts or null")
        if METRICS[dataset] == "class" and not classes:
            raise row.bad(f"a row of {dataset} must have 'all_classes', the names of all classes")
        length = row.value.get("length")
        data = {
            "context": row.need("context", str),
            "input": row.need("input", str),
            "classes": list(classes),
            "max_new_tokens": ASKED[dataset].max_new_tokens,
        }
        return Task(
            dataset,
            data["input"] or f"A row of {dataset}.",
            data,
            list(answers),
            source=f"LongBench {dataset} (see its licence)",
            facts={"length": float(length)} if isinstance(length, int) and not isinstance(length, bool) else {},
        )

    def tell(self) -> str:
        """Say the context and what is asked."""
        data = self.task.data
        return ASKED[self.task.kind].prompt.format(context=data["context"], input=data["input"])

    def judge(self, action: str) -> Outcome:
        """Score a reply by the metric of the row's data set."""
        task = self.task
        if not action.strip():
            return self.malformed("Your reply is blank: it needs an answer.")
        progress = reply_score(task.kind, action, task.reference, task.data["classes"])
        if progress == 1.0:
            return Outcome("The answer is right.", 1.0, success=True, terminated=True)
        error = "partial_answer" if progress else "wrong_answer"
        sentence = f"The answer scores {progress:.3f} by the metric of {task.kind}."
        return Outcome(sentence, progress, terminated=True, error=error)

    def oracle(self) -> str:
        """Return the first answer that is not blank."""
        answers: Sequence[str] = self.task.reference
        return next(answer for answer in answers if answer.strip())

    def random_reply(self, rng: np.random.Generator) -> str:
        """Name a class, a number up to 30, or ten words in a row from anywhere in the context."""
        metric, data = METRICS[self.task.kind], self.task.data
        if metric == "class":
            name: str = data["classes"][int(rng.integers(len(data["classes"])))]
            return name if name.strip() else "none"
        if metric == "number":
            return str(int(rng.integers(1, 31)))
        words = data["context"].split() or ["nothing"]
        start = int(rng.integers(len(words)))
        return " ".join(words[start : start + 10])[:200]


def _files(path: str | Path | None) -> Sequence[Path]:
    """Find the files to play."""
    folder = data_folder("longbench") if path is None else Path(path).expanduser()
    if not folder.is_dir():
        return [folder]
    found = [place for name in METRICS if (place := folder / f"{name}.jsonl").is_file()]
    if not found:
        raise ValueError(
            f"{folder} holds no file of LongBench; expected NAME.jsonl, NAME being one of {', '.join(METRICS)}"
        )
    return found
