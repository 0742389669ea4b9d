"""What a domain file holds, as objects: domains, tools, what users ask, tasks of several calls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from itertools import cycle
from pathlib import Path

from acgym.types import Json, Split, ToolSpec

FOLDER = Path(__file__).resolve().parent
SPLITS: tuple[Split, ...] = ("eval", "train")
FORMS = ("do", "say", "short")
"""Forms of a phrase: a verb phrase that follows "please", whole sentences, a note in a few words."""
ERRORS = ("failed", "bad", "refused")
"""Classes of error messages: the service failed, the arguments are wrong, the service works and says no."""
_SLOT = re.compile(r"\{(\w+)\}")


class Phrase:
    """A request in words, with slots."""

    def __init__(self, form: str, text: str) -> None:
        self.form, self.text = form, text

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """The text cut at its slots: words at even places, names of slots at odd ones."""
        return tuple(_SLOT.split(self.text))

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Names of its slots in their order."""
        return self.pieces[1::2]

    def fill(self, said: Mapping[str, str]) -> str:
        """Say it with words for its slots."""
        pieces = list(self.pieces)
        for i in range(1, len(pieces), 2):
            pieces[i] = said[pieces[i]]
        return "".join(pieces)


class Ask:
    """One thing that users ask a tool for: the arguments that it means, in several wordings."""

    def __init__(self, tool: Tool, row: Mapping[str, Json]) -> None:
        self.tool, self._row = tool, row

    @property
    def args(self) -> Mapping[str, Json]:
        """Gold arguments; a text ``"$slot"`` stands for the slot's value."""
        args: Mapping[str, Json] = self._row["args"]
        return args

    @cached_property
    def phrases(self) -> tuple[Phrase, ...]:
        """All wordings, each with the same slots."""
        return tuple(Phrase(form, text) for form in FORMS for text in self._row.get(form, ()))

    @cached_property
    def by_form(self) -> Mapping[str, tuple[Phrase, ...]]:
        """The wordings of each form."""
        return {form: tuple(p for p in self.phrases if p.form == form) for form in FORMS}

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots, in the order of the first wording."""
        return self.phrases[0].slots

    @cached_property
    def meant(self) -> tuple[str, ...]:
        """Slots whose values are said in other words than they are written: ``by the window`` for ``window``."""
        return tuple(slot for slot in self.slots if _is_meant(self.tool.domain.pool(slot)))


class Tool:
    """An API function: what its documentation says, what it returns, what users ask it for."""

    def __init__(self, domain: Domain, row: Mapping[str, Json]) -> None:
        self.domain, self._row = domain, row
        self.name: str = row["name"]
        self.description: str = row["description"]

    @cached_property
    def parameters(self) -> dict[str, Json]:
        """JSON Schema of the arguments; no others are allowed."""
        return {
            "type": "object",
            "properties": self._row["parameters"],
            "required": self._row["required"],
            "additionalProperties": False,
        }

    @cached_property
    def spec(self) -> ToolSpec:
        """The tool in OpenAI's function form."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}

    @cached_property
    def line(self) -> str:
        """Name, parameters and description on one line; ``?`` marks those that may be left out, codes have a model."""
        required = self._row["required"]
        looks = self._looks()
        named = [f"{name}{'' if name in required else '?'}{looks.get(name, '')}" for name in self._row["parameters"]]
        return f"- {self.name}({', '.join(named)}): {self.description}"

    def _looks(self) -> dict[str, str]:
        """Return, for arguments that are codes, how such a code looks."""
        found = {}
        for row in self._row["asks"]:
            for name, value in row["args"].items():
                slot = re.sub(r"_\d+\Z", "", value[1:]) if isinstance(value, str) and value.startswith("$") else ""
                pool = self.domain.slots.get(slot)
                if isinstance(pool, str) and pool.startswith("@code:"):
                    model = pool.partition(":")[2]
                    digits, letters = cycle("4172059386"), cycle("KMBTRXD")
                    made = [next(digits) if c == "#" else next(letters) if c == "&" else c for c in model]
                    found[name] = f" like {''.join(made)}"
        return found

    @cached_property
    def signature(self) -> str:
        """Name, parameters, description and what it returns on one line; a parameter with ``?`` may be left out."""
        required = self._row["required"]
        named = ", ".join(name if name in required else f"{name}?" for name in self._row["parameters"])
        return f"- {self.name}({named}): {self.description} Returns: {self.returns}."

    @cached_property
    def documentation(self) -> str:
        """Name, description and schema as JSON on one line."""
        form = {key: value for key, value in self.parameters.items() if key != "additionalProperties"}
        row = {"name": self.name, "description": self.description, "parameters": form}
        return json.dumps(row, ensure_ascii=False)

    @property
    def returns(self) -> str:
        """What it returns, in words."""
        return str(self._row["returns"])

    @property
    def sample(self) -> Json:
        """A result; a text ``"=name"`` stands for that argument, ``"$slot"`` for a drawn value."""
        return self._row["sample"]

    @property
    def errors(self) -> Mapping[str, list[str]]:
        """Class of error -> messages, in which ``{name}`` stands for an argument."""
        found: Mapping[str, list[str]] = self._row["errors"]
        return found

    @property
    def near(self) -> Mapping[str, str]:
        """Names of the tools of this domain that look alike -> what tells them apart."""
        found: Mapping[str, str] = self._row.get("near", {})
        return found

    @cached_property
    def rivals(self) -> tuple[str, ...]:
        """Tools of other domains that could do what users ask this one for; not to be shown beside it."""
        return tuple(self._row.get("rivals", ()))

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        """What users ask it for."""
        return tuple(Ask(self, row) for row in self._row["asks"])


