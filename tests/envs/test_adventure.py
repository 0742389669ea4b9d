"""Adventures: each puzzle, what text and state say, that nothing can be lost, and that no puzzle can be left out."""

from __future__ import annotations

import pickle
import re

import gymnasium as gym
import numpy as np
import pytest

from acgym.draw import Draw
from acgym.envs.world.adventure.acts import act
from acgym.envs.world.adventure.build import PAPERS, Builder
from acgym.envs.world.adventure.clues import code_clues, riddles, weights_of
from acgym.envs.world.adventure.env import expert_steps
from acgym.envs.world.adventure.game import GATES, NEEDS, kinds_of
from acgym.envs.world.adventure.oracle import expert
from acgym.envs.world.adventure.parse import read_command
from acgym.envs.world.adventure.setting import NAMES, setting
from acgym.envs.world.adventure.sources import SOURCES
from acgym.envs.world.adventure.world import YOU, World, article, plain
from tests.helpers.adventure_search import clone, search

ALL = [name for names in NAMES.values() for name in names]


def made(level=3, seed=0, split="eval"):
    env = gym.make("ACB/Adventure-v0", level=level, disable_env_checker=True).unwrapped
    env.reset(seed=seed, options={"split": split})
    return env


def alone(kind, level=3, seed=0, place="lighthouse"):
    """Return the world and the plan of a game that has one puzzle only."""
    builder = Builder(Draw(np.random.default_rng(seed)), setting(place), "eval", level)
    first = builder.room(None)
    builder.room(first, "north")
    builder.place = first
    if kind in GATES:
        GATES[kind](builder, 1)
    else:
        SOURCES[kind](builder)
    goal = builder.next("goal")
    builder.item(goal, builder.place)
    held = builder.fact(f"held:{goal[0]}")
    builder.marks.append(goal[0])
    builder.step(None, f"take {goal[0]}", [held], (goal[0],))
    data = {
        "start": first, "rooms": builder.rooms, "things": builder.things, "rules": builder.rules,
        "facts": builder.facts, "marks": builder.marks, "lamp": builder.lamp, "tool": builder.tool, "goal": goal[0],
    }  # fmt: skip
    return World(data), builder.plan


def do(world, reply):
    return act(world, read_command(reply))


def play(world, plan, until):
    """Let the expert play until a command begins so."""
    while not (command := expert(world, plan)).startswith(until):
        assert do(world, command)[1] is None, command
    return command


@pytest.mark.parametrize("name", ALL)
def test_a_setting_has_parts_for_every_kind_and_no_name_twice(name):
    place = setting(name)
    assert set(kinds_of(place)) == set(NEEDS)
    assert len(place.rows["room"]) >= 14
    assert len(place.rows["person"]) >= 7
    names = [row[0] for part, rows in place.rows.items() if part != "tale" for row in rows]
    names += [row[3] for row in place.rows["room"]] + [row[2] for row in place.rows["gap"]] + [row[0] for row in PAPERS]
    for split in ("eval", "train"):
        names_here = names + [row[0] for row in riddles(Draw(np.random.default_rng(0)), split, 12)]
        assert len(set(names_here)) == len(names_here)
        assert len({" ".join(plain(n)) for n in names_here}) == len(names_here)


def test_the_splits_share_no_setting_room_or_riddle():
    assert len(ALL) == len(set(ALL)) >= 8
    rooms = {split: {row[0] for name in names for row in setting(name).rows["room"]} for split, names in NAMES.items()}
    assert len(rooms["eval"] & rooms["train"]) <= 1  # a lamp room is a lamp room
    answers = [{row[0] for row in riddles(Draw(np.random.default_rng(0)), split, 12)} for split in ("eval", "train")]
    assert answers[0].isdisjoint(answers[1])


@pytest.mark.parametrize("kind", sorted(NEEDS))
@pytest.mark.parametrize("level", [1, 3])
def test_every_kind_of_puzzle_is_solved_by_the_expert_and_by_nobody_who_skips_it(kind, level):
    for seed in range(2 if level == 1 else 1):
        world, plan = alone(kind, level, seed)
        assert search(world.data, plan) is not None
        solved = [flag for flag in world.data["facts"] if not re.match("clue|riddle|wish|rim|plate|held", flag)]
        for flag in solved:
            assert search(world.data, plan, forbidden=flag) is None
        assert expert_steps(world.data, plan) <= 40


