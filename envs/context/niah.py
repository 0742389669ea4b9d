"""The needle in a haystack as ACBench asks it: a public sentence hidden in a user's essays, 40 lengths by 10 depths."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.rows import BadRow, Row, RowEnv
from acgym.types import FailureClass, Task

LENGTHS = tuple(range(1_000, 40_001, 1_000))
"""Tokens."""
DEPTHS = (0, 11, 22, 33, 44, 56, 67, 78, 89, 100)
"""Per cent of the text before the needle."""
NEEDLE = "The best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a sunny day."
QUESTION = "The best thing to do in San Francisco is: "
ANSWER = "eat a sandwich and sit in Dolores Park on a sunny day."
ROOM = 200
"""Tokens of a length that are left for question and answer."""
WORDS_PER_TOKEN = 0.75
MAX_TOKENS = 1_000_000
_MAX_BYTES = 1 << 28


class NIAH(RowEnv):
    """ACB/NIAH-v0: the needle-in-a-haystack grid of ACBench (arXiv 2505.19433), 400 cells, one reply a cell.

    What the agent sees: a text of the user's essays with one sentence hidden in it, and a question that the sentence
    answers. Its words are ours; needle and question are the public ones.

    What it must say: the answer as free text.

    What earns progress: the share of the answer's distinct words that the reply has, in any case and without
    punctuation; so "a", "in" and "on" earn something. Success is all of them.

    When it ends: with the first reply; there is one step. A blank reply is malformed.

    Errors in ``info["error"]``: ``"wrong_answer"`` (less than half of the words), ``"partial_answer"``.

    Lengths are the model's tokens in the original. An environment knows no tokenizer: without ``count``, a token is
    taken for ``WORDS_PER_TOKEN`` words of the text, which is about right for English. The needle goes in after the last
    full stop before its depth; depth 0 is the start, 100 the end. A cell that does not fit an agent's window is the
    agent's affair: the published runs score such cells 0.

    Differences from the original: files are joined in the order of their names, not as the file system lists them;
    an agent decodes as it is set to (the original at temperature 1) and reads through its chat template. The public
    needle may have been trained on; ``ACB/Needle-v0`` hides generated codes.

    Args:
        path: folder of ``.txt`` files in UTF-8, such as the Paul Graham essays of
            github.com/gkamradt/LLMTest_NeedleInAHaystack; they are repeated if they are shorter than a length. None
            for the one that ``acgym data use niah`` named.
        lengths: tokens of each row of the grid, each from 300 to 1,000,000; None for 1,000, 2,000, ... 40,000.
        depths: per cent, 0 to 100; None for ten of equal distance.
        needle: the sentence that is hidden.
        question: what it answers.
        answer: the words that are looked for.
        compat: ``"acbench"`` to compare words as the published code does, with their punctuation; or None.
        count: counts a text in an agent's tokens; None to estimate by words.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if no folder is given or named, saying how to get one.
        ValueError: for an unknown argument, or a folder without text.
        BadRow: for a file that is not UTF-8.

    Versions: v0, first.
    """

    env_id = "ACB/NIAH-v0"
    capability = "long-context retrieval"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {"wrong_answer": "lost_track", "partial_answer": "lost_track"}

    def __init__(
        self,
        path: str | Path | None = None,
        lengths: Sequence[int] | None = None,
        depths: Sequence[float] | None = None,
        needle: str = NEEDLE,
        question: str = QUESTION,
        answer: str = ANSWER,
        compat: str | None = None,
        count: Callable[[str], int] | None = None,
        render_mode: str | None = None,
    ) -> None:
        if compat not in (None, "acbench"):
            raise ValueError(f"compat must be None or 'acbench', got {compat!r}")
        for name, said in {"needle": needle, "question": question, "answer": answer}.items():
            if not isinstance(said, str) or not said.strip():
                raise ValueError(f"{name} must be a text that is not blank, got {said!r}")
        self.folder = data_folder("niah") if path is None else Path(path).expanduser()
        self.compat, self._count = compat, count
        self.needle, self.question, self.answer = needle.strip(), question.strip(), answer.strip()
        self._words = haystack(self.folder)
        self._digest = hashlib.sha256(" ".join(self._words).encode()).hexdigest()
        grid = [
            (length, depth)
            for length in _checked(lengths, LENGTHS, "lengths", 300, MAX_TOKENS)
            for depth in _checked(depths, DEPTHS, "depths", 0, 100)
        ]
        rows = [
            Row(self.folder, place, f"{length} tokens, depth {depth:g}", {"length": length, "depth": depth})
            for place, (length, depth) in enumerate(grid, 1)
        ]
        super().__init__(rows, render_mode)

    def task_of(self, row: Row) -> Task:
        """Describe a cell; its text is written when it is told, and named by the hash of the essays."""
        length, depth = row.value["length"], row.value["depth"]
        data = {
            "length": length,
            "depth": depth,
            "haystack": self._digest,
            "needle": self.needle,
            "compat": self.compat,
            "unit": "words" if self._count is None else "tokens",
        }
        facts = {"length": float(length), "depth": float(depth)}
        return Task("needle", self.question, data, self.answer, source="needle in a haystack", facts=facts)

    def tell(self) -> str:
        """Write the text with its needle, and ask."""
        data = self.task.data
        text = hidden(self._fitting(data["length"]), self.needle, data["depth"])
        return (
            f"Below is a long book, then a question that one of its sentences answers.\n\n<book>\n{text}\n</book>\n\n"
            f"Answer from the book, in its words.\nQuestion: {self.question}\nAnswer:"
        )

    def _fitting(self, length: int) -> list[str]:
        """Return as many words of the essays as a length has room for."""
        count, needle = self._count, self.needle
        if count is None:
            return self._first(max(0, round((length - ROOM) * WORDS_PER_TOKEN) - len(needle.split())))
        room = length - ROOM - count(needle)
        fits, above = 0, max(1, room)  # a word is a token at least
        while above - fits > 1:
            middle = (fits + above) // 2
            fits, above = (middle, above) if count(" ".join(self._first(middle))) <= room else (fits, middle)
        return self._first(fits)

    def _first(self, count: int) -> list[str]:
        """Return the first words of the essays, begun again at their end."""
        times = -(-count // len(self._words))
        return list((self._words * times)[:count] if times > 1 else self._words[:count])

    def judge(self, action: str) -> Outcome:
        """Count the words of the answer that a reply has."""
        if not action.strip():
            return self.malformed("Your reply is blank: it needs an answer.")
        progress = overlap(action, self.task.reference, self.compat)
        if progress == 1.0:
            return Outcome("The answer is right.", 1.0, success=True, terminated=True)
        error = "partial_answer" if progress >= 0.5 else "wrong_answer"
        return Outcome("The answer is not all of it.", progress, terminated=True, error=error)

    def oracle(self) -> str:
        """Return the answer."""
        answer: str = self.task.reference
        return answer

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return ten words in a row from anywhere in the essays."""
        start = int(rng.integers(len(self._words)))
        return " ".join(self._words[start : start + 10])[:200]


