"""Planning problems: PDDL is read or refused by name, plans are held against brute force, progress is as defined."""

from __future__ import annotations

import contextlib
from collections import deque
from pathlib import Path

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

import acgym
from acgym.envs.world.planning.env import PDDL
from acgym.envs.world.planning.ground import World
from acgym.envs.world.planning.pddl import BadPddl, Literal, read_domain, read_problem
from acgym.envs.world.planning.planner import plan, shortened, valid
from acgym.envs.world.planning.words import action_words, read_action, rule, sentence
from acgym.rows import BadRow

FERRY = """
; a boat that carries one car at a time
(define (domain ferry)
  (:requirements :strips :typing :negative-preconditions :equality)
  (:types car shore - thing)
  (:constants deck - thing)
  (:predicates (boat-at ?s - shore) (at ?c - car ?s - shore) (aboard ?c - car) (busy))
  (:action sail :parameters (?from ?to - shore)
    :precondition (and (boat-at ?from) (not (= ?from ?to)))
    :effect (and (boat-at ?to) (not (boat-at ?from))))
  (:action board :parameters (?c - car ?s - shore)
    :precondition (and (at ?c ?s) (boat-at ?s) (not (busy)))
    :effect (and (aboard ?c) (busy) (not (at ?c ?s))))
  (:action land :parameters (?c - car ?s - shore)
    :precondition (and (aboard ?c) (boat-at ?s))
    :effect (and (at ?c ?s) (not (aboard ?c)) (not (busy)))))
"""
TWO_CARS = """
(define (problem two-cars) (:domain ferry)
  (:objects red blue - car north south - shore)
  (:init (boat-at south) (at red north) (at blue south))
  (:goal (and (at red south) (at blue north) (not (busy)))))
"""


def world(problem: str = TWO_CARS, domain: str = FERRY) -> World:
    rules = read_domain(domain, "ferry.pddl")
    return World(rules, read_problem(problem, rules, "two-cars.pddl"))


def folder(tmp_path: Path, **problems: str) -> Path:
    (tmp_path / "ferry").mkdir()
    (tmp_path / "ferry.pddl").write_text(FERRY)
    for name, text in (problems or {"two-cars": TWO_CARS}).items():
        (tmp_path / "ferry" / f"{name}.pddl").write_text(text)
    return tmp_path


def shortest(task: World) -> int:
    """Breadth-first search, the independent judge of the planner."""
    queue, far = deque([task.start]), {task.start: 0}
    while queue:
        state = queue.popleft()
        if task.goals_met(state) == len(task.problem.goal):
            return far[state]
        for action in task.applicable(state):
            after = action.apply(state)
            if after not in far:
                far[after] = far[state] + 1
                queue.append(after)
    raise AssertionError("the goal is out of reach")


def test_a_domain_is_read_by_hand():
    domain = read_domain(FERRY, "ferry.pddl")
    assert (domain.name, [each.name for each in domain.actions]) == ("ferry", ["sail", "board", "land"])
    assert domain.predicates == {"boat-at": 1, "at": 2, "aboard": 1, "busy": 0}
    assert domain.actions[0].precondition == (Literal("boat-at", ("?from",)), Literal("=", ("?from", "?to"), False))
    assert domain.is_a("car", "thing")
    assert domain.is_a("car", "object")
    assert not domain.is_a("car", "shore")


def test_only_actions_that_types_and_equality_allow_are_made():
    made = list(world().actions)
    assert ("sail", ("north", "south")) in made
    assert ("sail", ("north", "north")) not in made  # not (= ?from ?to)
    assert ("board", ("north", "red")) not in made  # a shore is no car
    assert len(made) == 2 + 4 + 4
    assert made == sorted(made)


def test_an_action_does_what_it_says():
    task = world()
    board = task.actions["board", ("blue", "south")]
    after = board.apply(task.start)
    assert after == task.start - {("at", ("blue", "south"))} | {("aboard", ("blue",)), ("busy", ())}
    assert not task.actions["board", ("red", "north")].applicable(after)  # the boat is at the other shore, and busy
    assert task.goals_met(task.start) == 1  # not (busy)
    assert task.goals_met(after) == 0


