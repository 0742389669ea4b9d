"""The household: tasks worked by hand, every mistake, the grammar of actions, hostile replies."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.analysis.failure import Failure, classify
from acgym.envs.world.household.actions import Action, read_action
from acgym.envs.world.household.house import House, subgoals
from acgym.loop import play
from acgym.types import Task
from tests.helpers.households import Fixed
from tests.helpers.recorded import Faulty

ID = "ACB/Household-v0"
LEVELS = (1, 2, 3, 4, 5)
KEYS = {"progress", "success", "malformed", "error"}


def small_task():
    goal = {"things": ["mug"], "count": 1, "needs": ["clean"], "to": "drawer", "close": False}
    data = {
        "level": 1,
        "rooms": ["kitchen"],
        "places": [
            ["table", "kitchen", "surface"],
            ["drawer", "kitchen", "closed"],
            ["box", "kitchen", "closed"],
            ["desk", "kitchen", "surface"],
        ],
        "tools": {"sink": "kitchen", "microwave": "kitchen", "fridge": "kitchen"},
        "objects": [["mug", "box"], ["plate", "box"], ["pear", "table"]],
        "goals": [goal],
    }
    return Task("clean and put", "put a clean mug in the drawer", data, subgoals([goal]))


def large_task(**changes):
    goal = {"things": ["red mug"], "count": 1, "needs": ["clean", "heat"], "to": "box 1", "close": True} | changes
    data = {
        "level": 3,
        "rooms": ["kitchen", "hall"],
        "places": [["table 1", "kitchen", "surface"], ["box 1", "hall", "closed"], ["bed 1", "hall", "surface"]],
        "tools": {"sink": "kitchen", "microwave": "kitchen", "fridge": "hall"},
        "objects": [["red mug", "table 1"], ["blue mug", "table 1"], ["pink mug", "bed 1"]],
        "goals": [goal],
    }
    return Task("by hand", "see the test", data, subgoals([goal]))


def opened(task, *actions):
    env = Fixed(task)
    env.reset(seed=0)
    for action in actions:
        env.step(action)
    return env


def test_a_task_worked_by_hand():
    env = Fixed(small_task())
    observation, info = env.reset(seed=0)
    assert observation.endswith(
        "Task: put a clean mug in the drawer.\nYou are in the kitchen. You see a table, a drawer, a box, a desk."
    )
    assert info == {
        "progress": 0.0,
        "success": False,
        "malformed": False,
        "error": None,
        "task": small_task(),
        "tools": (),
    }
    script = [
        ("find mug; left table, box, desk", "go to table", "You are at the table. On the table: a pear.", 0),
        ("find mug; left box, desk", "go to box", "You are at the box. The box is closed.", 0),
        (
            "box is closed; find mug; left box, desk",
            "open box",
            "You open the box. In the box: a mug, a plate.",
            0,
        ),
        ("found mug; then clean, drawer", "take mug", "You take the mug.", 1),
        ("have mug; then clean, drawer", "go to sink", "You are at the sink.", 0),
        ("have mug at sink; then clean, drawer", "clean mug", "You clean the mug.", 1),
        ("mug is clean; then drawer", "go to drawer", "You are at the drawer. The drawer is closed.", 0),
        (
            "mug is clean, drawer is closed; then drawer",
            "open drawer",
            "You open the drawer. In the drawer: nothing.",
            0,
        ),
        (
            "mug is clean at drawer; then drawer",
            "put mug in drawer",
            "You put the mug in the drawer. The task is done.",
            1,
        ),
    ]
    progress = 0
    for i, (thought, action, answer, gain) in enumerate(script):
        assert env.oracle() == f"Thought: {thought}.\nAction: {action}"
        observation, reward, terminated, truncated, info = env.step(f"Action: {action}")
        progress += gain
        last = i == len(script) - 1
        assert observation == env.render() == answer
        assert reward == pytest.approx(gain / 3)
        assert (terminated, truncated) == (last, False)
        assert info == {"progress": pytest.approx(progress / 3), "success": last, "malformed": False, "error": None}


def test_progress_never_falls_and_cleaning_undoes_heat():
    env = opened(large_task(), "go to table 1", "take red mug", "go to microwave")
    assert env.step("heat red mug")[1] == pytest.approx(1 / 5)  # held, hot
    env.step("go to sink")
    _, reward, _, _, info = env.step("clean red mug")  # held, clean, hot no more
    assert (reward, info["progress"]) == (0.0, pytest.approx(2 / 5))
    assert not env.house.is_treated("red mug", "heat")
    env.step("go to microwave")
    assert env.step("heat red mug")[4]["progress"] == pytest.approx(3 / 5)
    for action in ("go to hall", "go to box 1", "open box 1"):
        env.step(action)
    _, _, terminated, _, info = env.step("put red mug in box 1")
    assert (terminated, info["progress"]) == (False, pytest.approx(4 / 5))
    _, _, terminated, _, info = env.step("close box 1")
    assert (terminated, info["success"], info["progress"]) == (True, True, 1.0)


def test_what_must_hold_at_the_end_must_hold_at_the_end():
    env = opened(large_task(needs=[], close=True), "go to table 1", "take red mug", "go to hall", "go to box 1")
    env.step("open box 1")
    assert env.step("put red mug in box 1")[4]["progress"] == pytest.approx(2 / 3)
    env.step("take red mug")
    _, _, terminated, _, info = env.step("close box 1")
    assert (terminated, info["success"], info["progress"]) == (False, False, pytest.approx(2 / 3))


def test_any_two_of_three_will_do():
    task = large_task(things=["red mug", "blue mug", "pink mug"], count=2, needs=[], to="box 1", close=False)
    env = opened(task, "go to hall", "go to box 1", "open box 1", "go to bed 1", "take pink mug", "go to box 1")
    assert env.step("put pink mug in box 1")[4]["progress"] == pytest.approx(2 / 4)
    for action in ("go to kitchen", "go to table 1", "take blue mug", "go to hall", "go to box 1"):
        info = env.step(action)[4]
    assert info["progress"] == pytest.approx(3 / 4)
    assert env.step("put blue mug in box 1")[4]["success"]


@pytest.mark.parametrize(
    ("before", "action", "kind"),
    [
        ([], "open table 1", "not_here"),
        ([], "go to bed 1", "not_here"),
        ([], "take red mug", "not_here"),
        (["go to table 1"], "take pink mug", "not_here"),
        (["go to table 1"], "take red mug from bed 1", "not_here"),
        (["go to table 1", "take red mug"], "put red mug in sink", "not_here"),
        (["go to table 1", "take red mug"], "put red mug in hall", "not_here"),
        ([], "go to drawer 9", "unknown_place"),
        ([], "open moon", "unknown_place"),
        ([], "take moon", "unknown_object"),
        ([], "take mug", "not_here"),
        ([], "put moon in table 1", "unknown_object"),
        ([], "heat moon", "unknown_object"),
        (["go to table 1", "take red mug", "go to hall", "go to box 1"], "put red mug in box 1", "closed"),
        (["go to hall", "go to box 1"], "take red mug", "closed"),
        (["go to table 1"], "open table 1", "cannot_open"),
        (["go to hall", "go to box 1"], "close box 1", "already"),
        (["go to hall", "go to box 1", "open box 1"], "open box 1", "already"),
        (["go to table 1"], "put red mug in table 1", "not_holding"),
        (["go to sink"], "clean red mug", "not_holding"),
        (["go to table 1", "take red mug"], "take blue mug", "hands_full"),
        (["go to table 1", "take red mug"], "clean red mug", "wrong_place"),
        (["go to table 1", "take red mug", "go to sink"], "clean red mug with fridge", "wrong_place"),
        (["go to table 1", "take red mug", "go to sink"], "put red mug in sink", "wrong_place"),
    ],
)
def test_mistakes(before, action, kind):
    env = opened(large_task(), *before)
    progress, state = env.step("inventory")[4]["progress"], deepcopy(vars(env.house))
    observation, reward, terminated, _, info = env.step(action)
    assert (info["error"], info["malformed"], terminated, reward) == (kind, False, False, 0.0)
    assert info["progress"] == progress
    assert observation
    assert vars(env.house) == state


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        ("go to drawer 2", Action("go", place="drawer 2")),
        ("Go to the Drawer.", Action("go", place="drawer")),
        ("Thought: go to box.\nAction: open the box.\n", Action("open", place="box")),
        ("Action: take mug\nthen Action: close box\nmore", Action("close", place="box")),
        ("**Action:** `take a mug`", Action("take", "mug")),
        ("Action:\ntake mug from the table", Action("take", "mug", "table")),
        ("put the red mug on shelf 1", Action("put", "red mug", "shelf 1")),
        ("PUT MUG INTO BOX!", Action("put", "mug", "box")),
        ("heat mug with the microwave", Action("heat", "mug", "microwave")),
        ("cool pie", Action("cool", "pie")),
        ("look around", Action("look")),
        ("Inventory.", Action("inventory")),
    ],
)
def test_variants_of_an_action(reply, action):
    assert read_action(reply) == action


@pytest.mark.parametrize(
    "reply",
    [
        *["", " \n", "Action:", "go", "go to", "go to the", "go drawer", "open", "take", "put mug", "put in box"],
        *["clean", "look there", "inventory now", "eat mug", "I will go to box", "Action: go to box\nAction: jump"],
        "open " * 50,
    ],
)
def test_malformed(reply):
    env = opened(small_task())
    observation, reward, terminated, _, info = env.step(reply)
    assert (info["malformed"], info["error"], reward, terminated) == (True, None, 0.0, False)
    assert "is not an action" in observation


@pytest.mark.parametrize(
    "reply",
    [
        *["Action: done", "Done.", "The task is complete.", "**I have finished!**", "Action: The task is done."],
        *["Thought: the mug is in the drawer.\nAction: done", "I put the mug away. The task is complete. Bye."],
    ],
)
def test_a_final_word_ends_the_episode_and_keeps_the_progress(reply):
    env = opened(small_task(), "go to box", "open box", "take mug")
    observation, reward, terminated, truncated, info = env.step(reply)
    assert (observation, reward, terminated, truncated) == ("The task is not done.", 0.0, True, False)
    assert (info["error"], info["malformed"], info["success"]) == ("premature_stop", False, False)
    assert info["progress"] == pytest.approx(1 / 3)


def test_an_episode_that_insists_on_being_done_is_a_premature_stop():
    """It was a format error as long as there was no word for it."""
    slip = Faulty("q", lambda at: "The task is complete." if at > 1 else None)
    for lost in play(slip, ID, range(20), kwargs={"level": 1}):
        assert classify(lost) == Failure("premature_stop", 2)


def test_look_and_inventory():
    env = opened(small_task(), "go to box", "open box", "take mug")
    assert env.step("inventory")[0] == "You hold a mug."
    room = "You are in the kitchen. You see a table, a drawer, a box, a desk."
    assert env.step("look")[0] == f"{room} You are at the box. In the box: a plate."


PHRASES = "Action: |go to |open |close |take |put |in |on |clean |heat |look|red mug |table 1|box 1|the |.|\n"
WORDS = st.sampled_from(PHRASES.split("|"))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.lists(WORDS, max_size=9).map("".join), st.binary().map(lambda b: b.decode("latin-1"))))
def test_no_text_raises(text):
    env = opened(large_task(), "go to table 1")
    observation, reward, terminated, truncated, info = env.step(text)
    assert observation in env.observation_space
    assert set(info) == KEYS
    assert (terminated, truncated) == (False, False)
    assert reward in (0.0, 0.2)
    assert env.oracle().count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        *["x" * 10_000_000, "\0" * 100, "\ud800\udfff", "take \ud800", "Action: go to \ud800\0", "[" * 15_000],
        *["{" * 15_000, "Action:" * 2_000, "go to " + "(" * 150, "put " + "in " * 60, "\u2028take\u2028mug"],
        "İ" * 30 + "action: look",
    ],
    ids=range(12),
)
def test_hostile_text(text):
    env = opened(small_task())
    observation, reward, _, _, info = env.step(text)
    assert observation in env.observation_space
    assert observation
    assert reward == 0.0
    assert set(info) == KEYS


def test_a_house_starts_in_its_first_room_with_empty_hands():
    house = House(large_task().data)
    assert (house.room, house.at, house.hand) == ("kitchen", None, None)
    assert house.describe_room() == "You are in the kitchen. You see table 1. You can use a sink, a microwave."
