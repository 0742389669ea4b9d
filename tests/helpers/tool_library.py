"""What a domain file of the tool library must keep; ``python -m tests.helpers.tool_library NAME ...`` tells faults."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
from jsonschema import Draft202012Validator

from acgym.draw import Draw
from acgym.envs.spoken import KINDS
from acgym.envs.tools.library.model import ERRORS, FOLDER, FORMS, SPLITS, Ask, Domain, Goal, Phrase, Tool, texts
from acgym.envs.tools.library.words import TODAY, Words, refer
from acgym.envs.tools.schema import fault

MAX_BYTES = 36_000
DOMAIN_KEYS = {"domain", "about", "slots", "tools", "unserved", "no_tool", "tasks"}
TOOL_KEYS = {"name", "description", "parameters", "required", "returns", "sample", "errors", "near", "rivals", "asks"}
STEP_KEYS = {"id", "tool", "args", "result", "thought", "traps", "after"}
NAME = re.compile(r"[a-z][a-zA-Z0-9]*(_[a-zA-Z0-9]+)*\Z")
WORD = re.compile(r"[a-z]{3,}")
COMMON = frozenset(
    re.findall(
        r"\w+",
        "get set list find add new the all for one make show check update create send look search use with",
    )
)


def stems(text: str) -> set[str]:
    """Content words cut to five letters, camel case opened."""
    opened = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("_", " ")).lower()
    return {word[:5] for word in WORD.findall(opened) if word not in COMMON}


def words_for(domain: Domain, seed: int) -> Words:
    """Values for the slots of a domain."""
    return Words(Draw(np.random.default_rng(seed)), domain.slots, date(2031, 5, 6 + seed % 20))


def complaints(domain: Domain, row: Mapping, size: int) -> Iterator[str]:
    """Say all that is wrong with one domain."""
    if set(row) != DOMAIN_KEYS:
        yield f"the file must hold {sorted(DOMAIN_KEYS)}, it holds {sorted(row)}"
    if size > MAX_BYTES:
        yield f"the file has {size} bytes; at most {MAX_BYTES}"
    if not 6 <= len(domain.tools) <= 11:
        yield f"a domain has 6 to 11 tools, it has {len(domain.tools)}"
    if sum(bool(tool.near) for tool in domain.tools) < 4:
        yield "at least 4 tools must have near-duplicates ('near')"
    for base, pool in domain.slots.items():
        yield from pool_complaints(base, pool)
    for tool in domain.tools:
        yield from (f"{tool.name}: {said}" for said in tool_complaints(domain, tool))
    schema = json.dumps([tool.parameters for tool in domain.tools])
    for needed in ('"enum"', '"default"', '"integer"'):
        if needed not in schema:
            yield f"no parameter of the domain has {needed}"
    if not re.search('"(format|pattern)"', schema):
        yield "no parameter of the domain has a format or pattern"
    inner = [form for tool in domain.tools for form in tool.parameters["properties"].values()]
    if not any(form.get("type") in ("array", "object") for form in inner):
        yield "no parameter of the domain is an array or an object"
    for name, least, phrases in (("unserved", 4, domain.unserved), ("no_tool", 3, domain.no_tool)):
        if len(phrases) < least:
            yield f"{name}: at least {least} requests, there are {len(phrases)}"
        for phrase in phrases:
            yield from (f"{name}: {said}" for said in phrase_complaints(domain, phrase))
    if not 2 <= len(domain.goals) <= 7:
        yield f"a domain has 2 to 7 tasks, it has {len(domain.goals)}"
    for goal in domain.goals:
        yield from (f"task {goal.kind}: {said}" for said in goal_complaints(domain, goal))
    yield from (
        f"slot {slot!r} is never used"
        for slot in domain.slots
        if not re.search(rf"[{{$]{slot}(_\d+)?\b", json.dumps(row))
    )


def pool_complaints(base: str, pool: object) -> Iterator[str]:
    if isinstance(pool, str):
        if not pool.startswith("@") or pool[1:].split(":")[0] not in KINDS:
            yield f"slot {base!r}: unknown kind {pool!r}; known: {', '.join('@' + kind for kind in KINDS)}"
        return
    said = [entry[0] if isinstance(entry, list) else entry for entry in pool]
    if len({str(s).lower() for s in said}) < max(2, len(said)):
        yield f"slot {base!r} needs at least two values, all different"
    if any(isinstance(entry, list) and len(entry) != 2 for entry in pool):
        yield f"slot {base!r}: an entry is a value or [said, value]"
    if re.search(r"_\d+\Z", base):
        yield f"slot {base!r}: a pool's name does not end in a number; {base} means another value of a pool"


def phrase_complaints(domain: Domain, phrase: Phrase) -> Iterator[str]:
    text = phrase.text
    for slot in phrase.slots:
        if slot not in domain.slots and re.sub(r"_\d+\Z", "", slot) not in domain.slots:
            yield f"no slot {slot!r}: {text!r}"
    if phrase.form == "do" and (not text[0].islower() or text[-1] in ".!?"):
        yield f"'do' is a verb phrase, small letter first and no full stop: {text!r}"
    if phrase.form == "say" and (text[-1] not in ".!?" or not (text[0].isupper() or text[0] in "{\"'0123456789¿")):
        yield f"'say' is whole sentences: {text!r}"
    if phrase.form == "short" and (text[-1] == "." or len(text.split()) > 16):
        yield f"'short' is a note of at most 16 words without a full stop: {text!r}"


def tool_complaints(domain: Domain, tool: Tool) -> Iterator[str]:
    if not NAME.match(tool.name):
        yield "the name must be snake_case or camelCase"
    if set(tool._row) - TOOL_KEYS or TOOL_KEYS - {"near", "rivals"} - set(tool._row):
        yield f"a tool must hold {sorted(TOOL_KEYS)} (near and rivals may be missing), it holds {sorted(tool._row)}"
    Draft202012Validator.check_schema(tool.parameters)
    properties = tool.parameters["properties"]
    if not set(tool.parameters["required"]) <= set(properties):
        yield "'required' names what is no parameter"
    for name, form in properties.items():
        if not form.get("description"):
            yield f"parameter {name} has no description"
        if "default" in form and name in tool.parameters["required"]:
            yield f"parameter {name} is required and has a default"
        if form.get("type") == "object" and form.get("additionalProperties") is not False:
            yield f'parameter {name}: an object needs "additionalProperties": false'
    yield from (f"near: no tool {name!r} in the domain" for name in tool.near if name not in domain.by_name)
    for kind in ERRORS:
        if not tool.errors.get(kind):
            yield f"errors: no message of kind {kind!r}"
    for message in texts(list(tool.errors.values())):
        yield from (
            f"error {message!r}: no parameter {n!r}" for n in re.findall(r"\{(\w+)\}", message) if n not in properties
        )
    for text in texts(tool.sample):
        if text.startswith("=") and text[1:] not in properties:
            yield f"sample: no parameter {text[1:]!r}"
    if len(tool.asks) < 1 or sum(len(ask.phrases) for ask in tool.asks) < 4:
        yield "a tool has at least one ask and four phrases"
    for ask in tool.asks:
        yield from ask_complaints(domain, tool, ask)
    named = stems(tool.name)
    if tool.asks and all(stems(re.sub(r"\{\w+\}", "", p.text)) & named for ask in tool.asks for p in ask.phrases):
        yield "every phrase shares a word with the tool's name; write at least one that does not"


def ask_complaints(domain: Domain, tool: Tool, ask: Ask) -> Iterator[str]:
    if set(ask._row) - {"args", *FORMS}:
        yield f"an ask holds args, do, say, short; it holds {sorted(ask._row)}"
    for form in FORMS:
        if not ask.by_form[form]:
            yield f"an ask has no phrase of form {form!r}: {ask.args}"
    used = {text[1:] for text in texts(ask.args) if text.startswith("$")}
    for phrase in ask.phrases:
        yield from phrase_complaints(domain, phrase)
        if set(phrase.slots) != used:
            yield f"slots {sorted(used)} of the arguments must all be in the phrase, once: {phrase.text!r}"
        if len(set(phrase.slots)) < len(phrase.slots):
            yield f"a slot comes twice: {phrase.text!r}"
        if tool.name in phrase.text:
            yield f"a phrase names the tool: {phrase.text!r}"
    for seed in range(12):
        try:
            values = words_for(domain, seed).values(ask.args)
        except (KeyError, ValueError) as error:
            yield f"slots of {ask.args} cannot be filled: {error!r}"
            return
        why = fault(tool.parameters, values)
        if why is not None:
            yield f"gold arguments {values}: {why}"
            return


def goal_complaints(domain: Domain, goal: Goal) -> Iterator[str]:
    if len(goal.phrases) < 2:
        yield "a task is said in at least two ways"
    for phrase in goal.phrases:
        yield from phrase_complaints(domain, phrase)
        if set(phrase.slots) != set(goal.phrases[0].slots):
            yield f"all wordings of a task have the same slots: {phrase.text!r}"
    if not 2 <= len(goal.steps) <= 7:
        yield f"a task has 2 to 7 steps, it has {len(goal.steps)}"
    if sum(bool(step.traps) for step in goal.steps) < min(2, len(goal.steps)):
        yield "at least two steps need traps"
    told = {*goal.phrases[0].slots, TODAY}
    for step, row in zip(goal.steps, goal._row["steps"], strict=True):
        if set(row) - STEP_KEYS:
            yield f"step {step.id}: unknown keys {sorted(set(row) - STEP_KEYS)}"
        if step.tool not in domain.by_name:
            yield f"step {step.id}: no tool {step.tool!r}"
            return
        for text in texts(step.args):
            if text.startswith("$") and text[1:] not in told:
                yield f"step {step.id}: {text} is not said in the goal; a later value is a reference '@step.path'"
    for seed in range(6):
        try:
            yield from walk(domain, goal, words_for(domain, seed))
        except (KeyError, IndexError, ValueError, TypeError) as error:
            yield f"cannot be filled: {error!r}"
            return


def walk(domain: Domain, goal: Goal, words: Words) -> Iterator[str]:
    """Make the calls of a task in the order in which they are written."""
    results: dict[str, object] = {}
    for step in goal.steps:
        missing = [need for need in step.needs if need not in results]
        if missing:
            yield f"step {step.id} needs {missing}, which come later or are missing"
            return
        args = refer(words.values(step.args), results)
        why = fault(domain.by_name[step.tool].parameters, args)
        if why is not None:
            yield f"step {step.id}: {args}: {why}"
        results[step.id] = words.result(step.result, args)
        for text in (step.thought, *step.traps):
            words.message(text, {})
            if text[-1] not in ".!?":
                yield f"step {step.id}: a thought is a sentence: {text!r}"
    words.message(goal.answer, {})


def library_complaints(found: list[Domain]) -> Iterator[str]:
    """Say what is wrong between domains."""
    names = Counter(tool.name for domain in found for tool in domain.tools)
    for tool in (tool for domain in found for tool in domain.tools):
        strange = [name for name in tool.rivals if name not in names or name in tool.domain.by_name]
        if strange:
            yield f"{tool.name}: rivals are tools of other domains, not {strange}"
    yield from (f"the tool {name} is in the library {n} times" for name, n in names.items() if n > 1)
    phrases: Counter[str] = Counter()
    for domain in found:
        for tool in domain.tools:
            phrases.update(
                {re.sub(r"\W+|\{\w+\}", " ", p.text.lower()).strip() for ask in tool.asks for p in ask.phrases}
            )
    yield from (f"two asks have the phrase {text!r}" for text, n in phrases.items() if n > 1)
    kinds = Counter(domain.name for domain in found)
    yield from (f"two domains are called {name}" for name, n in kinds.items() if n > 1)


def all_domains() -> dict[str, tuple[Domain, dict, int]]:
    """Read every domain file: name of the file -> domain, row, bytes."""
    read = {}
    for split in SPLITS:
        for file in sorted((FOLDER / split).glob("*.json")):
            raw = file.read_bytes()
            row = json.loads(raw)
            read[file.stem] = (Domain(row, split), row, len(raw))
    return read


def main() -> None:
    """Check the domains named, or all, and what is between all."""
    read = all_domains()
    for name in sys.argv[1:] or read:
        domain, row, size = read[name]
        said = list(dict.fromkeys(complaints(domain, row, size)))
        if domain.name != name:
            said.append(f"the file is called {name}, the domain {domain.name}")
        asks = sum(len(tool.asks) for tool in domain.tools)
        phrases = sum(len(ask.phrases) for tool in domain.tools for ask in tool.asks)
        print(
            f"{name}: {len(domain.tools)} tools, {asks} asks, {phrases} phrases, "
            f"{len(domain.goals)} tasks, {size} bytes"
        )
        print("".join(f"  - {text}\n" for text in said) or "  ok")
    for text in library_complaints([domain for domain, _, _ in read.values()]):
        print(f"library: {text}")


if __name__ == "__main__":
    main()
