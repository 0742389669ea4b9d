"""The text commands of the terminal: each takes arguments and what came through the pipe, and returns a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from acgym.envs.world.office.tree import Refused, Tree, base

MOST_READ = 1_000_000
"""One command reads at most so many characters."""

Command = Callable[[Tree, list[str], str | None], str]


def options(arguments: Sequence[str], flags: str, valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Part options from operands: ``-in`` is ``-i -n``; ``-k 2``, ``-k2`` and ``-5`` (as ``-n 5``) have values.

    Raises:
        Refused: for an option that the command does not have.
    """
    found: dict[str, str] = {}
    operands: list[str] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        if word == "--":
            return found, operands + left
        if len(word) < 2 or word[0] != "-":
            operands.append(word)
            continue
        if word[1:].isdigit() and "n" in valued:
            found["n"] = word[1:]
            continue
        for i, letter in enumerate(word[1:], 2):
            if letter in valued:
                found[letter] = word[i:] or (left.pop(0) if left else "")
                break
            if letter not in flags:
                raise Refused(f"invalid option -- '{letter}'", "bad_usage")
            found[letter] = ""
    return found, operands


def number(text: str, default: int) -> int:
    """Read a small number."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Refused(f"invalid number: '{text[:20]}'", "bad_usage")
    return int(text)


def _inputs(tree: Tree, names: Sequence[str], piped: str | None) -> list[tuple[str, str]]:
    """Return the texts that a command reads, with their names; files that are not there are noted in the tree.

    Raises:
        Refused: if none of the files is there, or they are too long.
    """
    if names:
        texts, missed = [], []
        for name in names[:200]:
            try:
                texts.append((name, tree.read(name)))
            except Refused as refused:
                missed.append(str(refused))
        if not texts:
            raise Refused("\n".join(missed))
        tree.missed += missed
        if sum(len(text) for _, text in texts) > MOST_READ:
            raise Refused("too much to read at once", "too_much")
        return texts
    if piped is None:
        raise Refused("missing file operand", "bad_usage")
    return [("", piped)]


def _lines(tree: Tree, names: Sequence[str], piped: str | None) -> list[str]:
    return [line for _, text in _inputs(tree, names, piped) for line in text.splitlines()]


def _joined(lines: Sequence[str]) -> str:
    return "".join([f"{line}\n" for line in lines])


def cat(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Return files one after another."""
    found, names = options(arguments, "n")
    text = "".join([text for _, text in _inputs(tree, names, piped)])
    return _joined([f"{i:6}\t{line}" for i, line in enumerate(text.splitlines(), 1)]) if "n" in found else text


def grep(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Return the lines that match: ``-i -v -n -c -l -r -w -h``; see :func:`matcher` for patterns. No hit is noted."""
    found, rest = options(arguments, "ivnclrwhRHEF", "e")
    pattern = found["e"] if "e" in found else rest.pop(0) if rest else ""
    if not pattern:
        raise Refused("usage: grep [-ivnclrw] PATTERN FILE...", "bad_usage")
    matches = matcher(pattern, "i" in found, "w" in found)
    if "r" in found or "R" in found:
        rest = [path for name in rest or ["."] for path in tree.under(name)]
    texts = _inputs(tree, rest, piped)
    named = (len(texts) > 1 or "r" in found or "H" in found) and "h" not in found
    out: list[str] = []
    tree.found = False
    for name, text in texts:
        hits = [(i, line) for i, line in enumerate(text.splitlines(), 1) if matches(line) != ("v" in found)]
        tree.found = tree.found or bool(hits)
        prefix = f"{name}:" if named else ""
        if "l" in found:
            out += [name] if hits else []
        elif "c" in found:
            out.append(f"{prefix}{len(hits)}")
        else:
            out += [f"{prefix}{f'{i}:' if 'n' in found else ''}{line}" for i, line in hits]
    return _joined(out)


def matcher(pattern: str, ignore_case: bool, whole_words: bool) -> Callable[[str], bool]:
    r"""Return a test of a line, linear in its length.

    A pattern is text; ``^`` in front and ``$`` behind bind it to the ends of the line, ``.*`` stands for anything and
    ``|`` (also ``\|``) parts alternatives. All else stands for itself.
    """
    if ignore_case:
        pattern = pattern.lower()
    choices = [choice for choice in pattern.replace("\\|", "|").split("|") if choice][:50]
    parsed = []
    for choice in choices:
        start, end = choice.startswith("^"), choice.endswith("$")
        body = choice[1 if start else 0 : -1 if end else None].replace("\\.", ".").replace("\\", "")
        parts = body.split(".*")
        inner = [part for part in parts[1:-1] if part]  # ".*.*" says no more than ".*"
        parsed.append((start, end, [parts[0], *inner, *parts[1:][-1:]]))

    def test(line: str) -> bool:
        line = line.lower() if ignore_case else line
        if whole_words:
            line = " " + "".join([c if c.isalnum() or c == "_" else " " for c in line]) + " "
            return any(f" {' '.join(parts)} " in line for _, _, parts in parsed)
        return any(_in_order(line, *one) for one in parsed)

    return test


def _in_order(line: str, start: bool, end: bool, parts: Sequence[str]) -> bool:
    """Say whether the parts stand in a line one behind another."""
    at = 0
    for i, part in enumerate(parts):
        if i == 0 and start:
            if not line.startswith(part):
                return False
            at = len(part)
        elif i == len(parts) - 1 and end:
            return line.endswith(part) and len(line) - len(part) >= at
        else:
            hit = line.find(part, at)
            if hit < 0:
                return False
            at = hit + len(part)
    return not end or at == len(line)


def wc(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Count lines, words and characters: ``-l -w -c``."""
    found, names = options(arguments, "lwc")
    rows = []
    for name, text in _inputs(tree, names, piped):
        counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text)}
        shown = [str(count) for key, count in counts.items() if key in found or not found]
        rows.append(" ".join([*shown, *([name] if name else [])]))
    return _joined(rows)