@pytest.mark.parametrize(
    ("kind", "until", "wrong", "error"),
    [
        ("lock", "unlock", "go {way}", "barred"),
        ("lock", "unlock", "open {thing}", "locked"),
        ("code", "set", "set {thing} to 000", "refused"),
        ("password", "say", "say abracadabra to {thing}", "refused"),
        ("machine", "put", "start {thing}", "too_early"),
        ("plant", "pour", "go up", "barred"),
        ("gap", "tie", "go {way}", "barred"),
        ("beast", "give", "go {way}", "barred"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(kind, until, wrong, error):
    world, plan = alone(kind)
    play(world, plan, until)
    way = next(way for way, exit_ in world.rooms[world.here]["exits"].items() if exit_[1])
    thing = next(name for name, row in world.things.items() if row.get("line"))
    before = world.state()
    assert do(world, wrong.format(way=way, thing=thing))[1] == error
    assert world.state() == before


def test_levers_in_a_wrong_order_spring_back():
    world, plan = alone("levers")
    play(world, plan, "pull")
    levers = next(row["order"] for row in world.things.values() if "order" in row)
    for lever in levers[::-1]:
        heard, error = do(world, f"pull the {lever}")
    assert error == "refused"
    assert "spring back" in heard
    assert not world.pulled
    for lever in levers:
        heard, error = do(world, f"use {lever}")
    assert error is None
    assert "opens" in heard


def test_a_lamp_burns_its_moves_and_can_be_filled_again():
    world, plan = alone("dark")
    play(world, plan, "light")
    lamp = world.data["lamp"]["name"]
    assert not world.lit
    assert do(world, f"take {world.data['goal']}")[1] == "dark"
    assert do(world, f"drop {lamp}")[1] == "dark"  # one would not find it again
    assert do(world, f"light {lamp}")[1] is None
    assert world.data["goal"] in world.visible()
    heard = [world.tick() for _ in range(world.data["lamp"]["burn"])]
    assert "it is empty" in heard[-1]
    assert not world.lit
    assert play(world, plan, "fill")  # the expert goes back for more


def test_a_lamp_that_lies_in_the_dark_can_be_felt():
    world, plan = alone("dark")
    play(world, plan, "light")
    lamp = world.data["lamp"]["name"]
    assert do(world, f"light {lamp}")[1] is None
    assert do(world, f"drop {lamp}")[1] is None
    world.flags.discard("lit")
    assert world.visible() == [lamp]
    assert do(world, f"take {lamp}")[1] is None


def test_water_is_what_is_in_the_vessel():
    world, plan = alone("plant")
    play(world, plan, "fill")
    vessel = next(name for name, place in world.at.items() if place == YOU)
    assert do(world, f"fill the {vessel} with water")[1] is None
    name = play(world, plan, "pour").partition(" on ")[2]
    assert do(world, f"pour water on the {name}")[1] is None
    assert do(world, "climb up")[1] is None


def test_things_are_given_in_either_order_of_words():
    for said in ("give {item} to {who}", "give the {who} the {item}", "offer {who} the {item}", "use {item} on {who}"):
        world, plan = alone("guard")
        play(world, plan, "give")
        who = next(name for name, row in world.things.items() if row.get("person"))
        item = next(name for name, place in world.at.items() if place == YOU)
        assert do(world, said.format(who=who, item=item))[1] is None, said
        assert world.at[item] == "gone"


def test_weights_have_one_sum_and_clues_one_number():
    for seed in range(200):
        draw = Draw(np.random.default_rng(seed))
        weights, wanted = weights_of(draw, 4, 3)
        assert weights[:3] == wanted
        value, clues = code_clues(draw, 3, "safe")
        assert len(set(value)) == len(clues) == 3
        assert value not in " ".join(clues)


@pytest.mark.parametrize("level", [1, 3, 5])
def test_text_and_state_agree_after_any_commands(level):
    for seed in range(6):
        env = made(level, seed)
        rng = np.random.default_rng(seed)
        over = False
        while not over:
            over = env.step(env.random_reply(rng))[2]
            world = env.world
            assert set(world.at) == set(world.things)
            told = world.describe()
            if world.lit:
                here = [name for name, place in world.at.items() if place == world.here]
                row = next((line for line in told.split("\n") if line.startswith("Here: ")), "")
                assert all(article(name) in row for name in here)
                assert row.count(" (closed)") == sum(not world.is_open(name) for name in here)
            for way, exit_ in world.rooms[world.here]["exits"].items():
                assert (f"{way} (barred)" in told) == (not world.passable(exit_))
            held = [name for name, place in world.at.items() if place == YOU]
            assert all(article(name) in world.carried() for name in held)


@pytest.mark.parametrize("level", [1, 3, 5])
def test_nothing_that_is_done_makes_a_game_impossible(level):
    for seed in range(4):
        env = made(level, 100 + seed)
        world, plan, rng = env.world, env.task.reference, np.random.default_rng(seed)
        for i in range(120):
            held = [name for name, place in world.at.items() if place == YOU]
            reply = f"drop {held[i % len(held)]}" if held and i % 7 == 0 else env.random_reply(rng)
            act(world, read_command(reply))
            world.tick()
            if i % 20 == 0 and not world.holds(world.data["goal"]):
                twin, steps = clone(world), 0
                while not twin.holds(world.data["goal"]):
                    act(twin, read_command(expert(twin, plan)))
                    twin.tick()
                    twin.look_around()
                    steps += 1
                    assert steps < 250, (seed, i, expert(twin, plan))


def test_a_game_goes_on_the_same_from_a_pickle_at_every_move():
    env = made(3, 4)
    over = False
    while not over:
        twin = pickle.loads(pickle.dumps(env))
        action = env.oracle()
        step = env.step(action)
        assert twin.step(action) == step
        assert twin.world.state() == env.world.state()
        over = step[2]


def test_the_game_is_over_when_its_own_limit_is():
    env = made(2, 1)
    moves = env.task.data["moves"]
    assert f"This game is over after {moves} replies." in env.observations[0]
    for i in range(moves):
        told, _, over, _, info = env.step("gibberish ???" if i else "look")
        assert info["malformed"] == (i > 0)
        assert over == (i == moves - 1)
    assert "The time is up." in told
    env.reset(seed=1)
    for _ in range(moves):
        told, *_, info = env.step("look")
    assert info["error"] == "out_of_moves"
    assert "The time is up." in told


def test_games_have_the_puzzles_and_rooms_that_their_level_says():
    for level, puzzles, rooms in ((1, (1, 2), (3, 4)), (3, (4, 4), (7, 8)), (5, (7, 8), (12, 14))):
        for seed in range(12):
            data = made(level, seed).task.data
            assert puzzles[0] <= len(data["kinds"]) <= puzzles[1]
            assert rooms[0] <= len(data["rooms"]) <= rooms[1]


def test_a_search_that_knows_no_plan_wins_too_and_leaves_no_puzzle_out():
    for seed in range(20):
        env = made(1, seed)
        data, plan = env.task.data, env.task.reference
        found = search(data, plan)
        assert found is not None
        path, world = found
        steps = expert_steps(data, plan)
        assert len(path) <= steps <= len(path) + 6
        left = [flag for flag in data["facts"] if flag not in world.flags]
        assert all(re.match("clue|riddle|wish|rim|plate", flag) for flag in left), left


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2])
def test_no_puzzle_of_a_small_game_can_be_left_out(level):
    for seed in range(20, 60 if level == 1 else 30):
        env = made(level, seed)
        data, plan = env.task.data, env.task.reference
        found = search(data, plan)
        assert found is not None
        assert len(found[0]) <= expert_steps(data, plan) <= 1.7 * len(found[0]) + 3
        if level == 1:
            for flag in data["facts"]:
                if not re.match("clue|riddle|wish|rim|plate|held", flag):
                    assert search(data, plan, forbidden=flag) is None, (seed, flag)


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_expert_wins_a_thousand_games_within_the_limit(level):
    env = made(level)
    for seed in range(1000):
        env.reset(seed=seed)
        over, steps, info = False, 0, {}
        while not over:
            *_, over, _, info = env.step(env.oracle())
            assert info["error"] is None
            steps += 1
        assert info["success"]
        assert steps * 1.5 <= env.task.data["moves"] <= 300
