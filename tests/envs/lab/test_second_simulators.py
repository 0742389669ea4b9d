"""The laboratory's science worked out a second, plain way: small steps of time, nodal analysis, bisection, counting."""

from __future__ import annotations

import math
import random

import gymnasium as gym
import numpy as np
import pytest

from acgym.envs.world.lab import breeding, circuit, growing, heat, mixing
from acgym.envs.world.lab.library import acids, plants, substances
from acgym.envs.world.lab.state import Lab, Thing


def lab(*things, rooms=("lab",)):
    return Lab({"rooms": rooms, "start": rooms[0], "salt": 7, "things": [{"at": rooms[0], **row} for row in things]})


# heat: many small steps of Newton's law against the closed form


def stepped(of, enthalpy, around, minutes, flow, steps=20_000):
    _, _, gone = heat.marks(of)
    for _ in range(steps):
        enthalpy += flow * (around - heat.temperature(of, enthalpy)) * minutes / steps
        enthalpy = min(enthalpy, gone)
    return enthalpy


@pytest.mark.parametrize("name", ["tin", "stearic acid", "ethanol", "water", "menthol", "mercury"])
@pytest.mark.parametrize("start", [-50.0, 20.0])
@pytest.mark.parametrize("around", [-196.0, 4.0, 90.0, 300.0])
def test_heat_flows_as_in_small_steps(name, start, around):
    of = substances()[name]
    before = heat.enthalpy_at(of, start)
    for minutes in (3.0, 100.0):
        exact = heat.advance(of, before, around, minutes, heat.ON_DEVICE)
        assert exact == pytest.approx(stepped(of, before, around, minutes, heat.ON_DEVICE), rel=2e-3, abs=0.5)


def test_waiting_twice_is_waiting_once_for_the_sum():
    for name in sorted(substances()):
        of = substances()[name]
        start = heat.enthalpy_at(of, 20.0)
        for around in (-80.0, of.melts, 150.0, 340.0):
            twice = heat.advance(of, heat.advance(of, start, around, 17.0, 0.1), around, 40.0, 0.1)
            assert twice == pytest.approx(heat.advance(of, start, around, 57.0, 0.1), abs=1e-6)


def test_a_sample_never_passes_the_temperature_around_it():
    for name in sorted(substances()):
        of = substances()[name]
        for around in (-150.0, 25.0, 120.0):
            degrees = heat.temperature(of, heat.advance(of, heat.enthalpy_at(of, 20.0), around, 1e5, 0.1))
            assert min(20.0, around) - 1e-6 <= degrees <= max(20.0, around) + 1e-6


def test_water_melts_at_0_and_boils_at_100_with_its_heats_between():
    water = substances()["water"]
    assert [heat.temperature(water, h) for h in (-20.9, 0.0, 334.0, 334.0 + 418.0)] == pytest.approx([-10, 0, 0, 100])
    assert [heat.phase(water, h) for h in (-1, 100, 400, 1000, 3100)] == [
        "solid", "partly molten", "liquid", "boiling", "vapour",
    ]  # fmt: skip


# circuits: nodal analysis of all parts at once against the walk round a loop


def nodal_current(lab_, name):
    """Solve Kirchhoff's equations for a network of cells and resistors; return the current through one part."""
    parts = lab_.of_kind("part")
    ends = [(part.name, end) for part in parts for end in circuit.ends_of(part)]
    parent = {end: end for end in ends}

    def root(end):
        while parent[end] != end:
            end = parent[end]
        return end

    for one, other in lab_.joins:
        parent[root(one)] = root(other)
    nodes = sorted({root(end) for end in ends})
    index = {node: i for i, node in enumerate(nodes)}
    matrix, inflow = np.zeros((len(nodes),) * 2), np.zeros(len(nodes))
    rows = []
    for part in parts:
        first, second = ((part.name, end) for end in circuit.ends_of(part))
        a, b, g = index[root(first)], index[root(second)], 1 / part.more["ohms"]
        volts = part.more.get("volts") or 0.0
        rows.append((part.name, a, b, g, volts))
        matrix[[a, b, a, b], [a, b, b, a]] += np.array([g, g, -g, -g])
        inflow[a] += g * volts
        inflow[b] -= g * volts
    potential = np.linalg.lstsq(matrix, inflow, rcond=None)[0]
    return next(abs(g * (potential[a] - potential[b] - volts)) for part, a, b, g, volts in rows if part == name)


def test_currents_are_those_of_nodal_analysis():
    chance = random.Random(5)
    closed = 0
    for _ in range(30):
        volts = [chance.choice((1.5, 4.5)) for _ in range(2)]
        rows = [{"name": f"cell {i}", "kind": "part", "volts": volts[i], "ohms": 0.2} for i in range(2)]
        rows += [{"name": f"wire {i}", "kind": "part", "wire": True, "ohms": 0.01} for i in range(4)]
        rows += [{"name": f"resistor {i}", "kind": "part", "ohms": chance.uniform(5, 500)} for i in range(2)]
        one = lab(*rows)
        wires = [f"wire {i}" for i in range(4)]
        others = chance.sample(["cell 0", "cell 1", "resistor 0", "resistor 1"], 4)
        ring = [name for pair in zip(others, wires, strict=True) for name in pair]
        pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
        for first, second in pairs[: chance.choice((7, 8, 8, 8))]:
            ends = (chance.choice("+-"),) if "cell" in first else ()
            if circuit.connect(one, one.things[first], one.things[second], ends)[1]:  # that end is taken
                circuit.connect(one, one.things[first], one.things[second], ())
        for part in one.of_kind("part"):
            assert circuit.current(one, part.name) == pytest.approx(nodal_current(one, part.name), rel=1e-6, abs=1e-9)
        closed += circuit.current(one, ring[0]) > 0
    assert closed >= 8