def head(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Return the first lines: ``-n 10``."""
    found, names = options(arguments, "", "n")
    return _joined(_lines(tree, names, piped)[: number(found.get("n", ""), 10)])


def tail(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Return the last lines: ``-n 10``; ``-n +2`` those from the second on."""
    found, names = options(arguments, "", "n")
    lines, count = _lines(tree, names, piped), found.get("n", "")
    if count.startswith("+"):
        return _joined(lines[max(0, number(count[1:], 1) - 1) :])
    return _joined(lines[max(0, len(lines) - number(count, 10)) :])


def sort(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Sort lines: ``-n -r -u``, ``-t , -k 2`` by a field."""
    found, names = options(arguments, "nru", "tk")
    start = found.get("k", "").split(",")[0]
    field = number(start.rstrip("nr"), 0)
    mark = found.get("t") or None

    def key(line: str) -> tuple[float, str]:
        parts = line.split(mark)
        text = line if field == 0 else parts[field - 1] if len(parts) >= field else ""
        return (_value(text) if "n" in found or "n" in start else 0.0, text)

    lines = sorted(_lines(tree, names, piped), key=key, reverse="r" in found or "r" in start)
    return _joined(list(dict.fromkeys(lines)) if "u" in found else lines)


def _value(text: str) -> float:
    digits = ""
    for c in text.strip()[:20]:
        if not (c in "0123456789." or (c == "-" and not digits)):
            break
        digits += c
    try:
        return float(digits)
    except ValueError:
        return 0.0


def uniq(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Drop lines that repeat the one before: ``-c`` counts."""
    found, names = options(arguments, "c")
    rows: list[tuple[int, str]] = []
    for line in _lines(tree, names, piped):
        if rows and rows[-1][1] == line:
            rows[-1] = (rows[-1][0] + 1, line)
        else:
            rows.append((1, line))
    return _joined([f"{count:7} {line}" if "c" in found else line for count, line in rows])


def cut(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """Return fields of lines: ``-d , -f 1,3``."""
    found, names = options(arguments, "", "df")
    mark = found.get("d") or "\t"
    fields = [number(part, 1) for part in found.get("f", "1").split(",")[:20]]
    rows = [line.split(mark) for line in _lines(tree, names, piped)]
    return _joined([mark.join([row[i - 1] for i in fields if 0 < i <= len(row)]) for row in rows])


def find(tree: Tree, arguments: list[str], piped: str | None) -> str:
    """List files under folders: ``find FOLDER -name '*.txt'``."""
    words, name = list(arguments), "*"
    for option in ("-name", "-iname", "-type"):
        if option in words:
            i = words.index(option)
            value = words[i + 1] if i + 1 < len(words) else ""
            name = value if option != "-type" else name
            del words[i : i + 2]
    if name.count("*") > 4 or any(word.startswith("-") for word in words):
        raise Refused("usage: find FOLDER -name PATTERN", "bad_usage")
    return _joined([path for word in words or ["."] for path in tree.under(word) if fnmatchcase(base(path), name)])


FILTERS: dict[str, Command] = {
    "cat": cat,
    "grep": grep,
    "wc": wc,
    "head": head,
    "tail": tail,
    "sort": sort,
    "uniq": uniq,
    "cut": cut,
    "find": find,
}
