"""ACB/LongAgent-v0: threads kept apart, distances, replies, errors, lengths."""

from __future__ import annotations

import pytest

from acgym.envs.context.longagent.env import LongAgent
from acgym.envs.context.longagent.heuristic import recall
from acgym.types import Task


def rows(*pairs):
    return [{"kind": "fact", "text": text} | ({} if wanted is None else wanted) for text, wanted in pairs]


HAND = Task(
    "by hand",
    "Keep the desk.",
    {
        "messages": rows(
            ("The key of the loft hangs on hook 41.", None),
            ("Ann Reed gets the blue folder.", None),
            ("The key of the loft has moved to hook 17.", None),
            ("Ann Reed is at the desk.", {"wanted": "blue folder", "old": [], "distance": 2}),
            ("On which hook is the key of the loft?", {"wanted": "17", "old": ["41"], "distance": 2}),
            ("Bob Reed is at the desk.", {"wanted": "nothing", "old": [], "distance": None}),
        ),
        "rivals": ["blue folder", "17", "41"],
    },
    ["blue folder", "17", "nothing"],
)


def opened() -> LongAgent:
    env = LongAgent(level=1)
    env.reset(seed=0)
    env._task = HAND
    env.tell()
    for _ in range(3):
        assert env.step("Noted.")[1:4] == (0.0, False, False)
    return env


def test_an_episode_by_hand() -> None:
    env = opened()
    assert env.step("Here you are.\nAnswer: the blue folder")[1] == pytest.approx(1 / 3)
    assert env.step("**Answer:** hook 17.")[1] == pytest.approx(1 / 3)
    heard, reward, over, _, info = env.step("Answer: nothing")
    assert (reward, over, info["success"], info["progress"]) == (pytest.approx(1 / 3), True, True, 1.0)
    assert (
        heard
        == "The day is over. Right: 3 of 3.\nBy turns since it was told: 1 to 10: 2 of 2; nothing arranged: 1 of 1."
    )


@pytest.mark.parametrize(
    ("before", "reply", "error"),
    [
        (0, "Answer: nothing", "forgotten"),
        (0, "Answer: the red folder", "wrong_value"),
        (0, "Answer: blue folder or hook 41", "other_value"),
        (1, "Answer: 41", "stale_value"),
        (1, "Answer: 17 or 18", "other_value"),
        (2, "Answer: blue folder", "made_up"),
    ],
)
def test_errors(before: int, reply: str, error: str) -> None:
    env = opened()
    for _ in range(before):
        env.step(env.oracle())
    _, reward, *_, info = env.step(reply)
    assert (reward, info["error"], info["malformed"]) == (0.0, error, False)


def test_a_reply_without_an_answer_costs_its_message_and_no_other() -> None:
    env = opened()
    heard, reward, over, _, info = env.step("Let me think.")
    assert (reward, over, info["malformed"], info["error"]) == (0.0, False, True, None)
    assert heard.startswith("Your reply had no line 'Answer: X'.\nMessage 5 of 6:")
    env.step(env.oracle())
    _, _, over, _, info = env.step(env.oracle())
    assert over
    assert not info["success"]
    assert info["progress"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_no_two_threads_are_about_the_same(level: int) -> None:
    """A question that is asked again, word for word, has the answer that was right last."""
    env = LongAgent(level=level, length=0)
    for seed in range(30):
        told = env.reset(seed=seed)[1]["task"].data["messages"]
        asked = [
            row["text"] for row in told if row.get("wanted") and row["text"].endswith("?") and row["kind"] != "work"
        ]
        asked = [text for text in asked if "?" in text and "question about" not in text]
        assert len(asked) == len(set(asked)), seed


def test_what_is_kept_for_somebody_is_never_mixed_with_what_is_promised() -> None:
    env = LongAgent(level=5, length=0)
    for seed in range(20):
        told = env.reset(seed=seed)[1]["task"].data["messages"]
        kept = [row["text"] for row in told if "cupboard" in row["text"] or "left here" in row["text"]]
        at_desk = [row for row in told if "at the desk" in row["text"] and row.get("wanted") == "nothing"]
        for row in at_desk:
            name = next((word for word in row["text"].replace(",", "").split() if word[0].isupper()), "")
            full = row["text"][row["text"].index(name) :].split(" is ")[0].split(" and ")[0]
            assert not any(full in text for text in kept), (seed, row)


@pytest.mark.parametrize("distance", [1, 10, 60])
def test_distance_is_kept(distance: int) -> None:
    env = LongAgent(level=2, turns=200, load=30, distance=distance, length=0)
    found = []
    for seed in range(5):
        told = env.reset(seed=seed)[1]["task"].data["messages"]
        found += [row["distance"] for row in told if row.get("distance")]
    found.sort()
    assert abs(found[len(found) // 2] - distance) <= 1
    assert sum(abs(each - distance) <= 5 for each in found) > 0.8 * len(found)


def test_turns_load_and_length_are_as_asked() -> None:
    env = LongAgent(level=3, turns=500, load=100, length=12_000)
    _, info = env.reset(seed=0)
    assert len(info["task"].data["messages"]) == 500
    assert 11_000 < info["task"].facts["length"] <= 12_000
    env = LongAgent(level=3, turns=100)
    assert (env.load, env.length) == (25, 7500)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"turns": 9}, "turns must be an integer from 10 to 500"),
        ({"turns": 501}, "turns must be"),
        ({"load": 14}, "load must be an integer from 1 to 13 here"),
        ({"distance": 40}, "distance must be an integer from 1 to 39 here"),
        ({"length": -1}, "length must be"),
        ({"turns": True}, "turns must be"),
    ],
)
def test_bad_arguments_are_refused_at_once(kwargs, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LongAgent(**kwargs)


def test_the_heuristic_repeats_the_nearest_message() -> None:
    said = [f"Message {i} of 9: {text}" for i, text in enumerate((
        "The key of the loft hangs on hook 41.", "The smithy has hook 9.", "On which hook is the key of the loft?",
    ))]  # fmt: skip
    assert recall(said) == "Answer: 41"
    assert recall(said[:2]) == "Noted."
    assert recall([*said, "Message 4 of 9: Please add up 1, 2 and 3."]) == "Answer: 6"
    assert recall([]) == "Noted."
