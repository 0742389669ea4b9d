"""ACB/Needle-v0 from level 2 on: kinds of question, look-alikes, lengths, the paper's grid, a user's haystack."""

from __future__ import annotations

import re

import gymnasium as gym
import pytest

from acgym.envs.context.needle import GRID, Needle
from acgym.envs.context.needles import ABSENT, KINDS, LEVELS
from acgym.envs.spoken import MONTHS
from acgym.types import canonical_json


@pytest.mark.parametrize("split", ["eval", "train"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_hides_what_it_needs_once_and_its_oracle_wins(kind: str, split: str) -> None:
    env = Needle(level=3, length=1500, task=kind)
    for seed in range(25):
        shown, info = env.reset(seed=seed, options={"split": split})
        task = info["task"]
        assert task.kind == kind
        assert all(shown.count(said) == 1 for said in task.data["needed"])
        assert canonical_json(task.data)
        assert env.step(env.oracle())[4]["success"]


def read_by_a_script(shown: str, kind: str) -> str:
    """Work a question out from the text alone, by rules that know the wordings."""
    text, _, question = shown.rpartition("\nQuestion:")
    name = re.search(r"[A-Z][a-z]+ [A-Z][a-z]+", question)
    assert name is not None
    forms = (
        r"On the (\S+) of (\w+) NAME sent a parcel of (\d+) kg to (\w+)\.",
        r"A parcel of (\d+) kg went from NAME to (\w+) on the (\S+) of (\w+)\.",
        r"NAME posted a parcel to (\w+) on the (\S+) of (\w+); it weighed (\d+) kg\.",
    )
    sent = re.findall("|".join(forms).replace("NAME", name[0]), text)
    rows = [(int(a or e or k), b or f or g, m or n or o, int(re.sub(r"\D", "", d or p or q)))
            for d, m, a, b, e, f, p, n, g, q, o, k in sent]  # fmt: skip
    if kind == "count":
        return str(len(rows))
    if kind == "sum":
        return str(sum(row[0] for row in rows))
    if kind == "heaviest":
        return max(rows)[1]
    return max(rows, key=lambda row: (MONTHS.index(row[2]), row[3]))[1]


@pytest.mark.parametrize("kind", ["count", "sum", "last", "heaviest"])
def test_parcels_are_told_so_that_a_reader_comes_to_the_reference(kind: str) -> None:
    env = Needle(level=4, length=1500, task=kind)
    for seed in range(60):
        shown, info = env.reset(seed=seed)
        assert read_by_a_script(shown, kind) == info["task"].reference[0], seed


def test_a_code_that_is_absent_is_nowhere_told_of_the_person() -> None:
    env = Needle(level=3, length=1500, task="absent")
    for seed in range(60):
        shown, info = env.reset(seed=seed)
        text, _, question = shown.rpartition("\nQuestion:")
        name = re.search(r"[A-Z][a-z]+ [A-Z][a-z]+", question)
        what = next(word for word in ("locker", "badge", "boat", "safe", "card") if word in question)
        assert name is not None
        assert info["task"].reference == [ABSENT]
        told = [said for said in re.split(r"(?<=[.;]) ", text) if name[0] in said]
        assert told
        assert not any(
            re.search(rf"\b{what}\b|\b{'turn' if what == 'locker' else what}", said.lower()) for said in told
        )


@pytest.mark.parametrize(
    ("kind", "reply", "error"),
    [
        ("sum", "Answer: not in the text", "missed"),
        ("absent", "Answer: 1234", "made_up"),
        ("sum", "Answer: 99999", "wrong_value"),
        ("last", "Answer: Hexley or Burwell", "wrong_value"),
    ],
)
def test_errors(kind: str, reply: str, error: str) -> None:
    env = Needle(level=3, length=1500, task=kind)
    env.reset(seed=1)
    _, reward, over, _, info = env.step(reply)
    assert (reward, over, info["error"]) == (0.0, True, error)


def test_what_is_said_is_read_generously() -> None:
    env = Needle(level=3, length=1500, task="last")
    village = env.reset(seed=1)[1]["task"].reference[0]
    for said in (
        f"Answer: to {village}",
        f"**Answer:** the parcel went to {village}.",
        f"The answer is {village.upper()}.",
    ):
        env.reset(seed=1)
        assert env.step(said)[4]["success"], said
    env = Needle(level=3, length=1500, task="absent")
    for said in ("Answer: not in the text", "Answer: Not mentioned in the text.", "Answer: unknown"):
        env.reset(seed=1)
        assert env.step(said)[4]["success"], said


@pytest.mark.parametrize("level", LEVELS)
def test_the_text_is_as_long_as_asked_and_holds_the_load(level: int) -> None:
    env = gym.make("ACB/Needle-v0", level=level)
    for seed in range(5):
        shown, info = env.reset(seed=seed)
        size = len(shown.split())
        assert LEVELS[level].length - 100 < size <= LEVELS[level].length
        assert info["task"].data["size"] == info["task"].facts["length"] == size
        assert info["task"].facts["load"] == LEVELS[level].load


@pytest.mark.parametrize("depth", [0, 50, 100])
def test_depth_places_what_is_asked_for(depth: float) -> None:
    env = Needle(level=3, length=4000, depth=depth)
    for seed in range(10):
        assert abs(env.reset(seed=seed)[1]["task"].facts["depth"] - depth) < 8


@pytest.mark.parametrize("count", [len, lambda text: len(re.findall(r"\w|\S", text)) + 3])
def test_a_tokenizer_s_count_is_never_exceeded(count) -> None:
    env = Needle(level=3, length=12_000, count=count)
    for seed in range(3):
        shown, info = env.reset(seed=seed)
        assert 12_000 - 700 <= count(shown) <= 12_000
        assert info["task"].data["unit"] == "tokens"
        assert info["task"].data["size"] == count(shown)


def test_more_load_leaves_the_length_and_adds_look_alikes() -> None:
    shown = [Needle(level=3, task="hop", load=load).reset(seed=2)[0] for load in (4, 100)]
    assert all(3900 < len(text.split()) <= 4000 for text in shown)
    numbers = [len(re.findall(r"\b\d{4}\b", text)) for text in shown]
    assert numbers[1] > numbers[0] + 20


def test_the_grid_of_the_paper_has_400_cells_and_each_seed_one_of_them() -> None:
    assert len(set(GRID)) == 400
    assert GRID[0] == (1000, 0.0)
    assert GRID[-1] == (40_000, 100.0)
    assert sorted({depth for _, depth in GRID}) == [0, 11, 22, 33, 44, 56, 67, 78, 89, 100]
    env = Needle(level=2, grid="acbench")
    for seed in (0, 57, 457):
        data = env.reset(seed=seed)[1]["task"].data
        assert (data["length"], data["depth"]) == GRID[seed % 400]


def test_a_haystack_of_the_user_s_own(tmp_path) -> None:
    (tmp_path / "b.txt").write_text("The sea is wide. The sea is deep.\n\nNobody has\ncounted the waves.", "utf-8")
    (tmp_path / "a.txt").write_text("First of all.", "utf-8")
    shown, _ = Needle(level=2, haystack=str(tmp_path)).reset(seed=0)
    assert "Nobody has counted the waves." in shown
    assert "lighthouse" not in shown
    with pytest.raises(ValueError, match="must be a folder"):
        Needle(level=2, haystack=str(tmp_path / "no"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no \.txt file"):
        Needle(level=2, haystack=str(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"load": 3}, "load must be an integer from 4 to 400"),
        ({"task": "sing"}, "task must be None or one of single"),
        ({"grid": "mine"}, "grid must be None or 'acbench'"),
        ({"grid": "acbench", "depth": 3}, "leave length and depth out"),
        ({"level": 1, "load": 9}, "begin at level 2"),
        ({"length": 100}, "length is 100 words, but"),
    ],
)
def test_bad_arguments_are_refused_at_once(kwargs, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Needle(**kwargs)


@pytest.mark.parametrize("env_id", ["ACB/Needle-v0", "ACB/LongQA-v0", "ACB/LongGen-v0", "ACB/LongAgent-v0"])
def test_anchors_are_stated_for_what_was_measured_and_for_nothing_else(env_id: str) -> None:
    other = {"ACB/LongGen-v0": {"items": 5}, "ACB/LongAgent-v0": {"turns": 60}}.get(env_id, {"length": 3000})
    plain, changed = gym.make(env_id).unwrapped, gym.make(env_id, **other).unwrapped
    plain.reset(seed=0)
    changed.reset(seed=0)
    assert plain.anchor is not None
    assert plain.heuristic_anchor is not None
    assert plain.heuristic_reply()
    assert changed.anchor is None
    assert changed.heuristic_anchor is None
    assert changed.heuristic_reply() is None
