"""ACB/LongQA-v0: each group's questions worked out again, replies in many forms, depth."""

from __future__ import annotations

import re

import pytest

from acgym.envs.context.longqa.env import GROUPS, LongQA
from acgym.envs.context.longqa.minutes import told_facts


def played(group: str, seeds: int, level: int = 2, **kwargs):
    env = LongQA(level=level, group=group, **kwargs)
    for seed in range(seeds):
        shown, info = env.reset(seed=seed)
        yield env, shown, info["task"]


@pytest.mark.parametrize("level", [1, 3, 5])
@pytest.mark.parametrize("group", GROUPS)
def test_the_oracle_wins_and_lengths_are_about_as_asked(group: str, level: int) -> None:
    for env, shown, task in played(group, 8, level, length=900):
        assert 300 < len(shown.split()) < 1500, task.kind
        assert env.step(env.oracle())[4]["success"]


def test_tables_are_answered_by_reading_them() -> None:
    seen = 0
    for _, shown, task in played("multi", 60, 3, length=900):
        if task.kind != "multi: table":
            continue
        seen += 1
        rows = [line.split(" | ") for line in shown.splitlines() if line.count(" | ") == 4][1:]
        found = re.search(r"Which (\w+) of (\w+) pays the (\w+) fee", task.goal)
        if found:
            of = [row for row in rows if row[2] == found[1] and row[1] == found[2]]
            best = (max if found[3] == "highest" else min)(of, key=lambda row: int(row[4]))
            assert best[0] == task.reference
        else:
            found = re.search(r"members of (\w+) who are (\w+)s by trade .* before (\d+)", task.goal)
            assert str(sum(r[1] == found[1] and r[2] == found[2] and int(r[3]) < int(found[3]) for r in rows)) == (
                task.reference
            )
    assert seen > 5


def test_logs_are_answered_by_reading_them() -> None:
    seen = 0
    for _, shown, task in played("multi", 80, 1, length=900):
        found = re.search(r"duty when (\w+ \d) stopped for the last time", task.goal)
        if found is None:
            continue
        seen += 1
        day, hour = max((int(d), int(h)) for d, h in re.findall(rf"Day (\d+), (\d+):\d\d: {found[1]} stopped", shown))
        shift = "early" if 6 <= hour < 14 else "late" if 14 <= hour < 22 else "night"
        book = dict(re.findall(rf"Day (\d+): .*?{shift} ([A-Z]\w+ [A-Z]\w+)", shown))
        assert book[str(day if hour >= 6 else day - 1)] == task.reference
    assert seen > 5


def test_a_manual_is_followed_from_section_to_section() -> None:
    for _, shown, task in played("multi", 60, 4, length=900):
        if task.kind != "multi: manual":
            continue
        sections = {}
        for section in re.split(r"\n\n\d+\. |\n1\. ", shown.partition("Question:")[0])[1:]:
            head, _, text = section.partition("\n")
            sections[head.lower()] = text
        name = re.search(r"the (\w+ [PQR]-\d+)", task.goal)[1].lower()
        unit = re.search(r"days|newton|degrees|oil|millibar|warm", task.goal)[0]
        unit = {"warm": "minutes", "oil": "millilitres"}.get(unit, unit)
        while not re.search(rf"\d+ {unit}", sections[name]):
            name = re.search(r"as with (\w+ [PQR]-\d+)", sections[name])[1].lower()
        assert re.search(rf"(\d+) {unit}", sections[name])[1] == task.reference


def test_code_may_give_its_arguments_by_name_and_in_any_spelling() -> None:
    for env, _, task in played("code", 5):
        extra, wanted = task.data["extra"], task.reference
        by_name = ", ".join(f"{name}={value}" for name, value in reversed(wanted.items()))
        for said in (f"{extra['name']}({by_name})", f"```python\nreturn {extra['name']}( {by_name} )\n```"):
            env.reset(seed=0)
            env._task = task
            assert env.step(said)[4]["success"], said
        env._task = task
        *_, info = env.step(f"return {extra['name']}(1)")
        assert (info["progress"], info["error"]) == (0.5, "partial_answer")


def test_a_summary_is_worth_what_it_tells_of_decisions_and_less_what_fell() -> None:
    facts = [
        {"matter": "roof", "value": "250", "who": "Ann Reed"}, {"matter": "well", "value": "90", "who": "Bob Reed"},
    ]  # fmt: skip
    fell = [{"matter": "bell", "value": "70"}]
    assert told_facts("The roof gets 250 crowns (Ann Reed). Bob Reed: 90 for the well.", facts, fell, 50) == (2, 0)
    assert told_facts("roof: 250, Ann Reed\nwell 90 Ann Reed\nbell 70", facts, fell, 50) == (1, 1)
    assert told_facts("x " * 50 + "The roof gets 250 crowns, Ann Reed.", facts, fell, 50) == (0, 0)
    assert told_facts("", facts, fell, 50) == (0, 0)


def test_every_label_that_is_asked_for_stands_among_the_examples() -> None:
    for level in (1, 3, 5):
        for _, shown, task in played("few-shot", 20, level, length=300):
            assert set(task.reference) <= set(re.findall(r"-> (\w+)", shown))


@pytest.mark.parametrize("depth", [0, 100])
@pytest.mark.parametrize("group", ["single", "code"])
def test_depth_places_what_is_needed(group: str, depth: float) -> None:
    for _, _, task in played(group, 6, 3, depth=depth):
        assert abs(task.facts["depth"] - depth) < 8


@pytest.mark.parametrize("kwargs", [{"length": 100}, {"group": "music"}, {"depth": 101}, {"level": 0}])
def test_bad_arguments_are_refused_at_once(kwargs) -> None:
    with pytest.raises(ValueError, match="must be"):
        LongQA(**kwargs)
