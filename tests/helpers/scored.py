"""Hand-made episodes for tests of scores, of which only what is counted matters."""

from __future__ import annotations

from dataclasses import replace

from acgym.record.episode import Episode, Turn


def turn(action: str = "go", malformed: bool = False, error: str | None = None, tokens: int | None = None) -> Turn:
    ids = None if tokens is None else tuple(range(tokens))
    return Turn("user", "now?", action, action, 0.0, 0.0, malformed, error, "stop", 0.1, 0, ids, ids)


def episode(seed: int, success: bool = True, progress: float | None = None, turns=None, **fields) -> Episode:
    made = Episode(
        env="ACB/ToolCall-v0",
        kwargs={"level": 1},
        split="eval",
        seed=seed,
        agent="dense",
        task_hash=f"task{seed}",
        task_kind="kind",
        tools=(),
        random_success=0.2,
        random_progress=0.3,
        turns=(turn(),) if turns is None else tuple(turns),
        final_observation="",
        outcome="finished",
        failure=None,
        success=success,
        progress=float(success) if progress is None else progress,
        truncated=False,
        seconds=2.0,
    )
    return replace(made, **fields)


def failed(seed: int, **fields) -> Episode:
    gone = {"outcome": "failed", "failure": "out of memory", "success": None, "progress": None}
    return replace(episode(seed, turns=(), **fields), **gone)


def run(successes, agent="dense", **fields):
    return [episode(i, bool(s), agent=agent, **fields) for i, s in enumerate(successes)]
