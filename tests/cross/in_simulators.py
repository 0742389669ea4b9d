"""Plays simulators bare and by acgym's adapters, side by side: python in_simulators.py JOB.json.

``name`` of the options is a simulator, ``do`` what is asked: ``side_by_side`` (``differing``: every step in which
observation, reward or end are not the simulator's own), ``solved`` (by the oracle), ``twins`` (episodes that go on
otherwise after a reset, from a pickle or a copy), ``cost`` (time of a wrapped step, of a bare one), ``check``. Runs
acgym from the checkout.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pickle
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import gymnasium as gym
import numpy as np

import acgym

IDS = {"babyai": "ACB/BabyAI-v0", "scienceworld": "ACB/ScienceWorld-v0"}
LEVELS = (1, 2, 3, 4, 5)
_THING = re.compile(
    r"an? (?:(open|closed|locked) )?(\w+) (\w+) (where|(?:(\d) steps? ahead)?(?: and )?(?:(\d) steps? to the (\w+))?)"
)


class BareBabyAI:
    """Minigrid, told what the adapter is told."""

    def __init__(self, task: Any) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            self.env = gym.make(f"BabyAI-{task.data['babyai']}-v0", disable_env_checker=True).unwrapped
            self.seen, _ = self.env.reset(seed=task.data["seed"])
        assert self.seen["mission"] == task.goal

    def step(self, command: str) -> tuple[float, bool]:
        """Do what a command means, one of Minigrid's actions after another."""
        words = ("turn left", "turn right", "move forward", "pick up", "drop", "toggle")
        action = next(at for at, word in enumerate(words) if command.startswith(word))
        for number in range(int(command.split()[-1]) if action == 2 else 1):
            front = self.env.grid.get(*self.env.front_pos)
            if number and not (front is None or front.can_overlap()):
                break
            self.seen, reward, ended, cut, _ = self.env.step(action)
            if ended or cut:
                break
        return float(reward), ended or cut

    def agrees(self, told: str) -> bool:
        """Say whether words name all that the image shows, where it shows it, and nothing else."""
        from minigrid.core.constants import IDX_TO_COLOR, IDX_TO_OBJECT

        image, shown, way = self.seen["image"], set(), 0
        for column in range(7):
            for row in range(7):
                kind, colour, state = (int(value) for value in image[column, row])
                name = IDX_TO_OBJECT[kind]
                if name in ("unseen", "empty", "wall") or (column, row) == (3, 6):
                    continue
                doors = ("open", "closed", "locked")[state] if name == "door" else ""
                shown.add((doors, IDX_TO_COLOR[colour], name, 6 - row, column - 3))
        while way < 6 and IDX_TO_OBJECT[int(image[3, 5 - way, 0])] == "empty":
            way += 1
        free = re.search(r"free for (\d)", told)
        told_way = int(free[1]) if free else 0 if "Right in front" in told else 6
        said = set()
        for thing in told.split("You see: ")[1].rstrip(".").split("; "):
            if found := _THING.fullmatch(thing):
                side = int(found[6] or 0) * (-1 if found[7] == "left" else 1)
                said.add((found[1] or "", found[2], found[3], int(found[5] or 0), side))
        carried = IDX_TO_OBJECT[int(image[3, 6, 0])]
        held = ("You carry" in told) == (carried != "empty")
        return said == shown and told_way == way and held and (carried == "empty" or carried in told.split(".")[0])


class BareScienceWorld:
    """ScienceWorld's own environment in a Java of its own, started and seeded as the adapter's."""

    host: Any = None

    def __init__(self, task: Any) -> None:
        from acgym.envs.world.simulators import java

        if BareScienceWorld.host is None:
            BareScienceWorld.host = java._Java()
        self.env, self.random, self.mixed = self.host._host, self.host.random, java.mixed
        data = task.data
        self.seed, self.steps = data["seed"], 1
        self.random.setSeed(self.mixed(self.seed, 0))
        self.env.load(data["task"], data["variation"], data["simplifications"])
        self.random.setSeed(self.mixed(self.seed, 0))
        self.env.server.reset()
        self.random.setSeed(self.mixed(self.seed, 1))
        self.seen, _, _, info = self.env.step("look around")
        assert " ".join(info["taskDesc"].split()).endswith(task.goal)

    def step(self, command: str) -> tuple[float, bool]:
        """Give the command."""
        self.steps += 1
        self.random.setSeed(self.mixed(self.seed, self.steps))
        self.seen, reward, done, _ = self.env.step(command)
        return float(reward), done

    def agrees(self, told: str) -> bool:
        """Say whether the answer is the same text."""
        return told == self.seen