# growth: one day at a time against the sum


def one_day(of, pot):
    grows = pot["wet"] >= 1 and pot["light"] and pot["chilled"] >= of.cold
    if grows:
        if pot["age"] >= of.flower and (of.pollination == "self" or pot["pollinated"]):
            pot["ripening"] += 1
        pot["age"] += 1
    pot["wet"] = max(0, pot["wet"] - 1)


def test_days_of_growth_add_up_as_one_by_one():
    chance = random.Random(3)
    for name in sorted(plants()):
        of = plants()[name]
        bench = {"name": "bench", "kind": "holder", "light": True}
        pot = {"name": "pot", "kind": "pot", "at": "bench", "soil": of.soil, "wet": 0, "sown": name, "age": 0,
               "ripening": 0, "pollinated": False, "chilled": of.cold}  # fmt: skip
        one = lab(bench, pot)
        plain = {**pot, "light": True}
        for _ in range(40):
            if chance.random() < 0.6:
                one.things["pot"].more["wet"] = plain["wet"] = of.water
            if growing.stage(one.things["pot"]) == "flower" and chance.random() < 0.5:
                one.things["pot"].more["pollinated"] = plain["pollinated"] = True
            days = chance.randint(1, 30)
            growing.pass_days(one, days)
            for _ in range(days):
                one_day(of, plain)
            for key in ("age", "ripening", "wet"):
                assert one.things["pot"].more[key] == plain[key]


# acids: charge balance by bisection


def test_ph_is_where_charges_balance():
    for name, millimoles, millilitres in (
        ("hydrochloric acid", 5, 200),
        ("sulfuric acid", 1, 300),
        ("sodium hydroxide", 3, 100),
    ):
        one = acids()[name]
        mass = millimoles / 1000 * one.molar
        vessel = Thing("v", "vessel", "lab", {"contents": {name: mass, "water": millilitres - mass}})
        charge = millimoles / millilitres * one.equivalents
        low, high = -2.0, 16.0
        for _ in range(80):
            middle = (low + high) / 2
            balance = 10**-middle - 10 ** (middle - 14) - charge
            low, high = (middle, high) if balance > 0 else (low, middle)
        assert mixing.acidity(vessel) == pytest.approx(low, abs=1e-6)


# crosses: counts against the Punnett square


def test_offspring_are_as_many_as_the_punnett_square_says():
    forms = {"height": ["tall", "dwarf"]}
    for genes, others in (([0, 1], [0, 1]), ([0, 1], [0, 0]), ([1, 1], [0, 0])):
        rows = [
            {"name": name, "kind": "creature", "species": "pea", "forms": forms, "genes": {"height": pair}}
            for name, pair in (("pea 1", genes), ("pea 2", others))
        ]
        dwarf = total = 0
        one = lab(*rows)
        for _ in range(60):
            said, _ = breeding.cross(one, one.things["pea 1"], one.things["pea 2"])
            counts = {part.split(" with height ")[1].split(" ")[0]: int(part.split(" with ")[0]) for part in
                      said.partition("offspring: ")[2].split("; ")}  # fmt: skip
            dwarf += counts.get("dwarf", 0)
            total += sum(counts.values())
        expected = breeding.shares(genes, others).get((0, 0), 0.0)
        assert total == 60 * breeding.OFFSPRING
        assert abs(dwarf / total - expected) <= 4 * math.sqrt(expected * (1 - expected) / total)


# the whole: breadth-first search over plain actions


def searched(env, seed, actions, depth):
    """Return the length of the shortest list of actions that solves the task of a seed, by breadth-first search."""
    layer, seen = [()], set()
    for length in range(1, depth + 1):
        following = []
        for path in layer:
            for action in actions:
                env.reset(seed=seed)
                for before in path:
                    env.step(before)
                info = env.step(action)[4]
                if info["success"]:
                    return length
                key = repr([sorted((t.name, t.at, repr(t.more)) for t in env.lab.things.values()), env.lab.joins])
                if info["error"] is None and key not in seen:
                    seen.add(key)
                    following.append((*path, action))
        layer = following
    return None


def plain_actions(env):
    """Return actions on the things of a task, for tasks that few of them solve."""
    things = env.lab.things.values()
    parts = [thing.name for thing in things if thing.kind == "part"]
    if parts:
        return [f"connect {one} to {other}" for i, one in enumerate(parts) for other in parts[i + 1 :]]
    sample = next(thing.name for thing in things if thing.kind == "sample")
    devices = [thing for thing in things if thing.kind == "heater"]
    puts = [f"put {sample} on {device.name}" for device in devices]
    sets = [f"set hot plate to {degrees}" for degrees in (100, 150, 200, 350)]
    return [*puts, *sets, "wait 30 minutes", "wait 4 hours"]


def test_search_finds_what_the_expert_does():
    env = gym.make("ACB/Lab-v0", level=1, disable_env_checker=True).unwrapped
    found = {"light": 0, "boil": 0, "freeze": 0}
    for seed in range(100):
        env.reset(seed=seed)
        kind = env.task.kind
        if found.get(kind, 2) >= (1 if kind == "light" else 2):
            continue
        steps, done = 0, False
        while not done:
            done = env.step(env.oracle())[2]
            steps += 1
        env.reset(seed=seed)
        assert searched(env, seed, plain_actions(env), steps) == steps
        found[kind] += 1
    assert found == {"light": 1, "boil": 2, "freeze": 2}
