"""The files of tau2's telecom domain: the tasks of a subset, the state that they begin in, and the policy."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from acgym.envs.tools.tau2_files import read_json, read_text
from acgym.envs.tools.tau2_refused import Refused
from acgym.envs.tools.telecom.account import KEYS
from acgym.envs.tools.telecom.judge import BASES
from acgym.envs.tools.telecom.tools import SIDES, fault
from acgym.envs.tools.telecom.world import World, misfit
from acgym.rows import BadRow, Row
from acgym.types import Json

POLICIES = ("main_policy_solo", "tech_support_workflow_solo")
"""Documents that the agent is given, in order, as ``.md`` or ``.txt``."""
_TASK_FILES = ("tasks.json.gz", "tasks.json", "tasks_full.json")
_TYPES: dict[type, str] = {str: "a text", bool: "true or false", list: "a list", float: "a number", dict: "a table"}
_FIELDS: dict[str, dict[str, type]] = {
    "customers": {
        "full_name": str, "date_of_birth": str, "phone_number": str, "line_ids": list, "bill_ids": list,
    },
    "lines": {
        "phone_number": str, "status": str, "plan_id": str, "data_used_gb": float, "data_refueling_gb": float,
        "roaming_enabled": bool,
    },
    "devices": {},
    "bills": {"issue_date": str, "total_due": float, "status": str, "line_items": list},
    "plans": {"data_limit_gb": float, "price_per_month": float, "data_refueling_price_per_gb": float},
}  # fmt: skip
_DEVICE: dict[str, type] = {
    **dict.fromkeys(
        (
            "sim_card_status", "network_signal_strength", "network_technology_connected", "network_connection_status",
            "network_mode_preference", "wifi_signal_strength",
        ),
        str,
    ),
    **dict.fromkeys(
        (
            "sim_card_missing", "airplane_mode", "data_enabled", "roaming_enabled", "wifi_enabled", "wifi_connected",
            "wifi_calling_enabled", "wifi_calling_mms_over_wifi", "data_saver_mode", "vpn_enabled_setting",
            "vpn_connected",
        ),
        bool,
    ),
    "battery_level": float,
    "active_apn_settings": dict,
    "app_statuses": dict,
}  # fmt: skip


def telecom_folder(folder: Path) -> Path:
    """Return the folder of the telecom files: the one given, or ``telecom`` in it."""
    return folder / "telecom" if (folder / "telecom").is_dir() else folder


def read_tasks(folder: Path, subset: str) -> tuple[Row, ...]:
    """Read the tasks whose ids the data's split file lists.

    Args:
        folder: the telecom files.
        subset: a name in ``split_tasks.json``.

    Raises:
        FileNotFoundError: if a file is not there.
        ValueError: for a name that is not in the split file; BadRow for a file that is malformed.
    """
    splits = folder / "split_tasks.json"
    named = read_json(splits)
    if not isinstance(named, dict):
        raise BadRow(f"{splits}: it must be an object of lists of ids")
    if not isinstance(subset, str) or subset not in named:
        raise ValueError(f"subset must be one of {', '.join(named)}, got {subset!r}")
    ids = named[subset]
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise BadRow(f"{splits}: {subset!r} must be a list of ids")
    small = folder / "tasks_small.json"
    tasks = small if subset == "small" and small.is_file() else _task_file(folder)
    rows = {row.id: row for row in _rows(tasks, *_state(tasks))}
    for one in ids:
        if one not in rows:
            raise BadRow(f"{splits}: {subset!r} lists {one!r}, which {tasks.name} does not have")
    return tuple(rows[one] for one in ids)


def _task_file(folder: Path) -> Path:
    for name in _TASK_FILES:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{folder} has none of {', '.join(_TASK_FILES)}")


def _state(file: Path) -> tuple[int, int]:
    return file.stat().st_size, file.stat().st_mtime_ns


@lru_cache(maxsize=4)
def _rows(file: Path, size: int, changed: int) -> tuple[Row, ...]:
    """Read a task file in the state that ``size`` and ``changed`` (nanoseconds) stand for."""
    values = read_json(file)
    if not isinstance(values, list) or not values:
        raise BadRow(f"{file}: it must be a list of tasks")
    rows: dict[str, Row] = {}
    for place, value in enumerate(values, 1):
        if not isinstance(value, dict) or not isinstance(value.get("id"), str):
            raise BadRow(f"{file}, line {place}: a task must be an object with an 'id' that is a text")
        row = Row(file, place, value["id"], value)
        if row.id in rows:
            raise row.bad(f"line {rows[row.id].line} has the same id")
        rows[row.id] = row
    return tuple(rows.values())


def read_policy(folder: Path) -> str:
    """Return the documents that the agent is given.

    Raises:
        FileNotFoundError: if one is not there.
    """
    texts = []
    for name in POLICIES:
        found = [folder / f"{name}{ending}" for ending in (".md", ".txt") if (folder / f"{name}{ending}").is_file()]
        if not found:
            raise FileNotFoundError(f"{folder} has no {name}.md (or .txt)")
        texts.append(read_text(found[0]).strip())
    return "\n\n".join(texts)


def read_state(folder: Path) -> str:
    """Return the state that tasks begin in, as :class:`acgym.envs.tools.telecom.world.World` takes it.

    Raises:
        FileNotFoundError: if a file is not there; BadRow if it lacks something.
    """
    account, phone = (_toml(folder / name) for name in ("db.toml", "user_db.toml"))
    for table, key in KEYS.items():
        rows = account.get(table)
        if not isinstance(rows, list):
            raise BadRow(f"{folder / 'db.toml'}: it has no list {table!r}")
        for place, row in enumerate(rows, 1):
            _check(row, {key: str, **_FIELDS[table]}, f"{folder / 'db.toml'}, {table} {place}")
    where = str(folder / "user_db.toml")
    device = phone.get("device") or {}
    _check(device, _DEVICE, f"{where}, device")
    _check(device["active_apn_settings"], {"apn_name": str}, f"{where}, active_apn_settings")
    for name, app in device["app_statuses"].items():
        _check(app, {"permissions": dict}, f"{where}, app {name}")
    try:
        return json.dumps({"account": account, "device": device}, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        raise BadRow(f"{folder}: dates in db.toml and user_db.toml must be texts, and numbers finite") from None


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(file))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadRow(f"{file}: it is not TOML ({error})") from None


def _check(row: Any, fields: Mapping[str, type], where: str) -> None:
    if not isinstance(row, dict):
        raise BadRow(f"{where}: it must be a table")
    for name, kind in fields.items():
        value = row.get(name)
        fits = isinstance(value, int | float) and not isinstance(value, bool) if kind is float else False
        if not fits and not isinstance(value, kind):
            raise BadRow(f"{where}: {name!r} must be {_TYPES[kind]}")


def check_task(row: Row, state: str) -> None:
    """Check that a task can be set up, played and judged here.

    Raises:
        BadRow: naming the row.
    """
    ticket = row.value.get("ticket")
    if not isinstance(ticket, str) or not ticket:
        raise row.bad("it has no ticket, so it needs a user")
    criteria = row.need("evaluation_criteria", dict)
    basis = row.need("reward_basis", list, criteria)
    if not basis or not all(one in BASES for one in basis):
        raise row.bad(f"its reward rests on {basis!r}; only {', '.join(sorted(BASES))} are judged here")
    for kind, steps in (
        ("initialization action", prepared(row)),
        ("assertion", row.need("env_assertions", (list, type(None)), criteria) or []),
    ):
        for step in steps:
            if not isinstance(step, dict) or not isinstance(step.get("arguments"), dict):
                raise row.bad(f"each {kind} must be an object with 'arguments'")
            if not all(isinstance(step.get(key), str) for key in ("env_type", "func_name")):
                raise row.bad(f"each {kind} must say 'env_type' and 'func_name'")
            reason = misfit(kind, step)
            if reason:
                raise row.bad(reason)
    for action in row.need("actions", (list, type(None)), criteria) or []:
        _check_gold(row, action)
    try:
        World(state).prepare(prepared(row))
    except Refused as error:
        raise row.bad(f"it cannot be set up: {error}") from None


def prepared(row: Row) -> list[dict[str, Any]]:
    """Return a task's initialization actions."""
    initial = row.value.get("initial_state") or {}
    if not isinstance(initial, dict) or initial.get("initialization_data") or initial.get("message_history"):
        raise row.bad("its initial state must be an object without initialization_data or message_history")
    found = initial.get("initialization_actions") or []
    if not isinstance(found, list):
        raise row.bad("'initialization_actions' must be a list")
    return found


def _check_gold(row: Row, action: Json) -> None:
    if not isinstance(action, dict) or action.get("name") not in SIDES:
        raise row.bad("each gold action must name a tool of the account or of the phone")
    compared = action.get("compare_args")
    if compared is not None and not (isinstance(compared, list) and all(isinstance(one, str) for one in compared)):
        raise row.bad("'compare_args' must be a list of names, or null")
    reason = fault(action["name"], row.need("arguments", dict, action))
    if reason:
        raise row.bad(f"a gold action is no call: {reason}")
