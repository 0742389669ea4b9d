"""The terminal: reads a command line (quotes, pipes, redirections; never a real shell) and runs it on a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from acgym.envs.world.office.filters import FILTERS, options
from acgym.envs.world.office.tree import Refused, Tree, base, parent

MOST_OUTPUT = 6000
"""Characters of output that are shown."""
MOST_WORDS = 400
"""A line has at most so many words."""
_MARKS = frozenset("&|;<>")
_OPERATORS = ("&&", "||", ">>", ";", "|", ">", "<", "&")

Special = Callable[[list[str]], str]


class Token(NamedTuple):
    """One word of a line, or an operator."""

    text: str
    operator: bool = False
    quoted: bool = False


def tokens(line: str) -> list[Token]:
    """Part a line into words and operators; linear in its length.

    Raises:
        Refused: for a quote that is not closed.
    """
    found: list[Token] = []
    word, quoted, i = "", False, 0
    while i < len(line):
        c = line[i]
        if c in "\"'":
            end = line.find(c, i + 1)
            if end < 0:
                raise Refused("a quote is not closed", "bad_usage")
            word, quoted, i = word + line[i + 1 : end], True, end + 1
            continue
        operator = next((mark for mark in _OPERATORS if line.startswith(mark, i)), "") if c in _MARKS else ""
        if operator or c.isspace():
            if word or quoted:
                found.append(Token(word, quoted=quoted))
            word, quoted = "", False
            if operator:
                found.append(Token(operator, operator=True))
            i += len(operator) or 1
            continue
        if c == "\\" and i + 1 < len(line):
            i += 1
            c = line[i]
        word, i = word + c, i + 1
    if word or quoted:
        found.append(Token(word, quoted=quoted))
    if len(found) > MOST_WORDS:
        raise Refused(f"a line of {len(found)} words is too long", "bad_usage")
    return found


def run(tree: Tree, line: str, special: Mapping[str, Special]) -> str:
    """Run a line; return what it prints, at most MOST_OUTPUT characters of it.

    Args:
        tree: the files.
        line: commands, each a pipe that may end in ``> FILE`` or ``>> FILE``. What stands behind ``;`` is run in any
            case, what stands behind ``&&`` only if all went well before it.
        special: further commands, which can be the first of a pipe.

    Raises:
        Refused: if something could not be done. Its message is all that was printed, in order; its kind is that of the
            first mistake. All else on the line was carried out.
    """
    shown, kind, well = "", "", True
    for joint, step in _steps(tokens(line)):
        if joint == ";" or well:
            done = _run_pipe(tree, step, special)
            shown, kind, well = shown + done.shown, kind or done.kind, done.well
    if len(shown) > MOST_OUTPUT:
        shown = f"{shown[:MOST_OUTPUT]}\n[{len(shown) - MOST_OUTPUT} more characters are not shown]"
    if kind:
        raise Refused(shown.removesuffix("\n"), kind)
    return shown


def _steps(found: Sequence[Token]) -> list[tuple[str, list[Token]]]:
    """Part a line into its pipes, each with the ``;`` or ``&&`` before it."""
    steps: list[tuple[str, list[Token]]] = [(";", [])]
    for token in found:
        if token.operator and token.text in (";", "&&"):
            steps.append((token.text, []))
        elif token.operator and token.text in ("||", "<", "&"):
            raise Refused(f"'{token.text}' is not supported here", "bad_usage")
        else:
            steps[-1][1].append(token)
    return [step for step in steps if step[1]]


class Done(NamedTuple):
    """What a pipe has come to."""

    shown: str
    kind: str = ""
    """The first mistake, empty if there was none."""
    well: bool = True
    """Whether what stands behind ``&&`` is to be run."""


def _run_pipe(tree: Tree, step: Sequence[Token], special: Mapping[str, Special]) -> Done:
    """Run the commands of a pipe; one that is refused ends it, and nothing is written then."""
    errors: list[str] = []
    try:
        commands, target, more = _parted(step)
        piped = ""
        for i, words in enumerate(commands):
            tree.missed, tree.found = [], True
            name, arguments = words[0].text, _expanded(tree, words[1:])
            piped = _run_command(tree, name, arguments, piped if i else None, special)
            errors += [f"{name}: {missed}\n" for missed in tree.missed]
        well = tree.found and not tree.missed
        if target and target != "/dev/null":
            tree.write(target, piped, more)
    except Refused as refused:
        return Done("".join([*errors, f"{refused}\n"]), refused.kind, well=False)
    return Done("".join([*errors, "" if target else piped]), "no_such_file" if errors else "", well)


def _parted(step: Sequence[Token]) -> tuple[list[list[Token]], str, bool]:
    """Part a pipe into its commands, the file that it writes to, and whether it adds to that."""
    target, more, commands = "", False, [[]]  # type: str, bool, list[list[Token]]
    left = list(step)
    while left:
        token = left.pop(0)
        if token.operator and token.text == "|":
            commands.append([])
        elif token.operator:
            if not left or left[0].operator:
                raise Refused("a file name must follow '>'", "bad_usage")
            target, more = left.pop(0).text, token.text == ">>"
        else:
            commands[-1].append(token)
    if not all(commands):
        raise Refused("a command is missing beside '|'", "bad_usage")
    return commands, target, more


def _run_command(tree: Tree, name: str, arguments: list[str], piped: str | None, special: Mapping[str, Special]) -> str:
    if name in FILTERS:
        return _named(name, lambda: FILTERS[name](tree, arguments, piped))
    if name in special:
        return special[name](arguments)
    if name in _FOLDERS:
        return _named(name, lambda: _FOLDERS[name](tree, arguments))
    raise Refused(f"{name[:30]}: command not found", "unknown_command")


def _named(name: str, do: Callable[[], str]) -> str:
    """Put the command's name before what it refuses."""
    try:
        return do()
    except Refused as refused:
        lines = str(refused).split("\n")
        lines = [line if line.startswith((f"{name}:", "usage")) else f"{name}: {line}" for line in lines]
        raise Refused("\n".join(lines), refused.kind) from None


