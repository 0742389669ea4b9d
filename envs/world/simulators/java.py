"""ScienceWorld's Java process: one a Python process, started so that the same seed gives the same episode."""

from __future__ import annotations

import os
import shutil
from typing import Any

from acgym.envs.world.simulators.base import package

TESTED = "1.2.3"
_OPTIONS = "-XX:+UnlockExperimentalVMOptions -XX:hashCode=2 -XX:+UseSerialGC"
"""Sets of objects are gone through in the order of their hash codes, which Java draws from the time and the threads:
here all are equal, so that the order is that of insertion."""
_NO_JAVA = (
    "ScienceWorld runs in Java, and there is no 'java' on the PATH; install one (17 is tested), "
    "for example: apt-get install openjdk-17-jre-headless"
)
_MASK = (1 << 64) - 1


def needed() -> Any:
    """Import ScienceWorld's package and see that Java is there.

    Raises:
        ImportError, FileNotFoundError: one sentence with the command that mends it.
    """
    module = package("scienceworld", "scienceworld", TESTED)
    if shutil.which("java") is None:
        raise FileNotFoundError(_NO_JAVA)
    return module


def mixed(seed: int, step: int) -> int:
    """Return the seed of a step (Steele et al. 2014, splitmix64): Java's own generator takes near seeds for near."""
    state = (seed * 0x9E3779B97F4A7C15 + step * 0xD1342543DE82EF95 + 1) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return (state ^ (state >> 31)) >> 1


class World:
    """One simulation in the Java process: ScienceWorld's ``PythonInterface``, its random numbers seeded step by step.

    All simulations draw from one generator of Scala's; it is seeded before each step, so that they may take turns.
    """

    def __init__(self, java: _Java) -> None:
        self._random = java.random
        self.inside = java.interface()
        self.seed = self.steps = 0

    def load(self, name: str, variation: int, simplifications: str, seed: int, gold: bool = False) -> None:
        """Load a variation of a task; ``gold`` has its gold path made, which takes seconds."""
        self.seed = seed
        self._random.setSeed(mixed(seed, 0))
        self.inside.load(name, variation, simplifications, gold)

    def reset(self) -> str:
        """Begin anew and look around, as ScienceWorld's own ``reset`` does."""
        self.steps = 0
        self._random.setSeed(mixed(self.seed, 0))
        self.inside.reset()
        return self.step("look around")[0]

    def step(self, command: str) -> tuple[str, float, bool]:
        """Give a command; return the answer, the score in [-1, 1] and whether the episode is over."""
        self.steps += 1
        self._random.setSeed(mixed(self.seed, self.steps))
        answer = str(self.inside.step(command))
        score = round(100 * float(self.inside.getScore())) / 100
        return answer, score, bool(self.inside.getCompleted()) or score < 0


class _Java:
    """The process."""

    def __init__(self) -> None:
        module, before = needed(), os.environ.get("JDK_JAVA_OPTIONS")
        os.environ["JDK_JAVA_OPTIONS"] = f"{before} {_OPTIONS}" if before else _OPTIONS
        try:
            self._host = module.ScienceWorldEnv("", envStepLimit=10**9)  # it ends Java when it is collected
        finally:
            if before is None:
                del os.environ["JDK_JAVA_OPTIONS"]
            else:
                os.environ["JDK_JAVA_OPTIONS"] = before
        machine = self._host._gateway.jvm
        self.interface = machine.scienceworld.runtime.pythonapi.PythonInterface
        self.random = machine.java.lang.Class.forName("scala.util.Random$").getField("MODULE$").get(None)
        self.variations: dict[tuple[str, str], tuple[int, ...]] = {}
        self.expert: World | None = None


_RUNNING: dict[int, _Java] = {}


def java() -> _Java:
    """Return this process's Java, started at the first call (1 s, about 700 MB); a forked process starts its own."""
    here = os.getpid()
    if here not in _RUNNING:
        _RUNNING.clear()
        _RUNNING[here] = _Java()
    return _RUNNING[here]


def expert() -> World:
    """Return the simulation in which gold paths are made and tried."""
    running = java()
    if running.expert is None:
        running.expert = World(running)
    return running.expert


def variations(name: str, split: str) -> tuple[int, ...]:
    """Return ScienceWorld's own variations of a task for evaluation (its test set) or for training."""
    running = java()
    if (name, split) not in running.variations:
        world = expert()
        world.load(name, 0, "", 0)
        running.variations[name, "eval"] = tuple(map(int, world.inside.getVariationsTest()))
        running.variations[name, "train"] = tuple(map(int, world.inside.getVariationsTrain()))
    return running.variations[name, split]