def overlap(said: str, answer: str, compat: str | None = None) -> float:
    """Return the share of an answer's distinct words that a reply has, in [0, 1].

    Args:
        said: the reply.
        answer: at least one word.
        compat: ``"acbench"`` to keep punctuation, so that "day" is not "day."; or None.
    """
    wanted, found = (set(text.lower().split()) for text in (answer, said))
    if compat is None:
        wanted, found = ({word.strip(string.punctuation) for word in words} - {""} for words in (wanted, found))
    return len(wanted & found) / len(wanted) if wanted else 0.0


def hidden(words: Sequence[str], needle: str, depth: float) -> str:
    """Put a sentence into a text, after the last full stop before a depth.

    Args:
        words: the text.
        needle: the sentence.
        depth: per cent of the words before it; 0 the start, 100 the end.
    """
    place = round(depth / 100 * len(words))
    while 0 < place < len(words) and not words[place - 1].endswith("."):
        place -= 1
    return " ".join([*words[:place], needle, *words[place:]])


def haystack(folder: Path) -> tuple[str, ...]:
    """Return the words of a folder's ``.txt`` files, in the order of their names.

    Raises:
        ValueError: if there is no such folder, no text in it, or too much.
        BadRow: for a file that is not UTF-8.
    """
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    if not files:
        raise ValueError(f"path must be a folder with .txt files, {str(folder)!r} has none")
    return _haystack(tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=2)
def _haystack(files: tuple[tuple[Path, int, int], ...]) -> tuple[str, ...]:
    if sum(size for _, size, _ in files) > _MAX_BYTES:
        raise ValueError(f"{files[0][0].parent} has more than {_MAX_BYTES:,} bytes of text")
    words: list[str] = []
    for file, _, _ in files:
        try:
            words += file.read_bytes().decode("utf-8-sig").split()
        except UnicodeDecodeError as error:
            raise BadRow(f"{file}: it is not UTF-8 at byte {error.start}") from None
    if not words:
        raise ValueError(f"the .txt files of {files[0][0].parent} hold no words")
    return tuple(words)


def _checked(given: Sequence[float] | None, default: Sequence[float], name: str, low: int, high: int) -> list[float]:
    values = list(default if given is None else given)
    whole = name == "lengths"
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
            kind = "integers" if whole else "numbers"
            raise ValueError(f"{name} must be {kind} from {low} to {high:,}, got {value!r}")
    if not values or len(set(values)) < len(values):
        raise ValueError(f"{name} must be at least one value, each once, got {values!r}")
    return values
