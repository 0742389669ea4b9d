"""Two episodes of one task side by side, turn by turn: the first agent's and another one's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import zip_longest

from acgym.analysis.divergence import FirstDifference, first_difference, same_decision
from acgym.analysis.failure import Failure, classify
from acgym.record.episode import Episode, Turn
from acgym.text import printable

MARKS = {"same": " ", "words": "~", "decision": "*"}
"""What stands before a turn: the same words, other words for the same decision, another decision."""


@dataclass(frozen=True, slots=True)
class AlignedTurn:
    """The turn with the same number of both episodes; None where an episode had ended."""

    turn: int
    """From 0."""
    dense: Turn | None
    other: Turn | None

    @property
    def same_words(self) -> bool:
        """Whether both said the same, to the letter."""
        return self.dense is not None and self.other is not None and self.dense.text == self.other.text

    @property
    def same_decision(self) -> bool:
        """Whether both decided the same, by :func:`acgym.analysis.divergence.decision`."""
        return same_decision(self.dense, self.other)

    @property
    def kind(self) -> str:
        """``same``, ``words`` (other words, same decision) or ``decision``."""
        return "same" if self.same_words else "words" if self.same_decision else "decision"


@dataclass(frozen=True)
class EpisodePair:
    """One task, played by the first agent of a comparison and by another one.

    ``print(pair)`` shows both conversations, a notebook shows them side by side.
    """

    dense: Episode
    """The first agent's episode."""
    other: Episode

    @property
    def turns(self) -> list[AlignedTurn]:
        """Both episodes' turns by number; before the first difference both were told the same."""
        both = zip_longest(self.dense.turns, self.other.turns)
        return [AlignedTurn(i, a, b) for i, (a, b) in enumerate(both)]

    @property
    def first_difference(self) -> FirstDifference | None:
        """Where the two first differ; None if they never do, or one of them failed."""
        finished = self.dense.outcome == self.other.outcome == "finished"
        return first_difference(self.dense, self.other) if finished else None

    @property
    def failure(self) -> Failure | None:
        """How the other agent lost it, and the turn that points at; None if it did not."""
        return classify(self.other, self.dense if self.dense.outcome == "finished" else None)

    def __str__(self) -> str:
        """Show both conversations; what both were told or said is shown once."""
        lines = [self._head(), *(f"{name}: {episode.agent}, {_end(episode)}" for name, episode in self._sides())]
        for row in self.turns:
            lines.append("")
            lines += _shown(row, "observation", f"{MARKS[row.kind]} {row.turn + 1}. told")
            lines += _shown(row, "text", f"{MARKS[row.kind]} {row.turn + 1}. said")
        lines += ["", *(f"{name} ends: {episode.final_observation}" for name, episode in self._sides())]
        lines += ["", "~ other words, * another decision"]
        return printable("\n".join(lines))

    def __repr__(self) -> str:
        """Name the pair."""
        return f"EpisodePair({self._head()!r}, turns={len(self.turns)})"

    def _head(self) -> str:
        difference, failure = self.first_difference, self.failure
        where = "the same to the letter" if difference is None else f"first other words in turn {difference.turn + 1}"
        if difference is not None and difference.decision_turn is not None:
            where += f", first other decision in turn {difference.decision_turn + 1}"
        if "failed" in (self.dense.outcome, self.other.outcome):
            where = "not compared"
        how = "" if failure is None else f"; {failure.kind} in turn {failure.turn + 1}"
        return f"{self.dense.env} seed {self.dense.seed}: {where}{how}"

    def _sides(self) -> Iterator[tuple[str, Episode]]:
        return iter((("dense", self.dense), ("other", self.other)))

    def _repr_html_(self) -> str:
        """Show both conversations side by side in a notebook; everything in it is escaped."""
        heads = "".join(f"<th>{escape(printable(episode.agent))}: {_end(episode)}</th>" for _, episode in self._sides())
        body = "".join(_html_row(row) for row in self.turns)
        ends = "".join(f"<td>{_text(episode.final_observation)}</td>" for _, episode in self._sides())
        return (
            f"<p>{escape(printable(self._head()))}</p><table><thead><tr><th>turn</th><th></th>{heads}</tr></thead>"
            f"<tbody>{body}<tr><td></td><td>end</td>{ends}</tr></tbody></table>"
        )


def _end(episode: Episode) -> str:
    return {True: "solved", False: "not solved", None: "failed"}[episode.success]


def _shown(row: AlignedTurn, what: str, head: str) -> list[str]:
    """Return one line if both sides hold the same, else one each."""
    sides = [("dense", row.dense), ("other", row.other)]
    said = {name: getattr(turn, what) for name, turn in sides if turn is not None}
    if len(said) == 2 and len(set(said.values())) == 1:
        return [f"{head}: {said['dense']}"]
    return [f"{head} [{name}]: {text}" for name, text in said.items()]


def _html_row(row: AlignedTurn) -> str:
    rows = []
    for what, word in (("observation", "told"), ("text", "said")):
        cells = [_text(getattr(turn, what)) if turn is not None else "-" for turn in (row.dense, row.other)]
        strong = what == "text" and row.kind == "decision"
        shown = "".join(f"<td>{f'<strong>{cell}</strong>' if strong else cell}</td>" for cell in cells)
        number = f"{row.turn + 1}" if what == "observation" else escape(MARKS[row.kind].strip())
        rows.append(f"<tr><td>{number}</td><td>{word}</td>{shown}</tr>")
    return "".join(rows)


def _text(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")