def _expanded(tree: Tree, words: Sequence[Token]) -> list[str]:
    """Replace words with ``*`` by the files that match, as shells do."""
    found: list[str] = []
    for word in words:
        if word.quoted or "*" not in word.text or word.text.count("*") > 4 or word.text.startswith("-"):
            found.append(word.text)
            continue
        path = tree.path(word.text)
        prefix = word.text.rpartition("/")[0]
        names = [name.rstrip("/") for name in tree.children(parent(path)) if fnmatchcase(name.rstrip("/"), base(path))]
        lead = f"{prefix}/" if "/" in word.text else ""
        found += [f"{lead}{name}" for name in names] or [word.text]
    return found


def _ls(tree: Tree, arguments: list[str]) -> str:
    found, names = options(arguments, "la1RhF")
    out: list[str] = []
    missed = []
    for name in names or ["."]:
        path = tree.path(name)
        if path in tree.files:
            out.append(name)
        elif path not in tree.folders:
            missed.append(f"cannot access '{name}': No such file or directory")
        elif "R" in found:
            out += tree.under(name)
        else:
            out += ([f"{name}:"] if len(names) > 1 else []) + tree.children(path)
    if missed and not out:
        raise Refused("\n".join(missed))
    tree.missed += missed
    return "".join([f"{line}\n" for line in out])


def _cd(tree: Tree, arguments: list[str]) -> str:
    path = tree.path(arguments[0] if arguments else "/")
    if path not in tree.folders:
        raise Refused(f"{arguments[0]}: No such file or directory")
    tree.here = path
    return ""


def _copy(keep: bool) -> Callable[[Tree, list[str]], str]:
    def do(tree: Tree, arguments: list[str]) -> str:
        _, names = options(arguments, "frvin")
        if len(names) < 2:
            raise Refused("usage: mv FILE... TARGET, cp FILE... TARGET", "bad_usage")
        if len(names) > 2 and tree.path(names[-1]) not in tree.folders:
            raise Refused(f"target '{names[-1]}' is not a directory")
        for name in names[:-1]:
            tree.copy(name, names[-1], keep)
        return ""

    return do


def _mkdir(tree: Tree, arguments: list[str]) -> str:
    found, names = options(arguments, "pv")
    if not names:
        raise Refused("usage: mkdir [-p] FOLDER...", "bad_usage")
    for name in names:
        tree.make_folder(name, "p" in found)
    return ""


def _rm(tree: Tree, arguments: list[str]) -> str:
    _, names = options(arguments, "fv")
    if not names:
        raise Refused("usage: rm FILE...", "bad_usage")
    for name in names:
        tree.remove(name)
    return ""


def _touch(tree: Tree, arguments: list[str]) -> str:
    for name in options(arguments, "")[1]:
        tree.write(name, "", more=True)
    return ""


def _echo(tree: Tree, arguments: list[str]) -> str:
    words = arguments[1:] if arguments[:1] == ["-e"] else arguments
    return f"{' '.join(words)}\n".replace("\\n", "\n")


_FOLDERS: dict[str, Callable[[Tree, list[str]], str]] = {
    "ls": _ls,
    "cd": _cd,
    "pwd": lambda tree, arguments: f"{tree.here}\n",
    "mv": _copy(keep=False),
    "cp": _copy(keep=True),
    "mkdir": _mkdir,
    "rm": _rm,
    "touch": _touch,
    "echo": _echo,
    "printf": lambda tree, arguments: _echo(tree, arguments)[:-1],
}
COMMANDS = frozenset((*FILTERS, *_FOLDERS, "ticket", "mail", "answer"))
"""All words that a command can begin with."""
