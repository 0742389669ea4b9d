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
        line: commands, parted by ``;`` or ``&&``, each a pipe that may end in ``> FILE`` or ``>> FILE``.
        special: further commands, which can be the first of a pipe.

    Raises:
        Refused: for what cannot be done; commands before it were carried out.
    """
    shown = ""
    step: list[Token] = []
    for token in [*tokens(line), Token(";", operator=True)]:
        if token.operator and token.text in (";", "&&"):
            shown += _run_pipe(tree, step, special) if step else ""
            step = []
        elif token.operator and token.text in ("||", "<", "&"):
            raise Refused(f"'{token.text}' is not supported here", "bad_usage")
        else:
            step.append(token)
    if len(shown) > MOST_OUTPUT:
        return f"{shown[:MOST_OUTPUT]}\n[{len(shown) - MOST_OUTPUT} more characters are not shown]"
    return shown


def _run_pipe(tree: Tree, step: Sequence[Token], special: Mapping[str, Special]) -> str:
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
    piped: str | None = None
    for words in commands:
        if not words:
            raise Refused("a command is missing beside '|'", "bad_usage")
        piped = _run_command(tree, words[0].text, _expanded(tree, words[1:]), piped, special)
    if target:
        if target != "/dev/null":
            tree.write(target, piped or "", more)
        return ""
    return piped or ""


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
        text = str(refused)
        raise Refused(text if text.startswith((f"{name}:", "usage")) else f"{name}: {text}", refused.kind) from None


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
    out = []
    for name in names or ["."]:
        path = tree.path(name)
        if path in tree.files:
            out.append(name)
        elif path not in tree.folders:
            raise Refused(f"cannot access '{name}': No such file or directory")
        elif "R" in found:
            out += tree.under(name)
        else:
            out += ([f"{name}:"] if len(names) > 1 else []) + tree.children(path)
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
            raise Refused("missing file operand", "bad_usage")
        if len(names) > 2 and tree.path(names[-1]) not in tree.folders:
            raise Refused(f"target '{names[-1]}' is not a directory")
        for name in names[:-1]:
            tree.copy(name, names[-1], keep)
        return ""

    return do


def _mkdir(tree: Tree, arguments: list[str]) -> str:
    found, names = options(arguments, "pv")
    if not names:
        raise Refused("missing operand", "bad_usage")
    for name in names:
        tree.make_folder(name, "p" in found)
    return ""


def _rm(tree: Tree, arguments: list[str]) -> str:
    _, names = options(arguments, "fv")
    if not names:
        raise Refused("missing operand", "bad_usage")
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