def test_the_plan_is_valid_and_as_short_as_search_finds():
    task = world()
    steps = plan(task, task.start)
    assert steps is not None
    assert valid(steps, task, task.start)
    assert len(steps) == shortest(task) == 6  # board, sail, land, board, sail, land


def test_no_plan_is_said_and_an_empty_one_too():
    stuck = world(TWO_CARS.replace("(boat-at south) ", ""))
    assert plan(stuck, stuck.start) is None
    done = world(TWO_CARS.replace("(at red south) (at blue north)", "(at red north)"))
    assert plan(done, done.start) == []


def test_what_a_plan_does_not_need_is_left_out():
    task = world()
    there, back = task.actions["sail", ("south", "north")], task.actions["sail", ("north", "south")]
    steps = plan(task, task.start) or []
    assert len(shortened([there, back, *steps], task, task.start)) == len(steps)


@pytest.mark.parametrize(
    ("domain", "problem", "said"),
    [
        (FERRY.replace(":equality", ":adl"), TWO_CARS, "requirement :adl is not read"),
        (
            FERRY.replace("(not (= ?from ?to))", "(forall (?c - car) (not (aboard ?c)))"),
            TWO_CARS,
            "(forall ...) is not",
        ),
        (FERRY.replace("(busy))\n", "(busy)\n"), TWO_CARS, "1 ( without their )"),
        (FERRY + ")", TWO_CARS, "a ) without its ("),
        (FERRY.replace("(aboard ?c) (busy)", "(afloat ?c) (busy)"), TWO_CARS, "(afloat ?c) uses a predicate"),
        (FERRY.replace("(at ?c ?s) (boat-at", "(at ?c) (boat-at"), TWO_CARS, "has 1 arguments, 2 are declared"),
        (FERRY.replace("(aboard ?c) (boat-at", "(aboard ?car) (boat-at"), TWO_CARS, "uses ?car, which is no parameter"),
        (FERRY, TWO_CARS.replace("at red north", "at green north"), "names green, which is no object"),
        (FERRY, TWO_CARS.replace("red blue - car", "red red - car red - shore"), "object red is declared twice"),
        (FERRY, TWO_CARS.replace("(:goal (and (at red south) (at blue north) (not (busy)))))", ")"), "has no goal"),
        (FERRY, TWO_CARS.replace("(boat-at south)", "(not (busy))"), "leave out what does not"),
        (FERRY, "no pddl", "expected one (define (problem"),
        (FERRY, "(" * 100, "nested deeper"),
    ],
)
def test_what_is_not_read_is_named(domain, problem, said):
    with pytest.raises(BadPddl) as caught:
        world(problem, domain)
    assert said in str(caught.value)


@given(st.text("()?;:-= \ndefinedomainproblem", max_size=200))
def test_no_text_breaks_the_reader(text):
    for read in (lambda: read_domain(text, "x"), lambda: read_problem(text, read_domain(FERRY, "f"), "x")):
        with contextlib.suppress(BadPddl):
            read()


def test_variables_may_stand_without_a_space():
    """As in AgentBoard's barman: ``?l - level?l1 - level``."""
    squeezed = FERRY.replace(
        "?c - car ?s - shore)\n    :precondition (and (at", "?c - car?s - shore)\n    :precondition (and (at"
    )
    assert squeezed != FERRY
    assert read_domain(squeezed, "f").actions == read_domain(FERRY, "f").actions


@pytest.mark.parametrize(
    "reply",
    [
        "board blue south",
        "Board Blue, South.",
        "board(blue, south)",
        "(board blue south)",
        "Thought: the boat must carry it.\nAction: board blue at south",
        "I could sail south north.\nBoard the blue car at the south shore",
    ],
)
def test_an_action_is_read_as_it_is_meant(reply):
    names, objects = {"sail", "board", "land"}, {"red", "blue", "north", "south"}
    assert read_action(reply, names, objects) == ("board", ("blue", "south"))


def test_words_are_sentences():
    assert sentence(("on", ("a", "b"))) == "a is on b"
    assert sentence(("strange-thing", ("a",))) == "a is strange thing"
    assert sentence(("linked", ("a", "b"))) == "linked of a, b"
    assert rule(read_domain(FERRY, "f").actions[1]) == (
        "board C S. Needs: C is a car; S is a shore; C is at S; S is boat at. And that it is not so that: busy. "
        "Then: C is aboard; busy. No longer: C is at S."
    )


