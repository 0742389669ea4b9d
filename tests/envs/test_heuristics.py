"""The simple heuristics: worked by hand, blind to what an agent is not told, and what guessing a code scores."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import gymnasium as gym
import pytest

from acgym.envs.context.heuristic import copy_codes
from acgym.envs.tools.call.heuristic import overlap
from acgym.envs.tools.call.words import simple_tool
from acgym.envs.workflow.heuristic import list_steps
from acgym.envs.world.household.heuristic import search
from acgym.suites import environment_class
from tests.helpers.registry import IDS

STATED = [env_id for env_id in IDS if environment_class(env_id).heuristic_anchors]


def test_a_code_is_copied_from_the_sentence_of_the_name():
    text = 'Rules.\nText: The code of "ann" is "1111". "cy" has the same code as "dot". The code of "bob" is "2222".'
    assert copy_codes(f'{text}\nQuestion: What are the codes of "bob", "ann"?') == "Answer: 2222, 1111"
    assert copy_codes(f'{text}\nQuestion: What is the code of "cy"?') == "Answer: 1111"  # reads no link
    assert copy_codes("nothing") == "Answer: "


def test_needs_in_brackets_are_taken_over_as_listed():
    told = "Rules\nGoal: c\nSteps:\n- c (needs: a, b)\n- x (needs: nothing)\n- a (needs: nothing)\n- b (needs: a)"
    edges = "(2,1) (3,1) (START,2) (2,3) (1,END)"
    assert list_steps(told) == f"Node:\n1: c\n2: a\n3: b\nEdge: {edges}"


def test_other_needs_make_a_star():
    told = "Rules\nGoal: c\nSteps:\n- c\n- a\nNeeds:\nTo c, first a."
    assert list_steps(told) == "Node:\n1: c\n2: a\nEdge: (START,1) (START,2) (1,END)"


def test_a_house_is_searched_in_the_order_in_which_it_is_listed():
    first = "Rules\nTask: put a hot mug in the box.\nYou are in the kitchen. You see a table, a box, a chest."
    script = [
        ("go to table", "You are at the table. On the table: a cup."),
        ("go to chest", "You are at the chest. The chest is closed."),
        ("open chest", "You open the chest. In the chest: a plate, a mug."),
        ("go to chest", "You are at the chest. In the chest: a plate, a mug."),
        ("take mug", "You take the mug."),
        ("go to microwave", "You are at the microwave."),
        ("heat mug", "You heat the mug."),
        ("go to box", "You are at the box. The box is closed."),
        ("open box", "You open the box. In the box: nothing."),
        ("put mug in box", "You put the mug in the box."),
        ("look", "You are in the kitchen."),
    ]
    told = [first]
    for action, heard in script:
        assert search(told) == f"Action: {action}"
        told.append(heard)


def test_the_tool_with_most_words_in_common_is_called_with_what_is_said():
    tools = (
        simple_tool("book_room", "Book a room.", ["price", "guest"]),
        simple_tool("find_car", "Find the price and rank of a car.", ["driver"]),
    )
    told = [
        'Rules\nPlease find the price of the car with driver "belado", then book a room with this price and guest "x".'
    ]
    assert json.loads(overlap(told, tools)) == {"name": "find_car", "arguments": {"driver": "belado"}}
    told.append('{"price": 7, "rank": 9}')
    assert json.loads(overlap(told, tools)) == {"name": "book_room", "arguments": {"price": 7, "guest": "x"}}
    asked = ['Rules\nPlease find the rank of the car with driver "belado".', '{"price": 7, "rank": 9}']
    assert overlap(asked, tools) == "Answer: 9"
    assert overlap([*asked[:1], '{"error": "no"}'], tools) == "Done."


@pytest.mark.parametrize("env_id", STATED)
@pytest.mark.parametrize("level", [1, 4])
def test_a_heuristic_sees_only_what_the_agent_is_told(env_id, level):
    env = gym.make(env_id, level=level).unwrapped
    for seed in range(5):
        env.reset(seed=seed)
        for _ in range(3):
            reply = env.heuristic_reply()
            task = env._task
            env._task = replace(task, goal="", data={}, reference=None)
            assert env.heuristic_reply() == reply
            env._task = task
            if env.step(reply)[2]:
                break


@pytest.mark.parametrize("env_id", STATED)
def test_a_heuristic_replies_whatever_it_hears(env_id):
    env = gym.make(env_id, level=3).unwrapped
    env.reset(seed=0)
    for heard in ("", "You are in the moon.", '{"error": "no"}', "Your reply is not an action."):
        env.observations.append(heard)
        assert env.heuristic_reply()


def test_copying_any_code_of_the_text_wins_one_third_at_level_1():
    env = gym.make("ACB/Needle-v0", level=1)
    won = 0
    for seed in range(300):
        told, _ = env.reset(seed=seed)
        code = re.findall('"([0-9]+)"', told)[0]
        won += env.step(f"Answer: {code}")[4]["success"]
    assert won / 300 == pytest.approx(1 / 3, abs=0.1)
