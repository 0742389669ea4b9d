"""Reads PDDL: STRIPS with typing, constants, equality and negative preconditions; anything else is refused by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

MAX_CHARS = 2_000_000
"""Longer files are refused without being read."""
MAX_DEPTH = 60
OBJECT = "object"
"""The type that every other one is a kind of."""
READ = (":strips", ":typing", ":negative-preconditions", ":equality", ":action-costs", ":constants")
_TOKEN = re.compile(r"[()]|\??[^\s();?]+|\?|;[^\n]*")

Expression: TypeAlias = "str | list[Expression]"


class BadPddl(ValueError):
    """A file is not PDDL, or uses a part of it that is not read; the message says where and what."""


class Literal(NamedTuple):
    """A predicate applied to objects or variables, or its negation."""

    predicate: str
    arguments: tuple[str, ...]
    positive: bool = True


class Typed(NamedTuple):
    """A variable or object, and the types that it may be of (any one of them)."""

    name: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """An action with variables."""

    name: str
    parameters: tuple[Typed, ...]
    precondition: tuple[Literal, ...]
    """All of these must hold; the predicate ``=`` compares two arguments."""
    effect: tuple[Literal, ...]
    """Negative ones are deleted before positive ones are added."""


@dataclass(frozen=True)
class Domain:
    """The rules of a world."""

    name: str
    types: Mapping[str, str]
    """Type -> the type that it is a kind of."""
    constants: tuple[Typed, ...]
    predicates: Mapping[str, int]
    """Predicate -> number of its arguments."""
    actions: tuple[Schema, ...]

    def is_a(self, kind: str, other: str) -> bool:
        """Say whether ``kind`` is ``other`` or a kind of it."""
        seen = set()
        while kind not in (other, OBJECT) and kind not in seen:
            seen.add(kind)
            kind = self.types.get(kind, OBJECT)
        return kind == other or other == OBJECT


@dataclass(frozen=True)
class Problem:
    """One task: objects, where everything is, and what must hold in the end."""

    name: str
    domain: str
    objects: tuple[Typed, ...]
    init: frozenset[Literal]
    goal: tuple[Literal, ...]


def read_domain(text: str, where: str) -> Domain:
    """Read a domain.

    Args:
        text: the file's text.
        where: its name, for messages.

    Raises:
        BadPddl: see the class.
    """
    name, sections = _sections(text, "domain", where)
    types: dict[str, str] = {}
    constants: tuple[Typed, ...] = ()
    predicates: dict[str, int] = {}
    actions = []
    for key, *rest in sections:
        if key == ":requirements":
            unknown = [str(word) for word in rest if word not in READ]
            if unknown:
                raise BadPddl(f"{where}: requirement {', '.join(unknown)} is not read; what is: {', '.join(READ)}")
        elif key == ":types":
            types = {each.name: each.types[0] for each in _typed(rest, where)}
        elif key == ":constants":
            constants = tuple(_typed(rest, where))
        elif key == ":predicates":
            for row in rest:
                head, *arguments = _list(row, where, "a predicate")
                predicates[_word(head, where)] = len(_typed(arguments, where))
        elif key == ":action":
            actions.append(_action(rest, where))
        elif key != ":functions":  # costs do not change what is reachable
            raise BadPddl(f"{where}: section {key} of a domain is not read")
    domain = Domain(name, types, constants, predicates, tuple(actions))
    for action in domain.actions:
        for literal in (*action.precondition, *action.effect):
            _check(literal, domain, f"{where}: action {action.name}")
    if not actions:
        raise BadPddl(f"{where}: the domain has no action")
    return domain


def read_problem(text: str, domain: Domain, where: str) -> Problem:
    """Read a problem of ``domain``; arguments and errors as :func:`read_domain`."""
    name, sections = _sections(text, "problem", where)
    of = ""
    objects: tuple[Typed, ...] = ()
    init: list[Literal] = []
    goal: tuple[Literal, ...] = ()
    for key, *rest in sections:
        if key == ":domain":
            of = _word(rest[0] if rest else [], where)
        elif key == ":objects":
            objects = tuple(_typed(rest, where))
        elif key == ":init":
            init = [_literal(row, where) for row in rest if not (isinstance(row, list) and row[:1] == ["="])]
        elif key == ":goal":
            goal = tuple(_conjunction(rest[0] if rest else [], where))
        elif key not in (":metric", ":requirements"):
            raise BadPddl(f"{where}: section {key} of a problem is not read")
    problem = Problem(name, of, tuple(dict.fromkeys((*domain.constants, *objects))), frozenset(init), goal)
    names = Counter(each.name for each in problem.objects)
    twice = sorted(each for each, times in names.items() if times > 1)
    if twice:
        raise BadPddl(f"{where}: object {twice[0]} is declared twice, with different types")
    if not goal:
        raise BadPddl(f"{where}: the problem has no goal")
    for literal in (*problem.init, *problem.goal):
        _check(literal, domain, where)
        strange = [each for each in literal.arguments if each not in names]
        if strange:
            raise BadPddl(f"{where}: {shown(literal)} names {strange[0]}, which is no object of the problem")
    if any(not literal.positive for literal in problem.init):
        raise BadPddl(f"{where}: the initial state lists what holds; leave out what does not")
    return problem


def shown(literal: Literal) -> str:
    """Write a literal as PDDL."""
    text = f"({' '.join([literal.predicate, *literal.arguments])})"
    return text if literal.positive else f"(not {text})"


# --- syntax ----------------------------------------------------------------------------------------------------------


def _sections(text: str, kind: str, where: str) -> tuple[str, list[list[Expression]]]:
    """Read ``(define (KIND name) section ...)``."""
    tree = _parse(text, where)
    if len(tree) != 1 or not isinstance(tree[0], list) or tree[0][:1] != ["define"] or len(tree[0]) < 2:
        raise BadPddl(f"{where}: expected one (define ({kind} ...) ...)")
    head = tree[0][1]
    if not isinstance(head, list) or len(head) != 2 or head[0] != kind:
        raise BadPddl(f"{where}: expected a {kind}, found {str(head)[:60]}")
    sections = [_list(row, where, "a section") for row in tree[0][2:]]
    if any(not row or not isinstance(row[0], str) for row in sections):
        raise BadPddl(f"{where}: every section begins with its name, such as (:init ...)")
    return _word(head[1], where), sections


def _parse(text: str, where: str) -> list[Expression]:
    """Parse nested lists of lower-case words; comments are dropped. Linear in the text, without recursion."""
    if len(text) > MAX_CHARS:
        raise BadPddl(f"{where}: {len(text)} characters; at most {MAX_CHARS} are read")
    stack: list[list[Expression]] = [[]]
    for match in _TOKEN.finditer(text.lower()):
        token = match[0]
        if token == "(":
            stack.append([])
            if len(stack) > MAX_DEPTH:
                raise BadPddl(f"{where}: nested deeper than {MAX_DEPTH}")
        elif token == ")":
            if len(stack) == 1:
                raise BadPddl(f"{where}: a ) without its ( at character {match.start()}")
            done = stack.pop()
            stack[-1].append(done)
        elif token[0] != ";":
            stack[-1].append(token)
    if len(stack) != 1:
        raise BadPddl(f"{where}: {len(stack) - 1} ( without their ) at the end of the file")
    return stack[0]


def _typed(items: Sequence[Expression], where: str) -> list[Typed]:
    """Read ``a b - kind c``; names without a type are objects."""
    found: list[Typed] = []
    waiting: list[str] = []
    rest = iter(items)
    for item in rest:
        if item == "-":
            kind = next(rest, None)
            if kind is None or not waiting:
                raise BadPddl(f"{where}: a - in a typed list stands between names and their type")
            kinds = tuple(_words(kind[1:], where)) if isinstance(kind, list) and kind[:1] == ["either"] else None
            found += [Typed(name, kinds or (_word(kind, where),)) for name in waiting]
            waiting = []
        else:
            waiting.append(_word(item, where))
    return found + [Typed(name, (OBJECT,)) for name in waiting]


def _action(items: Sequence[Expression], where: str) -> Schema:
    """Read what follows ``:action``."""
    name = _word(items[0] if items else [], where)
    where = f"{where}: action {name}"
    if len(items) % 2 == 0:
        raise BadPddl(f"{where}: expected pairs such as :parameters (...)")
    parts = {_word(key, where): value for key, value in zip(items[1::2], items[2::2], strict=True)}
    unknown = sorted(set(parts) - {":parameters", ":precondition", ":effect"})
    if unknown:
        raise BadPddl(f"{where}: {unknown[0]} is not read")
    parameters = tuple(_typed(_list(parts.get(":parameters", []), where, ":parameters"), where))
    effect = tuple(_conjunction(parts.get(":effect", []), where))
    if any(literal.predicate == "=" for literal in effect):
        raise BadPddl(f"{where}: an effect cannot make things equal")
    action = Schema(name, parameters, tuple(_conjunction(parts.get(":precondition", []), where)), effect)
    known = {each.name for each in parameters}
    for literal in (*action.precondition, *action.effect):
        free = [each for each in literal.arguments if each[:1] == "?" and each not in known]
        if free:
            raise BadPddl(f"{where}: {shown(literal)} uses {free[0]}, which is no parameter")
    return action


def _conjunction(item: Expression, where: str) -> Iterator[Literal]:
    """Read one literal, or (and ...) of literals; costs are passed over."""
    if item == []:
        return
    row = _list(item, where, "a condition")
    for part in row[1:] if row[0] == "and" else [row]:
        part = _list(part, where, "a condition")
        if part[:1] == ["and"]:
            yield from _conjunction(part, where)
        elif part[:1] != ["increase"]:
            yield _literal(part, where)


def _literal(item: Expression, where: str) -> Literal:
    row = _list(item, where, "a literal")
    positive = row[:1] != ["not"]
    if not positive:
        if len(row) != 2:
            raise BadPddl(f"{where}: (not ...) takes one literal")
        row = _list(row[1], where, "a literal")
    if not row:
        raise BadPddl(f"{where}: an empty literal")
    head = _word(row[0], where)
    if head in ("or", "imply", "forall", "exists", "when", "not", "preference"):
        raise BadPddl(f"{where}: ({head} ...) is not read; only conjunctions of literals are")
    return Literal(head, tuple(_words(row[1:], where)), positive)


def _check(literal: Literal, domain: Domain, where: str) -> None:
    """Refuse a predicate that the domain does not declare, or with another number of arguments."""
    wanted = 2 if literal.predicate == "=" else domain.predicates.get(literal.predicate)
    if wanted is None:
        raise BadPddl(f"{where}: {shown(literal)} uses a predicate that the domain does not declare")
    if wanted != len(literal.arguments):
        raise BadPddl(f"{where}: {shown(literal)} has {len(literal.arguments)} arguments, {wanted} are declared")


def _list(item: Expression, where: str, what: str) -> list[Expression]:
    if not isinstance(item, list):
        raise BadPddl(f"{where}: expected {what} in brackets, found {item[:60]}")
    return item


def _word(item: Expression, where: str) -> str:
    if not isinstance(item, str):
        raise BadPddl(f"{where}: expected a word, found {str(item)[:60]}")
    return item


def _words(items: Sequence[Expression], where: str) -> list[str]:
    return [_word(item, where) for item in items]
