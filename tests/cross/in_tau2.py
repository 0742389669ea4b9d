"""Play calls with tau2's own tools: python in_tau2.py JOB.json, in an environment with inspect-evals.

``folder`` of the options holds the data, ``cases`` a JSON Lines file of ``{"domain", "id", "calls"}``. The report holds
for each case what the calls changed (``table/id`` -> record; shop and airline), or whether the data's assertions hold
then (telecom). The package is installed without its dependencies, so what it takes from inspect-ai, a base class and an
exception, is replaced by stand-ins.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


class ToolError(Exception):
    """As inspect-ai's."""


class StoreModel(BaseModel):
    """As inspect-ai's, without a store."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    instance: str | None = None


def _stand_ins() -> None:
    """Put modules in place of inspect-ai's, and of the packages' doors, which import every benchmark."""
    for name, held in {
        "inspect_ai": {},
        "inspect_ai.tool": {"ToolError": ToolError},
        "inspect_ai.util": {"StoreModel": StoreModel, "store_as": None},
        "inspect_ai.model": {"Content": Any, "ContentText": str},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(held)
        sys.modules[name] = module
    found = importlib.util.find_spec("inspect_evals")
    assert found is not None
    for name in ("inspect_evals", "inspect_evals.tau2"):
        module = types.ModuleType(name)
        module.__path__ = [str(Path(next(iter(found.submodule_search_locations or ())), *name.split(".")[1:]))]
        sys.modules[name] = module


_stand_ins()


def _of_tau2(path: str) -> Any:
    """Import a class of tau2's by module and name; only now, since the stand-ins have to be there first."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"inspect_evals.tau2.{module}"), name)


AirlineAgentTools = _of_tau2("airline.AirlineAgentTools.AirlineAgentTools")
RetailAgentTools = _of_tau2("retail.RetailAgentTools.RetailAgentTools")
Environment = _of_tau2("telecom.environment.Environment")
TelecomAgentTools = _of_tau2("telecom.TelecomAgentTools.TelecomAgentTools")
TelecomUserTools = _of_tau2("telecom.TelecomUserTools.TelecomUserTools")

DESKS = {"retail": RetailAgentTools, "airline": AirlineAgentTools}
WRONG = (ToolError, TypeError, ValueError, AttributeError, KeyError)
"""What a call raises that cannot be carried out."""
NO_STATE = ("calculate", "transfer_to_human_agents")


class Player:
    """Plays cases; the data is read once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.begin, self.desks, self.rows = folder, {}, {}, {}

    def database(self, tools: Any) -> Any:
        """Give tools a database of their own, as the data has it."""
        kind = type(tools)
        if kind not in self.begin:
            tools.initialize()
            self.begin[kind] = tools.db
        tools.db = self.begin[kind].model_copy(deep=True)
        tools.initialized = True
        return tools

    def desk(self, case: dict[str, Any]) -> dict[str, Any]:
        """Return what calls of the shop or the airline changed, and undo it: copying all records takes long."""
        domain = case["domain"]
        if domain not in self.desks:
            self.desks[domain] = self.database(DESKS[domain]())
        tools = self.desks[domain]
        for name, arguments in case["calls"]:
            if name not in NO_STATE:
                with suppress(*WRONG):
                    getattr(tools, name)(**arguments)
        found = {}
        for table in type(tools.db).model_fields:
            before, after = getattr(self.begin[type(tools)], table), getattr(tools.db, table)
            for key in [key for key, record in after.items() if before.get(key) != record]:
                found[f"{table}/{key}"] = plain(after[key].model_dump())
                if key in before:
                    after[key] = before[key].model_copy(deep=True)
                else:
                    del after[key]
        return found

    def telecom(self, case: dict[str, Any]) -> bool:
        """Say whether calls solve a ticket."""
        if not self.rows:
            import gzip

            with gzip.open(self.folder / "telecom" / "tasks.json.gz") as file:
                self.rows = {row["id"]: row for row in json.load(file)}
        row = self.rows[case["id"]]
        env = Environment(self.database(TelecomUserTools()), self.database(TelecomAgentTools()))
        for action in (row["initial_state"] or {}).get("initialization_actions") or ():
            side = env.user_tools if action["env_type"] == "user" else env.tools
            getattr(side, action["func_name"])(**action["arguments"])
            env.sync_tools()
        for name, arguments in case["calls"]:
            side = env.user_tools if case["sides"].get(name) == "user" else env.tools
            with suppress(*WRONG):
                if name not in NO_STATE:
                    getattr(side, name)(**arguments)
                    env.sync_tools()
        return all(
            getattr(env.tools if one["env_type"] == "assistant" else env.user_tools, one["func_name"])(
                **one["arguments"]
            )
            == one.get("assert_value", True)
            for one in row["evaluation_criteria"]["env_assertions"] or ()
        )


def plain(value: Any) -> Any:
    """Leave out what is None, as the data does."""
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items() if held is not None}
    return [plain(held) for held in value] if isinstance(value, list) else value


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    player = Player(Path(settings["options"]["folder"]))
    found = []
    with Path(settings["options"]["cases"]).open(encoding="utf-8") as file:
        for case in map(json.loads, file):
            found.append(player.telecom(case) if case["domain"] == "telecom" else player.desk(case))
    out = Path(settings["out"])
    out.with_name(out.name + ".json").write_text(json.dumps({"found": found}), encoding="utf-8")


if __name__ == "__main__":
    main()
