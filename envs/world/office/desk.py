"""The state of one office day: files, tickets, mail and answers; and which parts of the work are done."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from acgym.envs.world.office.terminal import run
from acgym.envs.world.office.tree import Refused, Tree
from acgym.types import Json

DECISIONS = ("approve", "reject", "hold", "assign")
ACTIONS = ("reply", "forward")
SCRATCH = "/tmp/"
"""What lies here is nobody's business."""
_ARGUMENTS = {"assign": "ID NAME", "forward": "ID NAME", "reply": "ID TEMPLATE"}
_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,3}(?:[,' \u00a0\u202f][0-9]{3})+(?![0-9])|[0-9]+")
_SIGNED = re.compile(r"(?:(?<!\w)-)?[0-9]+(?:\.[0-9]+)?[a-z]*")


class Desk:
    """Everything that an agent can change.

    Args:
        data: ``files`` (path -> text), ``folders``, ``tickets`` and ``mail`` (ids), ``staff`` (full names),
            ``templates`` (names of texts to reply with), ``jobs`` (number of jobs).
        reference: rows ``["file", path, text or null]``, ``["ticket", id, decision]``, ``["mail", id, action]`` and
            ``["answer", job, text]``.
    """

    def __init__(self, data: Mapping[str, Json], reference: Sequence[Sequence[Json]]) -> None:
        self.data, self.reference = data, reference
        self.tree = Tree(data["files"], data["folders"])
        self.tickets: dict[str, str] = {}
        self.mail: dict[str, list[str]] = {}
        self.answers: dict[str, str] = {}
        self.special: dict[str, Callable[[list[str]], str]] = {
            "ticket": self._ticket,
            "mail": self._mail,
            "answer": self._answer,
            "done": _alone,
        }

    def run(self, line: str) -> str:
        """Carry out one command line; see :func:`acgym.envs.world.office.terminal.run`."""
        return run(self.tree, line, self.special)

    def holds(self, row: Sequence[Json]) -> bool:
        """Say whether one part of the work is done."""
        sort, name, value = row
        if sort == "file":
            text = self.tree.files.get(name)
            return text is None if value is None else text is not None and _same_text(text, value)
        if sort == "ticket":
            return bool(self.tickets.get(name) == value)
        if sort == "mail":
            return value in self.mail.get(name, ())
        return same_answer(self.answers.get(name, ""), value)

    def extras(self) -> list[str]:
        """List what was changed that should not have been."""
        wanted = {row[1]: row[2] for row in self.reference if row[0] == "file"}
        before: Mapping[str, str] = self.data["files"]
        found = [
            path
            for path in sorted({*before, *self.tree.files})
            if path not in wanted and before.get(path) != self.tree.files.get(path) and not path.startswith(SCRATCH)
        ]
        gold = {(sort, name, value) for sort, name, value in self.reference if sort in ("ticket", "mail")}
        done = [("ticket", name, decision) for name, decision in self.tickets.items()]
        done += [("mail", name, action) for name, actions in self.mail.items() for action in actions]
        return found + [f"{name} {action}" for sort, name, action in done if (sort, name, action) not in gold]

    def _ticket(self, words: list[str]) -> str:
        """Show tickets or decide on some: ``ticket approve T-12``, ``ticket assign T-12 NAME``."""
        if words in ([], ["list"]):
            rows = [f"{name}: {self.tickets.get(name, 'open')}" for name in self.data["tickets"]]
            return "".join([f"{row}\n" for row in rows]) or "There are no tickets.\n"
        verb, names, rest = _parts("ticket", words, (*DECISIONS, "show"), self.data["tickets"])
        if verb == "show":
            return "".join([self.tree.read(f"/tickets/{name}.txt") for name in names])
        decision = f"assign {self._person(rest)}" if verb == "assign" else verb
        self.tickets |= dict.fromkeys(names, decision)
        ignored = f"ignored: {' '.join(rest)[:100]}\n" if rest and verb != "assign" else ""
        return "".join([f"{name}: {decision}\n" for name in names]) + ignored

    def _mail(self, words: list[str]) -> str:
        """Show mail or deal with some: ``mail reply M2 TEMPLATE``, ``mail forward M2 NAME``."""
        if words in ([], ["list"]):
            rows = [f"{name}: {', '.join(self.mail.get(name, [])) or 'nothing done'}" for name in self.data["mail"]]
            return "".join([f"{row}\n" for row in rows]) or "There is no mail.\n"
        verb, names, rest = _parts("mail", words, (*ACTIONS, "show"), self.data["mail"])
        if verb == "show":
            return "".join([self.tree.read(f"/mail/{name}.txt") for name in names])
        if verb == "forward":
            action = f"forward {self._person(rest)}"
        else:
            template = " ".join(rest).lower().rstrip(".").removeprefix("/templates/").removesuffix(".txt")
            if template not in self.data["templates"]:
                raise Refused(f"mail: there is no template '{template[:30]}' in /templates", "unknown_name")
            action = f"reply {template}"
        for name in names:
            if action in self.mail.get(name, ()):
                raise Refused(f"mail: {name} has got this already", "already")
        for name in names:
            self.mail.setdefault(name, []).append(action)
        return "".join([f"{name}: {', '.join(self.mail[name])}\n" for name in names])

    def _answer(self, words: list[str]) -> str:
        """Take the answer to a question: ``answer 2 17``."""
        if len(words) < 2 or words[0].strip(".:") not in [str(n) for n in range(1, self.data["jobs"] + 1)]:
            raise Refused("usage: answer NUMBER-OF-THE-JOB TEXT", "bad_usage")
        self.answers[words[0].strip(".:")] = " ".join(words[1:])[:200]
        return f"The answer to job {words[0].strip('.:')} is noted.\n"

    def _person(self, words: Sequence[str]) -> str:
        """Find who is meant: by full name, or by a first or last name that only one has."""
        said = " ".join([word for word in words if word.lower() != "to"]).strip(" .,").lower()
        staff = self.data["staff"]
        for one in staff:
            if one.lower() == said:
                return str(one)
        near = [one for one in staff if said in one.lower().split()]
        if len(near) == 1:
            return str(near[0])
        raise Refused(f"nobody is called '{said[:40]}'; give the full name as in /staff/people.csv", "unknown_name")


def _alone(words: list[str]) -> str:
    """Refuse ``done`` among other commands."""
    raise Refused("done must stand alone", "bad_usage")


def _parts(
    command: str, words: list[str], verbs: Sequence[str], names: Sequence[str]
) -> tuple[str, list[str], list[str]]:
    """Read a verb and an id in either order, further ids, and what follows them; marks behind an id are dropped."""
    ids = {one.lower(): one for one in names}
    low = [word.lower().strip(".,:;") for word in words]
    verb = next((word for word in low[:2] if word in verbs), "")
    if not verb or not any(word in ids for word in low[:2]):
        if verb and len(words) > 1:
            raise Refused(f"{command}: there is no {' '.join(words[1:2])[:30]}", "unknown_name")
        raise Refused(_usage(command, verbs), "bad_usage")
    found = [ids[word] for word in low if word in ids]
    pairs = zip(words[2:], low[2:], strict=True)
    rest = [word for word, plain in pairs if plain not in ids and plain not in ("", "and")]
    if verb in _ARGUMENTS and not rest:
        raise Refused(_usage(command, [verb]), "bad_usage")
    return verb, list(dict.fromkeys(found)), rest


def _usage(command: str, verbs: Sequence[str]) -> str:
    """Say how a command is written, with its arguments."""
    forms = [f"{command} {verb} {_ARGUMENTS.get(verb, 'ID')}" for verb in verbs]
    return f"usage: {', '.join([f'{command} list', *forms] if len(forms) > 1 else forms)}"


def _same_text(text: str, value: str) -> bool:
    return [line.strip() for line in text.strip().splitlines()] == [line.strip() for line in value.strip().splitlines()]


def same_answer(said: str, value: str) -> bool:
    """Compare an answer: case, commas, currency and a final period do not matter.

    Where a number is asked for, the answer may be a sentence, if it names that number and no other.
    """
    one, two = (text.lower().strip(" .'\"\n") for text in (said, value))
    wanted = _numbers(two)
    if len(wanted) == 1 and re.fullmatch(r"[-0-9., ]+(?: eur)?", two):
        return _numbers(one) == wanted
    one, two = one.replace(",", ""), two.replace(",", "")
    return bool(two) and one.removesuffix(" eur").strip() == two.removesuffix(" eur").strip()


def _numbers(text: str) -> set[float]:
    """Find the numbers in a text in lower case; one that is denied or has a unit written to it is none (NaN).

    Thousands may be parted by commas, apostrophes or spaces.
    """
    plain = _NUMBER.sub(lambda hit: re.sub(r"[^0-9]", "", hit[0]), text)
    found = set()
    for word in _SIGNED.findall(plain):
        digits = word.rstrip("abcdefghijklmnopqrstuvwxyz")
        known = word[len(digits) :] in ("", "eur", "euro", "euros") and len(digits) < 20
        found.add(float(digits) if known else float("nan"))
    return found | ({float("nan")} if re.search(r"\bnot\b|n't\b", plain) else set())
