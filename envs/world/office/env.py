"""ACB/Desk-v0: work through a day at an office with shell-like commands, by written rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.world.office.desk import DECISIONS, Desk
from acgym.envs.world.office.heuristic import by_keywords
from acgym.envs.world.office.tasks import draw_day
from acgym.envs.world.office.terminal import COMMANDS
from acgym.envs.world.office.tree import Refused
from acgym.scorers.final_word import says_done
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Split, Task

RULES = """\
You work at the front desk of a company and do the jobs of the day in a text terminal. One command line in each reply.
Commands: ls, cd, pwd, cat, grep, find, head, tail, sort, uniq, cut, wc, mv, cp, rm, mkdir, echo; | and > and >> and ;
work. A pattern of grep is plain text, in which ^, $, .* and | have their meaning.
  ticket list                      ticket approve ID, ticket reject ID, ticket hold ID, ticket assign ID NAME
  mail list                        mail reply ID TEMPLATE, mail forward ID NAME
  answer JOB TEXT                  answers a question
  done                             says that all jobs are finished, and ends the day
Tickets lie in /tickets, letters in /mail, texts to reply with in /templates, people in /staff, the rules of the
house in /handbook. Do what the jobs and the rules ask for, and change nothing else; /tmp is yours.
You may think first. End with one line such as
Action: ls /handbook"""


class OfficeDesk(TextEnv):
    """A day at an office desk: files, tickets and mail, by written rules, in a simulated terminal.

    **What the agent sees.** The rules of the terminal, the date and the jobs. Then what each command printed, as a
    terminal would.

    **What it must say.** One command line, after the last ``Action:`` or as the whole reply; a fence of Markdown and a
    prompt (``$``) around it are taken off. Pipes, ``>``, ``>>``, ``;``, ``&&``, quotes and ``*`` are understood. No
    command runs outside of the simulated files: all is parsed and carried out by acgym, in linear time. ``done``, or
    words that say so (:func:`acgym.scorers.final_word.says_done`), ends the day.

    **The jobs.** Requests for money are approved, rejected, held or assigned; letters are answered with a template,
    forwarded or left alone; archives are thinned out; scans are filed under names that rules form; questions are
    answered and lists written from tables and a log (in the manner of AgentBench's OS tasks, arXiv 2308.03688). What to
    do follows from a handbook of rules with exceptions, its numbers drawn for each day, from level 4 on also from memos
    that change it, some of them only later.

    **What earns progress.** Each thing that must hold in the end is a subgoal: a file that is where it should be or is
    gone, a ticket decided as the rules say, a letter dealt with, an answer. One more is the end: ``done`` with all of
    them true and nothing else changed. Progress is the largest share so far. Success is all of it: state-checked.

    **When it ends.** With ``done``. ``gym.make`` cuts it at 60 steps; the oracle needs at most 40.

    ===== ==== =====================================================================================
    Level Jobs What makes them hard
    ===== ==== =====================================================================================
    1     1    the file with the rules is named, the case is plain
    2     2    exceptions
    3     3    rules must be found among others, other days' work left alone; questions join two lists
    4     4    memos change rules; longer lists; three conditions
    5     6    every kind of job, up to 8 papers in a box
    ===== ==== =====================================================================================

    **Errors.** ``malformed``: no command was read. Decision errors (``info["error"]``): ``unknown_command``,
    ``bad_usage``, ``no_such_file``, ``unknown_name``, ``already``, ``too_much``. ``premature_stop``: ``done`` with
    something left undone; ``changed_more``: ``done`` with all jobs done, and something else changed.

    **Splits.** People, companies, teams, things and all wordings of rules, letters, papers and questions belong to one
    split each.

    **Source.** Stands for the capability "real-world applications" of ACBench (arXiv 2505.19433). All of it is written
    and generated here; MIT licence.

    **Versions.** v0: first.

    Args:
        level: 1 to 5, see the table.
        render_mode: ``"ansi"`` or None.
    """

    env_id = "ACB/Desk-v0"
    capability = "real-world applications"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_command": "wrong_tool",
        "bad_usage": "wrong_argument",
        "no_such_file": "wrong_argument",
        "unknown_name": "wrong_argument",
        "too_much": "wrong_argument",
        "already": "lost_track",
        "changed_more": "wrong_argument",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.004, 0.064),
        2: Anchor(0.000, 0.061),
        3: Anchor(0.000, 0.032),
        4: Anchor(0.000, 0.027),
        5: Anchor(0.000, 0.025),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.468, 0.525),
        2: Anchor(0.183, 0.443),
        3: Anchor(0.001, 0.343),
        4: Anchor(0.000, 0.371),
        5: Anchor(0.000, 0.379),
    }
    desk: Desk
    """State of the day under way."""

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw the jobs of a day and the documents around them."""
        return draw_day(draw, split, self.level)

    def tell(self) -> str:
        """Open the day; say the rules, the date and the jobs."""
        self.desk = Desk(self.task.data, self.task.reference)
        return f"{RULES}\n{self.limit_line()}Today is {self.task.data['today']}.\nJobs:\n{self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Read one command line, carry it out, count what holds."""
        line = read_line(action)
        first = re.split(r"[\s;&|]", line, maxsplit=1)[0]
        if first not in COMMANDS and (line.lower() in ("exit", "finish") or says_done(line)):
            return self._finish()
        if not line:
            return self.malformed('There is no command. Write one such as "Action: ls /handbook".')
        if "\n" in line or len(line) > 4000:
            return self.malformed(f"{excerpt(line, 30)} is not one command line.")
        try:
            shown, kind = self.desk.run(line) or "(no output)", None
        except Refused as refused:
            shown, kind = str(refused), refused.kind
        return Outcome(_sayable(shown.rstrip("\n")), max(self._progress, self._share()), error=kind)

    def _share(self) -> float:
        rows = self.task.reference
        return float(sum(map(self.desk.holds, rows)) / (len(rows) + 1))

    def _finish(self) -> Outcome:
        """End the day: all must hold, and nothing else may have been changed."""
        if not all(map(self.desk.holds, self.task.reference)):
            return Outcome(
                "The day is over. Not all was done.", self._progress, terminated=True, error="premature_stop"
            )
        extras = self.desk.extras()
        if extras:
            told = f"The day is over. This should not have been changed: {', '.join(extras[:3])}."
            return Outcome(_sayable(told), max(self._progress, self._share()), terminated=True, error="changed_more")
        return Outcome("The day is over. All is done.", 1.0, success=True, terminated=True)

    def oracle(self) -> str:
        """Return what an expert would do now: read what a job rests on, then do it, job by job."""
        for reads, row, act in self.task.data["plan"]:
            if self.desk.holds(row):
                continue
            unread = (f"Action: {read}" for read in reads)
            return next((read for read in unread if read not in self.replies), f"Action: {act}")
        return "Action: done"

    def heuristic_reply(self) -> str:
        """Do what keywords of the jobs suggest; see :mod:`acgym.envs.world.office.heuristic`."""
        return by_keywords(self.observations, self.replies)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a command that can be carried out: reading, deciding, moving, answering or ending at random."""
        desk, draw, data = self.desk, Draw(rng), self.task.data
        files = sorted(desk.tree.files)
        choices = [f"cat {draw.pick(files)}", f"ls {draw.pick(sorted(desk.tree.folders))}"]
        if data["tickets"]:
            verb, name = draw.pick(DECISIONS), draw.pick(data["tickets"])
            person = f" {draw.pick(data['staff'])}" if verb == "assign" else ""
            choices.append(f"ticket {verb} {name}{person}")
        if data["mail"]:
            name, template, person = draw.pick(data["mail"]), draw.pick(data["templates"]), draw.pick(data["staff"])
            choices += [f"mail {verb}" for verb in (f"reply {name} {template}", f"forward {name} {person}")]
            choices = [one for one in choices if one.rpartition(" ")[2] not in desk.mail.get(name, ())]
        choices.append(f"mv {draw.pick(files)} /shred/")
        choices.append(f"answer {draw.between(1, data['jobs'])} {draw.between(0, 20)}")
        if draw.chance(0.1):
            return "Action: done"
        return f"Action: {draw.pick(choices)}"


def _sayable(text: str) -> str:
    """Replace half characters, which a model may have written and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def read_line(reply: str) -> str:
    """Return the command line of a reply: what follows the last ``Action:``, else all; fences and prompts taken off."""
    mark = reply.lower().rfind("action:")
    text = reply[mark + 7 :].lstrip("* ") if mark >= 0 and len(reply.lower()) == len(reply) else reply
    lines = [line.strip() for line in text.replace("```bash", "").replace("```sh", "").split("\n")]
    lines = [line.strip("`").removeprefix("$ ").strip() for line in lines if line.strip("` *")]
    if mark >= 0:
        lines = lines[:1]
    return "\n".join(lines)
