"""Whether a recorded episode agrees with itself: what an edited or damaged record no longer does."""

from __future__ import annotations

import math
from collections.abc import Iterable

from acgym.record.episode import Episode
from acgym.record.lines import RecordDamaged

TOLERANCE = 1e-9
"""Rewards are differences of progress in double precision; their sum is off by rounding alone."""


def faults(episode: Episode) -> list[str]:
    """Say what in an episode contradicts itself, one sentence each; nothing for one as it was written.

    The rewards of its turns sum to the progress after each of them, that of the last turn is the final progress, all
    progress is in [0, 1], a finished episode has an outcome and a failed one has none.
    """
    found = []
    total = 0.0
    for number, turn in enumerate(episode.turns, start=1):
        total += turn.reward
        if not (math.isfinite(turn.reward) and 0.0 <= turn.progress <= 1.0):
            return [f"turn {number} has reward {turn.reward} and progress {turn.progress}, which no environment gives"]
        if abs(total - turn.progress) > TOLERANCE:
            return [f"after turn {number} the rewards sum to {total:.6g}, but the progress is {turn.progress:.6g}"]
    last = episode.turns[-1].progress if episode.turns else 0.0
    if episode.outcome == "finished":
        if not isinstance(episode.success, bool) or episode.progress is None:
            found.append("it finished, but has no success or no progress")
        elif abs(episode.progress - last) > TOLERANCE:
            found.append(f"its final progress is {episode.progress:.6g}, but that of its last turn {last:.6g}")
    elif episode.outcome != "failed":
        found.append(f"its outcome must be 'finished' or 'failed', not {episode.outcome!r}")
    elif episode.success is not None or episode.progress is not None:
        found.append("it failed, but has a success or a progress")
    return found


def refuse_edited(episodes: Iterable[Episode], where: str) -> None:
    """Refuse episodes that contradict themselves.

    Args:
        episodes: of one file.
        where: names the file in the error.

    Raises:
        RecordDamaged: naming the file, the first such episode and how many there are.
    """
    bad = [(episode, why) for episode in episodes if (why := faults(episode))]
    if bad:
        episode, why = bad[0]
        more = f" (and {len(bad) - 1} more such episodes)" if len(bad) > 1 else ""
        raise RecordDamaged(
            f"{where}: the episode of {episode.env} with seed {episode.seed} was changed after it was written: "
            f"{why[0]}{more}. Restore the file, or remove the line to play the episode again"
        )
