"""The four scenarios of the workflow environment under ids of their own, so that a suite can name each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from acgym.env import DEFAULT_LEVEL
from acgym.envs.workflow.anchors import ANCHORS, HEURISTIC_ANCHORS
from acgym.envs.workflow.workflow import Workflow
from acgym.types import Anchor


class WorkflowOpen(Workflow):
    """ACB/WorkflowOpen-v0: take an everyday goal apart, ``ACB/Workflow-v0`` with ``scenario="open_grounded"``.

    What the agent sees: a goal in words (change a tyre, bake a loaf), what of it has been done, and a shuffled list of
    steps. Nothing says what a step needs: that follows from what the steps mean. Some lines are no steps of the goal:
    they look as if they were, belong to other goals, or say in other words what has been done.

    What it must say: a plan in the text format of ``ACB/Workflow-v0``, the steps word for word. Any wording of a step
    that the library has is accepted, also one that is not listed; case, articles and punctuation do not count.

    What earns progress: (c + min(g, k)) / 2 with node-chain F1 c, graph F1 g, and k, the share of the needs that the
    plan's edges keep, all as :class:`acgym.envs.workflow.meaning.Verdict` defines them. Success is progress 1: the
    needed steps and no others, each once, none before a step that it needs, and every need on a path of edges. Edges
    that the reference lacks cost nothing unless they lead back, so that a plain chain in a right order is right: the
    library has only edges that cannot be disputed, and nobody is judged by another one.

    When it ends: with the first plan that can be read. A reply without one changes nothing; there are three steps.

    Levels (steps to do; of other goals, near ones, done ones among the lines; steps that are listed in two wordings):

    ===== ======== === ==== ==== =====
    level to do    far near done twice
    ===== ======== === ==== ==== =====
    1     4        1   0    0    0
    2     5        0   3    0    0
    3     6 to 7   0   3    1    0
    4     8        0   5    1    1
    5     9 to 12  0   6    1    2
    ===== ======== === ==== ==== =====

    A goal with more steps has up to six done, in an order in which that is possible; every
    other time one of them is listed in other words. Each wording is drawn anew.

    Errors in ``info["error"]``, the first that holds: ``"unknown_step"``, ``"done_step"``, ``"extra_step"``,
    ``"missing_step"``, ``"repeated_step"``, ``"wrong_order"``, ``"wrong_edges"`` (a need that no path of edges keeps).

    Splits share no goal: about four goals in nine are for evaluation.

    Args:
        level: 1 to 5.
        render_mode: ``"ansi"`` or None.

    Source: stands for WorfBench's open grounded planning (Qiao et al. 2025, arXiv 2410.07869). The library of goals was
    written for this environment (MIT).

    Versions: v0, first.
    """

    env_id = "ACB/WorkflowOpen-v0"
    anchors: ClassVar[Mapping[int, Anchor]] = ANCHORS["open_grounded"]
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = HEURISTIC_ANCHORS["open_grounded"]

    def __init__(self, level: int = DEFAULT_LEVEL, render_mode: str | None = None) -> None:
        super().__init__(level, "open_grounded", render_mode)


class WorkflowFunctions(Workflow):
    """ACB/WorkflowFunctions-v0: plan the calls of a request, ``ACB/Workflow-v0`` with ``scenario="function_call"``.

    What the agent sees: a request in a user's words, which functions have been called, and a shuffled list of
    functions, each with a name and a sentence. What a function needs follows from the sentence: a booking number must
    be found before a booking is changed by it. Some functions do not serve the request; from level 4 on some are listed
    twice under different names.

    What it must say: a plan as in :class:`WorkflowOpen`, each node the name of a function; what stands behind the name,
    such as arguments in brackets, is passed over. Names from the library that are not listed are accepted too.

    What earns progress, when it ends, levels, errors and arguments are those of :class:`WorkflowOpen`; splits share no
    request. Stands for the function-call tasks of WorfBench (ToolBench, ToolAlpaca; arXiv 2410.07869). Nothing is
    called: calling is what ``ACB/ToolCall-v0`` and ``ACB/WorkflowRun-v0`` play.

    Versions: v0, first.
    """

    env_id = "ACB/WorkflowFunctions-v0"
    anchors: ClassVar[Mapping[int, Anchor]] = ANCHORS["function_call"]
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = HEURISTIC_ANCHORS["function_call"]

    def __init__(self, level: int = DEFAULT_LEVEL, render_mode: str | None = None) -> None:
        super().__init__(level, "function_call", render_mode)


class WorkflowProblem(Workflow):
    """ACB/WorkflowProblem-v0: plan how to answer a question, ``ACB/Workflow-v0`` with ``scenario="problem_solving"``.

    What the agent sees: a question of study, budget, laboratory or software (which loan costs less interest?), what has
    been found out, and a shuffled list of look-ups, measurements and computations. A step needs the steps whose results
    it takes: this follows from what it says. Some lines do not help to answer the question. No number is asked for and
    none is given: only the way to the answer is judged.

    What it must say, what earns progress, when it ends, levels, errors and arguments are those of
    :class:`WorkflowOpen`; splits share no question. Stands for the problem-solving tasks of WorfBench (Lumos; arXiv
    2410.07869).

    Versions: v0, first.
    """

    env_id = "ACB/WorkflowProblem-v0"
    anchors: ClassVar[Mapping[int, Anchor]] = ANCHORS["problem_solving"]
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = HEURISTIC_ANCHORS["problem_solving"]

    def __init__(self, level: int = DEFAULT_LEVEL, render_mode: str | None = None) -> None:
        super().__init__(level, "problem_solving", render_mode)


class WorkflowEmbodied(Workflow):
    """ACB/WorkflowEmbodied-v0: plan what to do in a room, ``ACB/Workflow-v0`` with ``scenario="embodied"``.

    What the agent sees: a task (a glass of iced tea on the table), a room and the things in it, what has been done, and
    a shuffled list of actions. What must come before what follows from how things work: a locked shed is opened before
    wood is fetched from it, a filled kettle is boiled. Some actions are possible in the room and do not serve the task.
    Walking is not an action of its own: an action is done where its things are.

    What it must say, what earns progress, when it ends, levels, errors and arguments are those of
    :class:`WorkflowOpen`; splits share no task. Stands for the embodied tasks of WorfBench (ALFWorld, WebShop, OS;
    arXiv 2410.07869), which are chains; here about every second task has parts that do not depend on one another.

    Versions: v0, first.
    """

    env_id = "ACB/WorkflowEmbodied-v0"
    anchors: ClassVar[Mapping[int, Anchor]] = ANCHORS["embodied"]
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = HEURISTIC_ANCHORS["embodied"]

    def __init__(self, level: int = DEFAULT_LEVEL, render_mode: str | None = None) -> None:
        super().__init__(level, "embodied", render_mode)