class Step:
    """One call of a task: its arguments, what came back, and why it is made now."""

    def __init__(self, row: Mapping[str, Json]) -> None:
        self.id: str = row["id"]
        self.tool: str = row["tool"]
        self.args: Mapping[str, Json] = row["args"]
        self.result: Json = row["result"]
        self.thought: str = row["thought"]
        self.traps: tuple[str, ...] = tuple(row.get("traps", ()))
        self._after: tuple[str, ...] = tuple(row.get("after", ()))

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """Ids of the steps that must come first: those that its arguments refer to, and those that it must follow."""
        found = [text[1:].partition(".")[0] for text in texts(self.args) if text.startswith("@")]
        return tuple(dict.fromkeys([*found, *self._after]))


class Goal:
    """A task of several calls."""

    def __init__(self, domain: Domain, row: Mapping[str, Json]) -> None:
        self.domain = domain
        self.kind: str = row["id"]
        self.phrases = tuple(Phrase("say", text) for text in row["say"])
        self._row = row

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Its calls in an order in which they can be made."""
        return tuple(Step(row) for row in self._row["steps"])

    @property
    def branches(self) -> bool:
        """Whether other calls are needed when a result is another one, so that no list of calls can be right before."""
        return bool(self._row.get("branches", False))

    @property
    def answer(self) -> str:
        """What the user is told at the end."""
        return str(self._row["answer"])


class Domain:
    """A field of life with its tools; one file of the library."""

    def __init__(self, row: Mapping[str, Json], split: Split) -> None:
        self.split = split
        self.name: str = row["domain"]
        self.about: str = row["about"]
        self.slots: Mapping[str, Json] = row["slots"]
        self.unserved = tuple(Phrase("say", text) for text in row["unserved"])
        self.no_tool = tuple(Phrase("say", text) for text in row["no_tool"])
        self.tools = tuple(Tool(self, tool) for tool in row["tools"])
        self.goals = tuple(Goal(self, goal) for goal in row["tasks"])

    def pool(self, slot: str) -> Json:
        """Return the values of a slot, of ``city`` for ``city_2``; None for a slot that needs no pool."""
        return self.slots.get(slot, self.slots.get(re.sub(r"_\d+\Z", "", slot)))

    @cached_property
    def signatures(self) -> str:
        """The signatures of its tools, one a line."""
        return "\n".join(tool.signature for tool in self.tools)

    @cached_property
    def by_name(self) -> Mapping[str, Tool]:
        """Its tools by their names."""
        return {tool.name: tool for tool in self.tools}


def _is_meant(pool: Json) -> bool:
    pairs = (entry for entry in pool if isinstance(entry, list)) if isinstance(pool, list) else ()
    return any(str(said).casefold() != str(value).casefold() for said, value in pairs)


@cache
def domains(split: Split) -> tuple[Domain, ...]:
    """Load the domains of a split, once; no domain is in both."""
    files = sorted((FOLDER / split).glob("*.json"))
    return tuple(Domain(json.loads(file.read_bytes()), split) for file in files)


@cache
def goals(split: Split) -> tuple[Goal, ...]:
    """All tasks of several calls of a split."""
    return tuple(goal for domain in domains(split) for goal in domain.goals)


@cache
def tools(split: Split) -> tuple[Tool, ...]:
    """All tools of a split."""
    return tuple(tool for domain in domains(split) for tool in domain.tools)


def texts(value: Json) -> Iterator[str]:
    """Walk over the texts in a JSON value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
