"""ACB/Adventure-v0: interactive fiction, a chain of puzzles in a place that is read and walked through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.world.adventure.acts import act
from acgym.envs.world.adventure.game import draw_game
from acgym.envs.world.adventure.heuristic import Explorer
from acgym.envs.world.adventure.oracle import expert
from acgym.envs.world.adventure.parse import read_command
from acgym.envs.world.adventure.world import World
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Json, Split, Task

RULES = """\
You play a game of interactive fiction: write one command in each reply, read what happens.
Commands: go DIRECTION, look, examine X (also reads and searches), take X, drop X, inventory, open X, unlock X with Y,
put X in Y, give X to Y, talk to X, ask X about Y, say WORD to X, set X to NUMBER, push X, pull X, turn X, light X,
fill X from Y, pour X on Y, tie X to Y, dig, wear X, use X on Y.
You can carry everything that can be taken. Nothing that you do makes the game impossible to win.
You may think first. End with one line such as
Action: examine the table"""
GAME = "This game is over after {moves} replies.\n"

MOST_MOVES = 300
"""No game is longer; the id is registered with this many steps."""


class Adventure(TextEnv):
    """Games of interactive fiction: puzzles that open ways and yield things, so that each leads to the next.

    What the agent sees: rules, what it is to find, and the room where it is: its prose, what stands in the way, what is
    here, the exits. What is in closed boxes, hidden under furniture or in the dark is not seen. Papers, people, plates
    and poems tell what a puzzle needs.

    What it must say: one command a reply, by itself or behind ``Action:``, as players write it: ``take``, ``get`` and
    ``pick up``, ``x`` and ``look at``, ``n`` and ``go north``; articles, quotes and markdown do not matter, and of
    several commands the first is read.

    What earns progress: the share of the game's facts that came true, as AgentBoard counts subgoals: clues read, things
    that a puzzle needs in hand, puzzles solved, the thing to find. Success is to take that thing. No command makes a
    game impossible to win: nothing is used up but where it helps, ways once open stay open, fuel never ends.

    When it ends: with the thing to find, or when the game's own limit of replies is over, which is told and at least
    twice what the expert needs.

    ===== ======= ===== ==================================================================================
    level puzzles rooms also
    ===== ======= ===== ==================================================================================
    1     1-2     3-4
    2     2-3     5-6   closed boxes; one puzzle at least must be read
    3     4       7-8   numbers and poems that need thought, things of no use, a lamp that burns 8 moves
    4     5-6     9-11  a passage that leads one way
    5     7-8     12-14
    ===== ======= ===== ==================================================================================

    Puzzles, 18 kinds: a locked door with a hidden key, somebody who wants what a riddle means, a door or a safe with
    a number told in parts, a gap to cross on a rope, a machine with a missing part, a plant to water and climb,
    levers in the order of a poem, a pan that wants an exact weight, a dress that somebody expects, a way frozen shut,
    a beast with one weakness, a word torn in two, a dark room with a lamp to fill, a chain of trades, a map without
    names and something to dig with, a block to melt on a fire, and a magnet to tie to a string.

    Errors: ``malformed`` (no command was read). ``not_here``, ``ambiguous``, ``no_way``, ``cannot``, ``incomplete``;
    ``barred``, ``locked``, ``closed``, ``dark``, ``not_holding``, ``too_early``; ``refused`` (the wrong thing, number,
    word or order), ``nothing_happens``, ``already``; none changes anything but what was tried. ``out_of_moves`` ends
    the game. Grounding accuracy in AgentBoard's sense is the share of replies without malformed and error.

    Splits: settings (rooms, people, things), riddles, verses, signs and words belong to one split each.

    Source: ours, in the manner of interactive fiction as Jericho (arXiv 1909.05398) offers it to agents, which ACBench
    (arXiv 2505.19433) has through AgentBoard (arXiv 2401.13178). MIT licence.

    Versions: v0, first.

    Args:
        level: 1 to 5, see the table.
        render_mode: ``"ansi"`` or None.
    """

    env_id = "ACB/Adventure-v0"
    capability = "real-world applications"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "not_here": "wrong_argument",
        "ambiguous": "wrong_argument",
        "no_way": "wrong_argument",
        "cannot": "wrong_argument",
        "incomplete": "wrong_argument",
        "refused": "wrong_argument",
        "nothing_happens": "wrong_argument",
        "barred": "wrong_order",
        "locked": "wrong_order",
        "closed": "wrong_order",
        "dark": "wrong_order",
        "not_holding": "wrong_order",
        "too_early": "wrong_order",
        "already": "lost_track",
        "out_of_moves": "truncation",
    }
    unclear_errors = frozenset(("nothing_happens", "no_way", "not_here", "out_of_moves"))
    # Measured over seeds 0 to 1,999 at levels 1 to 3, and 0 to 399 at levels 4 and 5.
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.001, 0.091),
        2: Anchor(0.000, 0.075),
        3: Anchor(0.000, 0.070),
        4: Anchor(0.000, 0.071),
        5: Anchor(0.000, 0.073),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.212, 0.400),
        2: Anchor(0.005, 0.199),
        3: Anchor(0.000, 0.121),
        4: Anchor(0.000, 0.091),
        5: Anchor(0.000, 0.081),
    }
    world: World
    """State of the game under way."""
    explorer: Explorer
    """What the heuristic has heard."""

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a game and let the expert play it, which fixes the limit."""
        goal, data, plan = draw_game(draw, split, self.level)
        steps = expert_steps(data, plan)
        data["moves"] = min(5 * steps // 2 + 6, MOST_MOVES)
        return Task(" ".join(sorted(data["kinds"])), goal, data, plan, facts={"puzzles": len(data["kinds"])})

    def tell(self) -> str:
        """Say the rules, what is to be found, and the first room."""
        self.world, self.explorer = World(self.task.data), Explorer()
        limit = GAME.format(moves=self.task.data["moves"])
        return f"{RULES}\n{self.limit_line()}{limit}\n{self.task.goal}\n\n{self.world.describe()}"

    def judge(self, action: str) -> Outcome:
        """Carry out one command; a reply that is none takes its time as well."""
        read = read_command(action)
        world = self.world
        if read is None:
            sentence, error = f"{excerpt(action, 30)} is no command. Write one such as: Action: take the lamp", None
        else:
            sentence, error = act(world, read)
            if world.holds(self.task.data["goal"]):
                return Outcome(f"{sentence} You have found it. The game is won.", 1.0, success=True, terminated=True)
            sentence = f"{sentence}\n{world.tick()}".rstrip()
            world.look_around()
        progress = world.share()
        if len(self.replies) + 1 >= self.task.data["moves"]:
            sentence, error = f"{sentence}\nThe time is up.", None if read is None else "out_of_moves"
            return Outcome(sentence, progress, terminated=True, malformed=read is None, error=error)
        return Outcome(sentence, progress, malformed=read is None, error=error)

    def oracle(self) -> str:
        """Follow the plan of the puzzles."""
        return f"Action: {expert(self.world, self.task.reference)}"

    def heuristic_reply(self) -> str:
        """Explore, take all, try all; see :mod:`acgym.envs.world.adventure.heuristic`."""
        return self.explorer.reply(self.observations, self.replies)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return any command on what is seen: half of the time a way, else a verb and one or two things."""
        draw, world = Draw(rng), self.world
        if draw.chance(0.4):
            return f"Action: go {draw.pick(list(world.rooms[world.here]['exits']))}"
        names = list(world.visible())
        if not names:
            return "Action: look"
        first, second = draw.pick(names), draw.pick(names)
        verb = draw.pick(
            (
                "examine {}",
                "take {}",
                "open {}",
                "pull {}",
                "talk to {}",
                "put {} in {}",
                "give {} to {}",
                "use {} on {}",
            )
        )
        return f"Action: {verb.format(first, second)}"


def expert_steps(data: Json, plan: Json) -> int:
    """Return how many commands the expert needs.

    Raises:
        RuntimeError: if the game cannot be won so, which is a fault of this package.
    """
    world, steps = World(data), 0
    while not world.holds(data["goal"]):
        command = expert(world, plan)
        read = read_command(command)
        if read is None or steps > 200:
            raise RuntimeError(f"the expert is lost at {command!r} in a game of {data['kinds']}")
        act(world, read)
        world.tick()
        world.look_around()
        steps += 1
    return steps
