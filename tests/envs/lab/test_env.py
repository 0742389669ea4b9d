"""What actions do in the laboratory, how they are read, what counts, and that nothing is lost."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from acgym.envs.world.lab.goals import answer_right
from acgym.envs.world.lab.library import substances
from acgym.envs.world.lab.state import YOU, Lab
from acgym.envs.world.lab.words import Names, read_action

THINGS = (
    "hot plate", "beaker", "flask of water", "cell A", "red wire", "pocket lamp", "measuring cylinder", "painted disc",
    "pea plant 1", "pea plant 2", "pot 1", "pot 2", "physics lab", "1-butanol jar",
)  # fmt: skip
NAMES = Names(
    {name.lower(): name for name in THINGS},
    {name.lower().split()[0]: 4 for name in THINGS},
    lambda: [name.lower() for name in THINGS],
)  # fmt: skip


def made(level=3, seed=0, split="eval"):
    env = gym.make("ACB/Lab-v0", level=level, disable_env_checker=True).unwrapped
    env.reset(seed=seed, options={"split": split})
    return env


def of_kind(kind, level, split="eval"):
    for seed in range(300):
        env = made(level, seed, split)
        if kind in env.task.kind.split(" and "):
            return env
    raise AssertionError(f"no {kind} at level {level} among 300")


@pytest.mark.parametrize(
    ("said", "verb", "names", "number", "unit"),
    [
        ("Action: put the beaker on the hot plate", "put", ("beaker", "hot plate"), None, ""),
        ("I think so.\n**Action:** `Place the beaker onto the Hot Plate.`", "put", ("beaker", "hot plate"), None, ""),
        ("set the hot plate to 150 °C", "set", ("hot plate",), 150.0, "C"),
        ("turn on the hot plate to 300°F", "set", ("hot plate",), 300.0, "F"),
        ("pour 12.5 ml of water from flask of water into beaker", "pour", ("flask of water", "beaker"), 12.5, "ml"),
        ("add 1,200 g from the 1-butanol jar to the beaker", "pour", ("1-butanol jar", "beaker"), 1200.0, "g"),
        ("connect cell A to the wire", "connect", ("cell A", "red wire"), None, ""),
        ("put the disc into the measuring cylinder", "put", ("painted disc", "measuring cylinder"), None, ""),
        ("cross pea plant 1 with pea plant 2", "cross", ("pea plant 1", "pea plant 2"), None, ""),
        ("Wait for 2 hours", "wait", (), 120.0, "min"),
        ("wait 3 days", "wait", (), 4320.0, "min"),
        ("go into the physics lab", "go", ("physics lab",), None, ""),
        ("heat the beaker on the hot plate", "put", ("beaker", "hot plate"), None, ""),
        ("look around", "look", (), None, ""),
        ("fill the beaker with 20 g from the jar", "pour", ("beaker", "1-butanol jar"), 20.0, "g"),
        ("measure the temperature of the flask", "use", ("flask of water",), None, ""),
        ("take flask of ethanol", "take", (), None, ""),
        ("examine pot 2", "read", ("pot 2",), None, ""),
    ],
)
def test_actions_are_read_generously(said, verb, names, number, unit):
    read = read_action(said, NAMES)
    assert read is not None
    assert (read.verb, read.names, read.number) == (verb, names, number)
    assert not unit or read.unit == unit


@pytest.mark.parametrize("said", ["", "Action:", "dance on the table", "x" * 400, "answer", "42"])
def test_what_is_no_action_is_malformed(said):
    assert read_action(said, NAMES) is None
    assert made().judge(said).malformed


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Answer: 8.9 g/cm3", "8.9 g/cm3"),
        ("Action: answer 8.9", "8.9"),
        ("The answer is 8.9.", "8.9"),
        ("**Action:** answer: crucible B", "crucible B"),
        ("report 12 ohms", "12 ohms"),
    ],
)
def test_answers_are_read_generously(said, text):
    read = read_action(said, NAMES)
    assert read is not None
    assert (read.verb, read.text) == ("answer", text)


NUMBER = {"kind": "number", "value": 8.9, "unit": "g/cm3", "within": 0.35}
DEGREES = {"kind": "number", "value": 80.3, "unit": "C", "within": 2.0}
NAMED = {"kind": "names", "right": ["crucible B"], "among": ["crucible A", "crucible B"]}
TWO = {"kind": "names", "right": ["blue", "scentless"], "among": ["blue", "orange", "scented", "scentless"]}


@pytest.mark.parametrize(
    ("said", "asked", "right"),
    [
        ("8.9", NUMBER, True), ("about 8.7 g/cm³", NUMBER, True), ("8900 kg/m3", NUMBER, True), ("8900", NUMBER, False),
        ("9.5", NUMBER, False), ("heavy", NUMBER, None), ("8.9 g", NUMBER, False),
        ("80.3 °C", DEGREES, True), ("353.4 K", DEGREES, True), ("176.5 degrees Fahrenheit", DEGREES, True),
        ("80 degrees", DEGREES, True), ("176.5", DEGREES, False),
        ("crucible B", NAMED, True), ("B", NAMED, True), ("It is the crucible B.", NAMED, True), ("A", NAMED, False),
        ("crucible A or crucible B", NAMED, False), ("none", NAMED, None),
        ("blue and scentless", TWO, True), ("blue, scented", TWO, False), ("blue", TWO, False),
        ("scentless (scent), blue (petals)", TWO, True), ("80 K = -193.15 °C", DEGREES, False),
        ("3.01 oz / 9.6 ml = 8.9 g per cm3", NUMBER, True),
    ],
)  # fmt: skip
def test_an_answer_counts_by_what_it_means(said, asked, right):
    assert answer_right(said, asked) is right


def mass(lab: Lab) -> dict[str, float]:
    """Sum every substance over all vessels, samples and the air."""
    total = dict(lab.air)
    for thing in lab.things.values():
        for name, grams in thing.more.get("contents", {}).items():
            total[name] = total.get(name, 0.0) + grams
        if thing.kind == "sample":
            total[thing.more["of"]] = total.get(thing.more["of"], 0.0) + thing.more["grams"]
    return {name: grams for name, grams in total.items() if grams > 1e-6}


def places(lab: Lab) -> None:
    """Check that every thing is in one place that there is, and ends in a room or with you."""
    for thing in lab.things.values():
        at, passed = thing.at, 0
        while at in lab.things:
            at, passed = lab.things[at].at, passed + 1
            assert passed < 10, f"{thing.name} is inside itself"
        assert at == YOU or at in lab.rooms
    ends = [end for join in lab.joins for end in join]
    assert len(set(ends)) == len(ends), "an end is connected once"


@pytest.mark.parametrize("level", [1, 3, 5])
def test_mass_is_conserved_and_every_thing_is_in_one_place(level):
    env = made(level)
    for seed in range(25):
        env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        before, count = mass(env.lab), len(env.lab.things)
        for turn in range(60):
            ended = env.step(env.oracle() if turn % 7 == 0 else env.random_reply(rng))[2]
            assert mass(env.lab) == pytest.approx(before)
            places(env.lab)
            assert len(env.lab.things) >= count
            if ended:
                break


def test_a_mistake_changes_nothing():
    env = made(3, 5)
    for seed in range(30):
        env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        for _ in range(40):
            before = [(t.name, t.at, repr(t.more)) for t in env.lab.things.values()]
            *_, ended, _, info = env.step(env.random_reply(rng))
            if info["error"] and not ended:
                assert [(t.name, t.at, repr(t.more)) for t in env.lab.things.values()] == before
            if ended:
                break


def test_a_right_answer_without_measurement_is_a_guess():
    env = of_kind("density", 2)
    *_, ended, _, info = env.step(f"answer {env.task.reference['value']}")
    assert ended
    assert (info["success"], info["error"], info["progress"]) == (False, "guess", 0.0)


def test_a_wrong_answer_ends_the_task_and_what_is_no_answer_does_not():
    env = of_kind("density", 2)
    assert env.step("answer it is heavy")[4]["malformed"]
    *_, ended, _, info = env.step("answer 0.001")
    assert ended
    assert info["error"] == "wrong_answer"


def test_a_dark_lamp_tells_nothing_when_the_wire_may_be_broken():
    env = of_kind("conductors", 5)
    lab = env.lab
    broken = next(thing.name for thing in lab.things.values() if thing.more.get("wire") and thing.more["ohms"] > 1)
    good = [thing.name for thing in lab.things.values() if thing.more.get("wire") and thing.more["ohms"] < 1]
    plan = env.task.data["plans"][0]
    rod, cell = plan["tests"][0][0], plan["ring"][0]
    for thing in lab.things.values():
        if thing.kind == "part":
            thing.at = lab.here
    ring = [cell, broken, plan["lamp"], good[0], rod, good[1]]
    for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        env.step(f"connect {one} to {other}")
    assert f"tested:{rod}" not in lab.seen


def test_nothing_that_is_asked_stands_in_the_prompt():
    for level in (1, 3, 5):
        for seed in range(60):
            env = made(level, seed)
            told, asked = env.observations[0], env.task.reference
            if asked and asked["kind"] == "number":
                assert f"{asked['value']:.4g}" not in told
            for thing in env.lab.things.values():
                if thing.more.get("unknown") and thing.kind == "sample":
                    assert thing.more["of"] not in told or "which" in env.task.kind


def test_splits_share_no_substance_plant_or_paint():
    for level in (1, 2, 3):
        items = {"eval": set(), "train": set()}
        for split, found in items.items():
            for seed in range(60):
                env = made(level, seed, split)
                for plan in env.task.data["plans"]:
                    if "sample" in plan:
                        found.add(env.lab.things[plan["sample"]].more["of"])
                    if "plant" in plan:
                        found.add(plan["plant"])
        assert not items["eval"] & items["train"]


def test_constants_are_those_of_the_tables():
    """A few values of the CRC Handbook, to a degree and a hundredth of the density."""
    known = {"tin": (231.9, 7.29), "lead": (327.5, 11.34), "copper": (1084.6, 8.96), "gold": (1064.2, 19.3),
             "mercury": (-38.8, 13.53), "aluminium": (660.3, 2.70), "iron": (1538, 7.87)}  # fmt: skip
    for name, (melts, density) in known.items():
        assert substances()[name].melts == pytest.approx(melts, abs=1)
        assert substances()[name].density == pytest.approx(density, rel=0.01)
    for one in substances().values():
        assert one.boils is None or one.boils > one.melts
        assert one.sort != "solid" or one.melts > 35
        assert one.sort != "liquid" or one.melts < 20


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_expert_does_a_thousand_tasks_within_the_limit(level):
    env = made(level)
    limit = gym.spec("ACB/Lab-v0").max_episode_steps
    for seed in range(1000):
        env.reset(seed=seed)
        ended, steps, info = False, 0, {}
        while not ended:
            *_, ended, _, info = env.step(env.oracle())
            steps += 1
            assert steps * 1.5 <= limit, seed
        assert info["success"], seed
