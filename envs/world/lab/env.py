"""ACB/Lab-v0: experiments in a text laboratory: measure, change, decide, report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.world.lab.acts import act
from acgym.envs.world.lab.asks import draw_lab
from acgym.envs.world.lab.goals import answer_right, holds
from acgym.envs.world.lab.heuristic import simple
from acgym.envs.world.lab.oracle import expert
from acgym.envs.world.lab.random_policy import any_action
from acgym.envs.world.lab.state import Lab
from acgym.envs.world.lab.words import Names, read_action
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Split, Task

RULES = """\
You are in a laboratory. Do the task, one action in each reply:
go to ROOM; look; take X; put X in Y; put X on Y; open X; close X; read X (a closer look, a display, a label, a text);
use X on Y (X is an instrument or a tool); set X to N (degrees Celsius); wait N minutes (or hours, or days);
pour N g from X into Y (or ml); filter X into Y; connect X to Y; disconnect X; cross X with Y; sow X in Y; water X;
pollinate X; answer A.
You can carry as many things as you like. Nothing changes by itself but while you wait."""
ASKED = """
An answer counts only if you have made the measurements or experiments that it rests on. The first answer ends the task,
so do everything else before."""
FAULTY = """
Instruments may show too much or too little, cells may be empty and wires broken: check them. A balance should show 0
with nothing on it, and ice water is at 0 °C."""
FORM = """
You may think first. End with one line such as
Action: take X"""


class Laboratory(TextEnv):
    """Experiments in words, in a laboratory with real constants.

    **What the agent sees.** Rules, the room with what is in it, and a task. Then what each action brought: readings of
    instruments in their units, changes of state, offspring by their looks, what a handbook or a label says. Other rooms
    and closed cupboards are not seen.

    **What it must say.** One action a reply, by itself or behind ``Action:``; ``Answer: 8.9 g/cm3`` is an action too.
    Verbs have synonyms (``place``, ``weigh``, ``mate``, ``examine``), things may be named in part where one at hand is
    meant, units are converted (``set hot plate to 300 °F``), articles, quotes and markdown are passed over.

    **What earns progress.** Subgoals, as in AgentBoard: states reached (a sample is liquid; the current flows; a plant
    is in flower) and facts observed (its mass was read; it was measured while it melted; a cross showed which form is
    dominant). Progress is the largest share that held at once. Where an answer is asked for it is one more subgoal,
    which counts only with all others: a right answer without the measurements that it rests on is a guess and earns
    nothing. Numbers count within 2 degrees, 4 % (densities, resistances) or 10 % (growth a day), in any unit that is
    named.

    **When it ends.** When all holds, or with the first answer. ``gym.make`` cuts it at 120 steps; the oracle needs at
    most 70.

    ===== ===== ===================================================================================================
    Level Rooms Tasks
    ===== ===== ===================================================================================================
    1     1     one of: melt, boil, freeze; light a lamp; which form is dominant; grow to fruit; a solution, a colour,
                an acid made neutral; a density
    2     1     also: reach a temperature told in other degrees; is it a conductor; breed; salt from sand; which metal
    3     2     indirect ("20 °F above its melting point", by the handbook), instruments in ounces, kelvin or inches; a
                melting point, a resistance, a current, two traits, who breeds true, fertilisers, three things apart;
                what can be carried is partly in closed cupboards
    4     3     two tasks, one that changes something and one that finds something out; a balance that does not show 0,
                a thermometer that is off, an empty cell, a broken wire; pots that dry out
    5     4     the same with more samples, creatures and pots
    ===== ===== ===================================================================================================

    **The science.** Melting and boiling points, densities, molar masses and the textbook genes of real organisms are
    true values (CRC Handbook of Chemistry and Physics, rounded); heats and heat capacities are rounded to two digits.
    Samples follow Newton's law of cooling with latent heats (:func:`acgym.envs.world.lab.heat.advance`); circuits are
    loops in series with Ohm's law; 32 offspring a cross are drawn by Mendel's laws, unlinked; strong acids and bases
    split up whole. Simplified: one ml of a solution weighs one g, samples have a condenser and lose no vapour, plants
    stand still where they lack something and do not die, and fertilisers and wild species are invented.

    **Errors.** ``malformed``: no action was read. ``not_here``, ``wrong_thing``, ``wrong_part``, ``wrong_pair``,
    ``wrong_amount``, ``wrong_unit``, ``out_of_range``, ``empty``, ``no_free_end``, ``wrong_order``, ``already``:
    answered, and nothing changes. ``wrong_answer`` and ``guess`` end the task.

    **Splits.** Substances, solutes, acids, grains, materials, paints, organisms, invented species, plants and lamps
    that a task is about belong to one split each; the others that lie beside them are shared.

    **Source.** Ours, in the manner of ScienceWorld (arXiv 2203.07540), which ACBench (arXiv 2505.19433) plays through
    AgentBoard (arXiv 2401.13178). MIT licence.

    **Versions.** v0: first.

    Args:
        level: 1 to 5, see the table.
        render_mode: ``"ansi"`` or None.
    """

    env_id = "ACB/Lab-v0"
    capability = "real-world applications"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "not_here": "wrong_argument",
        "wrong_thing": "wrong_argument",
        "wrong_part": "wrong_argument",
        "wrong_pair": "wrong_argument",
        "wrong_amount": "wrong_argument",
        "wrong_unit": "wrong_argument",
        "out_of_range": "wrong_argument",
        "wrong_answer": "wrong_argument",
        "empty": "wrong_order",
        "no_free_end": "wrong_order",
        "guess": "premature_stop",
        "already": "lost_track",
    }
    # Measured over seeds 0 to 1,999; levels 4 and 5, and the heuristic from level 2 on, over seeds 0 to 399.
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.202, 0.336),
        2: Anchor(0.098, 0.174),
        3: Anchor(0.009, 0.062),
        4: Anchor(0.000, 0.019),
        5: Anchor(0.000, 0.019),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.858, 0.889),
        2: Anchor(0.488, 0.568),
        3: Anchor(0.051, 0.253),
        4: Anchor(0.000, 0.151),
        5: Anchor(0.000, 0.161),
    }
    lab: Lab
    """State of the task under way."""

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a laboratory and what is asked in it."""
        kind, goal, data = draw_lab(draw, split, self.level)
        return Task(kind, goal, data, data["answer"])

    def tell(self) -> str:
        """Say the rules, the room and the task."""
        data = self.task.data
        self.lab = Lab(data)
        rules = RULES + (ASKED if data["answer"] else "") + (FAULTY if self.level > 3 else "") + FORM
        return f"{rules}\n{self.limit_line()}{self.lab.describe()}\nTask: {self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Carry out one action and count the subgoals that hold."""
        read = read_action(action, Names(self.lab.names, self.lab.starts, self._near))
        if read is None:
            return self.malformed(f'{excerpt(action, 30)} is no action. Write one such as "Action: look".')
        if read.verb == "answer":
            return self._answer(read.text)
        sentence, error = act(self.lab, read)
        if error is not None:
            return self.mistake(sentence, error)
        held = [holds(self.lab, goal) for goal in self.task.data["goals"]]
        asked = self.task.data["answer"] is not None
        if all(held) and not asked:
            return Outcome(f"{sentence} The task is done.", 1.0, success=True, terminated=True)
        return Outcome(sentence, max(self._progress, sum(held) / (len(held) + asked)))

    def _answer(self, said: str) -> Outcome:
        asked = self.task.data["answer"]
        if asked is None:
            return self.mistake("No answer is asked for: the task is done when all of it holds.", "wrong_thing")
        right = answer_right(said, asked)
        if right is None:
            what = "a number with its unit" if asked["kind"] == "number" else f"one of: {', '.join(asked['among'])}"
            return self.malformed(f"Answer with {what}.")
        held = [holds(self.lab, goal) for goal in self.task.data["goals"]]
        if right and all(held):
            return Outcome("That is right. The task is done.", 1.0, success=True, terminated=True)
        kind = "wrong_answer" if not right else "guess"
        return Outcome("The task is over.", self._progress, terminated=True, error=kind, found=right)

    def _near(self) -> list[str]:
        return [*(thing.name.lower() for thing in self.lab.near()), *(room.lower() for room in self.lab.rooms)]

    def oracle(self) -> str:
        """Return a line ``Thought: ...`` and a line ``Action: ...``, from whatever state the laboratory is in."""
        return expert(self.lab, self.task.data)

    def heuristic_reply(self) -> str:
        """Go through a fixed script; see :mod:`acgym.envs.world.lab.heuristic`."""
        return simple(self.observations, self.replies)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return any action on what is at hand."""
        return any_action(self.lab, Draw(rng), self.task.data["answer"])
