"""Large houses of the household: doors, lamps, states, look-alikes, and tasks that rest on what people do."""

from __future__ import annotations

import re
from collections import Counter

import gymnasium as gym
import numpy as np
import pytest

from acgym.envs.names import words
from acgym.envs.world.household.actions import Action, read_action
from acgym.envs.world.household.furniture import HOME_OF, INSIDES_OF, LAMPS, LOOKS, SURFACES_OF
from acgym.envs.world.household.house import House, subgoals
from acgym.envs.world.household.large import SIZES
from acgym.envs.world.household.people import lines
from acgym.envs.world.household.wordings import Said, say_goal
from acgym.envs.world.household.words import OBJECTS, PLACES, kind_of, plural, within
from acgym.types import Task
from tests.helpers.households import Fixed

ID = "ACB/Household-v0"
LARGE = (2, 3, 4, 5)


def house_task(*goals):
    data = {
        "level": 3,
        "rooms": ["hall", "study", "attic"],
        "doors": [["hall", "study"], ["study", "attic"]],
        "places": [["hall bench", "hall", "surface"], ["desk", "study", "surface"], ["crate", "attic", "closed"]],
        "tools": {"sink": "hall", "microwave": "hall", "fridge": "attic"},
        "lamps": {"desk lamp": "study"},
        "people": ["Ana goes through novels on the desk in the study."],
        "objects": [["red mug", "desk"], ["blue mug", "hall bench"], ["tiny pie", "hall bench"]],
        "states": {"red mug": "dirty", "blue mug": "clean", "tiny pie": "warm"},
        "goals": list(goals),
    }
    return Task("by hand", "See the test.", data, subgoals(goals))


def goal(**changes):
    return {"things": ["red mug"], "count": 1, "needs": [], "to": "crate", "close": False, "home": ""} | changes


def opened(task, *actions):
    env = Fixed(task)
    env.reset(seed=0)
    for action in actions:
        env.step(action)
    return env


def test_rooms_are_reached_through_doors_only():
    env = opened(house_task(goal()))
    assert env.observations[0].endswith(
        "From the hall doors lead to the study; from the study doors lead to the attic. The sink and the microwave are"
        " in the hall; the fridge is in the attic; the desk lamp is in the study.\n"
        "Ana goes through novels on the desk in the study.\nTask: See the test.\n"
        "You are in the hall. You see a hall bench. You can use a sink, a microwave. From here you can go to the study."
    )
    told, _, _, _, info = env.step("go to attic")
    assert (told, info["error"]) == ("No door leads from the hall to the attic.", "not_here")
    assert env.step("go to the study")[4]["error"] is None
    assert env.step("go to attic")[4]["error"] is None


def test_a_thing_is_seen_in_the_light_of_a_lamp():
    env = opened(house_task(goal(to="desk lamp", lamp=True)), "go to study", "go to desk", "take red mug")
    assert env.step("examine red mug")[0] == "The red mug is dirty."
    assert env.step("go to desk lamp")[0] == "You are at the desk lamp. It is off."
    assert env.step("turn off desk lamp")[4]["error"] == "already"
    assert env.step("put red mug in desk lamp")[4]["error"] == "wrong_place"
    assert env.step("switch the desk lamp on")[0] == "You turn on the desk lamp."
    _, _, terminated, _, info = env.step("look at the red mug under the desk lamp")
    assert (terminated, info["success"]) == (True, True)


def test_states_are_told_and_changed():
    env = opened(house_task(goal()), "go to hall bench")
    assert env.step("examine blue mug")[0] == "The blue mug is clean."
    assert env.step("examine tiny pie")[0] == "The tiny pie is warm."
    assert env.step("examine red mug")[4]["error"] == "not_here"
    for action in ("take tiny pie", "go to sink", "clean tiny pie"):
        env.step(action)
    assert env.step("examine tiny pie")[0] == "The tiny pie is clean."
    assert env.step("turn on sink")[4]["error"] == "cannot_open"


def test_a_look_alike_spoils_the_place_until_it_is_taken_away():
    env = opened(house_task(goal(to="hall bench")), "go to study", "go to desk", "take red mug", "go to hall")
    env.step("go to hall bench")
    assert not env.step("put red mug in hall bench")[2]
    env.step("take blue mug")
    assert env.house.foreign(["red mug"], "hall bench") == []
    assert env.step("inventory")[4]["success"]


def test_the_expert_examines_before_she_decides():
    env = opened(house_task(goal(needs=["clean"], look=True)), "go to study", "go to desk", "take red mug")
    assert env.oracle().endswith("Action: examine red mug")


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        ("examine the red mug", Action("examine", "red mug")),
        ("look at red mug", Action("examine", "red mug")),
        ("inspect red mug with desk lamp", Action("examine", "red mug", "desk lamp")),
        ("turn on the desk lamp", Action("turn on", place="desk lamp")),
        ("switch desk lamp off", Action("turn off", place="desk lamp")),
        ("use desk lamp", Action("turn on", place="desk lamp")),
        ("turn lamp", None),
        ("turn on", None),
        ("use", None),
        ("examine", None),
        ("look at", None),
    ],
)
def test_actions_of_large_houses(reply, action):
    assert read_action(reply) == action


