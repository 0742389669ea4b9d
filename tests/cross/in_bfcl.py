"""Judge calls with the leaderboard's own checkers: python in_bfcl.py JOB.json, in an environment with bfcl-eval.

``folder`` of the options holds the data, ``cases`` a JSON Lines file of ``{"category", "id", "calls"}`` (single-turn:
``[[name, arguments], ...]``) or ``{"category", "id", "turns"}`` (``[[call as text, ...], ...]``, one step a turn). The
report holds one verdict for each: true, false, or the name of what the checker raised. The package is installed
without its dependencies, so the table of models, which would import every vendor's client, is replaced by a stand-in.
"""

from __future__ import annotations

import copy
import json
import sys
import types
from pathlib import Path
from typing import Any


class _AnyModel(dict):
    """Every model has names with dots."""

    def __missing__(self, name: str) -> Any:
        return types.SimpleNamespace(underscore_to_dot=False)


stand_in = types.ModuleType("bfcl_eval.constants.model_config")
stand_in.MODEL_CONFIG_MAPPING = _AnyModel()
sys.modules[stand_in.__name__] = stand_in

from bfcl_eval.constants.enums import Language  # noqa: E402
from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker  # noqa: E402
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_checker, multi_turn_utils  # noqa: E402
from bfcl_eval.eval_checker.multi_turn_eval.func_source_code import long_context, posting_api  # noqa: E402

LANGUAGES = {"simple_java": Language.JAVA, "simple_javascript": Language.JAVASCRIPT}
CONSTANTS = {
    name: value for name, value in vars(long_context).items() if name.isupper() and isinstance(value, dict | list)
}
FRESH = copy.deepcopy(CONSTANTS)


def afresh(longer: bool) -> None:
    """Undo what one dialogue leaves for the next: instances, default lists, and constants, which longer ones change."""
    for name in [name for name in vars(multi_turn_utils) if name.endswith("_instance")]:
        delattr(multi_turn_utils, name)
    for name, value in CONSTANTS.items() if longer else ():
        fresh = copy.deepcopy(FRESH[name])
        value.clear()
        value.update(fresh) if isinstance(value, dict) else value.extend(fresh)
    for default in posting_api.TwitterAPI.post_tweet.__defaults__:
        default.clear()


def rows(path: Path) -> dict[str, Any]:
    return {row["id"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


class Judge:
    def __init__(self, folder: Path) -> None:
        self.folder, self.read = folder, {}

    def __call__(self, case: dict[str, Any]) -> bool | str:
        name = case["category"]
        if name not in self.read:
            file = f"BFCL_v4_{name}.json"
            self.read[name] = rows(self.folder / file), rows(self.folder / "possible_answer" / file)
        row, gold = (part[case["id"]] for part in self.read[name])
        try:
            if "turns" in case:
                afresh(longer="long_context" in name)
                said = [[turn] if turn else [] for turn in case["turns"]]
                judged = multi_turn_checker.multi_turn_checker(said, gold["ground_truth"], row, name, "model")
            else:
                calls = [{name: arguments} for name, arguments in case["calls"]]
                language = LANGUAGES.get(name, Language.PYTHON)
                judged = ast_checker(row["function"], calls, gold["ground_truth"], language, name, "model")
        except Exception as error:
            return type(error).__name__
        return bool(judged["valid"])


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    judge = Judge(Path(settings["options"]["folder"]))
    with Path(settings["options"]["cases"]).open(encoding="utf-8") as file:
        verdicts = [judge(json.loads(line)) for line in file]
    out = Path(settings["out"])
    out.with_name(out.name + ".json").write_text(json.dumps({"verdicts": verdicts}), encoding="utf-8")


if __name__ == "__main__":
    main()