BARE = {"babyai": BareBabyAI, "scienceworld": BareScienceWorld}


def made(name: str, level: int, **more: Any) -> Any:
    """Make the adapter, without Gymnasium's wrappers."""
    return gym.make(IDS[name], level=level, disable_env_checker=True, **more).unwrapped


def replies(env: Any, who: str, seed: int, limit: int) -> Any:
    """Yield what the oracle or the random policy says, to the end."""
    rng = np.random.default_rng(seed)
    for _ in range(limit):
        yield env.oracle() if who == "oracle" else env.random_reply(rng)


def side_by_side(name: str, seeds: int, limit: int, levels: Any = LEVELS) -> dict[str, Any]:
    """Play bare and wrapped with the same commands, the oracle's and random ones."""
    differing, steps = [], 0
    for level in levels:
        env = made(name, level)
        for seed in range(seeds):
            for who in ("oracle", "random"):
                env.reset(seed=seed)
                bare = BARE[name](env.task)
                if not bare.agrees(env.last.observation):
                    differing.append([level, seed, who, "reset"])
                for reply in replies(env, who, seed, limit):
                    command = reply.removeprefix("Action: ")
                    _, _, done, _, _ = env.step(reply)
                    reward, ended = bare.step(command)
                    steps += 1
                    same = (env.last.reward, env.last.done or done) == (reward, ended)
                    if not same or not (ended or bare.agrees(env.last.observation)):
                        differing.append([level, seed, who, command, env.last.reward, reward, bool(done), bool(ended)])
                        break
                    if done:
                        break
    return {"differing": differing, "steps": steps}


def solved(name: str, seeds: int, levels: Any = LEVELS) -> dict[str, Any]:
    """Play the oracle; count replies, and name what it does not solve."""
    lost, longest, limit = [], 0, gym.spec(IDS[name]).max_episode_steps
    for level in levels:
        env = made(name, level)
        for seed in range(seeds):
            env.reset(seed=seed)
            done, info, count = False, {}, 0
            while not done and count < limit:
                _, _, done, _, info = env.step(env.oracle())
                count += 1
            if info["success"] and info["progress"] == 1.0:
                longest = max(longest, count)
            else:
                lost.append([level, seed, env.task.kind, count, info])
    return {"lost": lost, "longest": longest, "limit": limit}


def twins(name: str, seeds: int, limit: int, levels: Any = LEVELS) -> dict[str, Any]:
    """Play each episode again, in another instance that takes turns with the first, and from a pickle and a copy."""
    differing = []
    for level in levels:
        env, other = made(name, level), made(name, level)
        for seed in range(seeds):
            if env.reset(seed=seed)[0] != other.reset(seed=seed)[0]:
                differing.append([level, seed, "reset"])
            rows = [env, other]
            for at, reply in enumerate(replies(env, "random", seed, limit)):
                if at == limit // 2:
                    rows += [pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
                found = [one.step(reply) for one in rows]
                if any(one != found[0] for one in found):
                    differing.append([level, seed, at, reply])
                if found[0][2]:
                    break
    return {"differing": differing}


def cost(name: str, rounds: int, size: int) -> dict[str, Any]:
    """Time wrapped and bare steps in turns on the same random commands; the median of the rounds' ratios."""
    clock = time.process_time if name == "babyai" else time.perf_counter
    env, ratios, bares = made(name, 3), [], []
    for seed in range(rounds):
        env.reset(seed=seed)
        bare = BARE[name](env.task)
        rng, spent, spent_bare, count = np.random.default_rng(seed), 0.0, 0.0, 0
        for _ in range(size):
            reply = env.random_reply(rng)
            command = reply.removeprefix("Action: ")
            command = "move forward 1" if command.startswith("move forward") else command
            started = clock()
            _, _, done, _, _ = env.step(f"Action: {command}")
            middle = clock()
            bare.step(command)
            ended = clock()
            spent, spent_bare, count = spent + middle - started, spent_bare + ended - middle, count + 1
            if done:
                break
        ratios.append(spent / spent_bare)
        bares.append(spent_bare / count)
    return {"ratio": statistics.median(ratios), "bare_seconds": statistics.median(bares)}


def check(name: str, seeds: int, **kwargs: Any) -> dict[str, Any]:
    """Check the whole contract."""
    report = acgym.check(IDS[name], seeds=seeds, **kwargs)
    return {"steps": report.steps, "not_asked": list(report.not_asked)}


def main() -> None:
    """Do the job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    do = {one.__name__: one for one in (side_by_side, solved, twins, cost, check)}
    settings = dict(job["options"])
    found = do[settings.pop("do")](**settings)
    out = Path(job["out"])
    out.with_name(out.name + ".json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