def test_small_houses_do_not_know_them():
    env = gym.make(ID, level=1).unwrapped
    env.reset(seed=0)
    for reply in ("examine mug", "turn on lamp", "look at mug"):
        assert env.step(reply)[4]["malformed"]


def test_every_family_is_drawn_and_all_six_kinds_of_alfworld_are_among_them():
    for level in LARGE:
        env = gym.make(ID, level=level).unwrapped
        found = Counter(env.reset(seed=seed)[1]["task"].kind for seed in range(120))
        assert set(found) == {name for name, _ in SIZES[level].families}
    env = gym.make(ID, level=2).unwrapped
    kinds = set()
    for seed in range(120):
        for one in env.reset(seed=seed)[1]["task"].data["goals"]:
            kinds.add("light" if one.get("lamp") else "two" if one["count"] == 2 else "+".join(one["needs"]) or "put")
    assert {"light", "two", "clean", "heat", "cool", "put"} <= kinds


@pytest.mark.parametrize("level", LARGE)
def test_what_is_told_by_where_somebody_left_it_is_the_only_one_there(level):
    """Or, with a twin in the same place, the look that the task tells is of one of them only."""
    env = gym.make(ID, level=level).unwrapped
    for seed in range(60):
        task = env.reset(seed=seed)[1]["task"]
        where = dict(task.data["objects"])
        for one in task.data["goals"]:
            if one["home"] or one["count"] == 2:
                continue
            thing = one["things"][0]
            like = [
                other for other, place in where.items() if place == where[thing] and kind_of(other) == kind_of(thing)
            ]
            assert len(like) == 1 or LOOKS[thing.partition(" ")[0]] in task.goal
            assert any(within(where[thing]).partition(" ")[2] in fact.lower() for fact in task.data["people"])


def test_a_fact_and_its_references_share_no_word():
    small = set(words("the a an of to in on with what is that for from and at it one who up or are things alone"))
    for sort in ("does", "keeps", "is"):
        for split in ("eval", "train"):
            for fact, other in ((f, r) for line in lines(sort, split) for f in line.facts for r in line.references):
                one, two = ({word[:5] for word in re.findall(r"[a-z]+", text)} - small for text in (fact, other))
                assert not one & two, (fact, other)
    assert not set(lines("does", "eval")) & set(lines("does", "train"))


def test_names_are_apart():
    places = [name for rows in (SURFACES_OF, INSIDES_OF) for names in rows.values() for name in names]
    assert len(set(places)) == len(places)
    assert not set(places) & set(LAMPS)
    assert not ({*OBJECTS, *HOME_OF} & {*PLACES, *places})
    assert [plural(kind) for kind in ("wrench", "toothbrush", "pillow")] == ["wrenches", "toothbrushes", "pillows"]
    assert within("hammock") == "in the hammock"


class First:
    """Draws the first of everything."""

    def pick(self, items):
        """Return the first."""
        return items[0]


def test_a_goal_in_words():
    said = Said("Ana was reading and forgot a mug there. ", "that mug")
    assert say_goal(First(), [said], "mug", ["clean", "cool"], "on the desk", any_two=False) == (
        "Ana was reading and forgot a mug there. Wash and then chill that mug and put it on the desk."
    )
    both = [Said("", "the mug that Ana has, the one as dark as coal,"), Said("", "Bo's mug")]
    assert say_goal(First(), both, "mug", [], "on the desk", any_two=False) == (
        "Put the mug that Ana has, the one as dark as coal, and Bo's mug on the desk."
    )


def test_a_house_without_doors_lets_one_go_anywhere():
    data = {key: value for key, value in house_task(goal()).data.items() if key != "doors"}
    house = House(data)
    assert house.act(Action("go", place="attic")).error is None
    assert house.foreign(["red mug"], "hall bench") == []


@pytest.mark.parametrize("level", LARGE)
def test_a_thing_is_in_one_place_whatever_is_done(level):
    env = gym.make(ID, level=level).unwrapped
    for seed in range(5):
        env.reset(seed=seed)
        rng, names = np.random.default_rng(seed), sorted(env.house.where)
        for _ in range(60):
            if env.step(env.random_reply(rng))[2]:
                break
            house = env.house
            lying = [thing for things in house.contents.values() for thing in things]
            assert sorted([*lying, *([house.hand] if house.hand else [])]) == names
            assert all(house.where[thing] == place for place, things in house.contents.items() for thing in things)