def test_an_episode_by_hand(tmp_path):
    env = gym.make("ACB/PDDL-v0", path=str(folder(tmp_path)), domain="ferry")
    told, info = env.reset(seed=0)
    assert "The goal is that red is at south; blue is at north; it is not so that busy." in told
    assert "State: Blue is at south. Red is at north. South is boat at." in told
    told, reward, *_, info = env.step("board red north")
    assert (reward, info["error"], info["malformed"]) == (0.0, "not_applicable", False)
    _, reward, *_, info = env.step("dance")
    assert (reward, info["malformed"]) == (0.0, True)
    *_, info = env.step("board blue")
    assert info["error"] == "unknown_object"
    told, *_ = env.step("check valid actions")
    assert told == "Valid actions are: board blue south, sail south north."
    assert env.step("look around")[0].startswith("State: Blue is at south.")
    rewards = [env.step(words)[1] for words in ("board blue south", "sail south north", "land blue north")]
    assert rewards == [0.0, 0.0, pytest.approx(0.5)]  # one of three held at the start, two do now
    for words in ("board red north", "sail north south"):
        assert env.step(words)[1] == 0.0  # what was reached once is kept
    _, reward, terminated, _, info = env.step("land red south")
    assert (reward, terminated, info["success"], info["progress"]) == (pytest.approx(0.5), True, True, 1.0)


def test_agentboards_progress_counts_what_holds_from_the_start(tmp_path):
    env = PDDL(str(folder(tmp_path)), compat="agentboard")
    env.reset(seed=0)
    assert env.step("look around")[4]["progress"] == 0.0  # nothing was done yet
    assert env.step("sail south north")[4]["progress"] == pytest.approx(1 / 3)


def test_the_oracle_goes_on_from_anywhere(tmp_path):
    env = gym.make("ACB/PDDL-v0", path=str(folder(tmp_path)))
    env.reset(seed=0)
    env.step(env.unwrapped.oracle())
    env.step("sail south north")
    env.step("sail north south")
    for _ in range(10):
        *_, terminated, _, info = env.step(env.unwrapped.oracle())
        if terminated:
            break
    assert info["success"]


def test_domains_are_found_and_missing_ones_named(tmp_path):
    root = folder(tmp_path, one=TWO_CARS, two=TWO_CARS.replace("boat-at south", "boat-at north"))
    assert PDDL(str(root)).rows == 2
    assert PDDL(str(root / "ferry" / "one.pddl")).rows == 1
    with pytest.raises(ValueError, match=r"of the domain 'train'; there are ferry"):
        PDDL(str(root), domain="train")
    with pytest.raises(FileNotFoundError, match="there is no PDDL file or folder"):
        PDDL(str(root / "nothing"))
    (root / "ferry.pddl").rename(root / "ferry" / "domain.pddl")
    assert PDDL(str(root)).rows == 2
    (root / "ferry" / "domain.pddl").unlink()
    with pytest.raises(BadRow, match=r"its domain was not found; put it at .*ferry\.pddl"):
        PDDL(str(root))


def test_a_bad_problem_is_named_before_any_play(tmp_path):
    root = folder(tmp_path, good=TWO_CARS, bad=TWO_CARS.replace("(at red north)", "(at red)"))
    with pytest.raises(BadRow, match=r"bad\.pddl.*row \"ferry/bad\": .*has 1 arguments, 2 are declared"):
        PDDL(str(root))
    done = TWO_CARS.replace("(at red south) (at blue north)", "(at red north)")
    (root / "ferry" / "bad.pddl").write_text(done)
    with pytest.raises(BadRow, match="its goal holds from the start"):
        PDDL(str(root))


def test_the_contract_holds(tmp_path):
    acgym.check("ACB/PDDL-v0", path=str(folder(tmp_path)))


@given(st.permutations(["red", "blue"]), st.sampled_from(["north", "south"]))
def test_actions_are_said_and_read_back(cars, shore):
    words = action_words("board", (cars[0], shore))
    assert read_action(words, {"board"}, {"red", "blue", "north", "south"}) == ("board", (cars[0], shore))
