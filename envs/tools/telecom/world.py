"""Account and phone together: calls of either side, what sets a task up, and what it asserts at its end."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from acgym.envs.tools.tau2_refused import Refused
from acgym.envs.tools.telecom.account import AGENT_TOOLS, Account
from acgym.envs.tools.telecom.phone import DEVICE_CHANGES, Phone
from acgym.envs.tools.telecom.screen import READINGS, status_bar
from acgym.types import Json


class World:
    """One task's account and phone.

    After every call the two are made to agree: the line's state, its roaming and its data limit reach the phone's
    surroundings, a payment that was asked for reaches the phone, and one that was made reaches the bill.

    Args:
        state: JSON text of ``{"account": tables of db.toml, "device": table of user_db.toml}``.
    """

    def __init__(self, state: str) -> None:
        held = json.loads(state)
        self.account = Account(held["account"])
        self.phone = Phone(held["device"])

    def prepare(self, actions: Sequence[Mapping[str, Json]]) -> None:
        """Carry out a task's initialization actions.

        Raises:
            Refused: if one of them cannot be carried out.
        """
        for action in actions:
            _PREPARING[action["env_type"], action["func_name"]](self, **action["arguments"])
            self.agree()

    def call(self, name: str, arguments: Mapping[str, Json]) -> Json:
        """Run a tool whose arguments fit, and return what it shows.

        Raises:
            Refused: if it changed nothing because it cannot be carried out.
        """
        if name in AGENT_TOOLS:
            shown = AGENT_TOOLS[name](self.account, **arguments)
        elif name in READINGS:
            shown = READINGS[name](self.phone, **arguments)
        else:
            shown = {"result": _CHANGES[name](self.phone, **arguments)}
        self.agree()
        return {**shown, "status_bar": status_bar(self.phone)} if name in _CHANGES else shown

    def holds(self, assertion: Mapping[str, Json]) -> bool:
        """Whether an assertion of the data comes out as it says; one about what does not exist does not hold."""
        try:
            found = ASSERTIONS[assertion["env_type"], assertion["func_name"]](self, **assertion["arguments"])
        except Refused:
            return False
        return bool(found == assertion.get("assert_value", True))

    def agree(self) -> None:
        """Carry what one side did over to the other; nothing before the phone has a number."""
        around = self.phone.around
        if around.phone_number is None:
            return
        line = self.account.line_of_number(around.phone_number)
        limit = self.account.row("plans", line["plan_id"])["data_limit_gb"] + line["data_refueling_gb"]
        around.line_active = line["status"] == "Active"
        around.roaming_allowed = line["roaming_enabled"]
        around.data_exceeded = line["data_used_gb"] >= limit
        if around.payment is not None and around.payment["paid"]:
            self.account.row("bills", around.payment["bill_id"])["status"] = "Paid"
            around.payment = None
        if around.payment is None:
            waiting = self.account.bills_awaiting(self.account.customer_of_number(around.phone_number))
            if waiting:
                bill = waiting[0]
                around.payment = {"bill_id": bill["bill_id"], "amount_due": bill["total_due"], "paid": False}


_CHANGES: dict[str, Callable[..., str]] = {name: getattr(Phone, name) for name in DEVICE_CHANGES}


def _set_user_info(world: World, name: str, phone_number: str) -> None:
    del name
    world.phone.around.phone_number = phone_number


def _set_user_location(world: World, abroad: bool) -> None:
    world.phone.around.abroad = abroad


def _set_wifi_calling(world: World, enabled: bool, mms_over_wifi: bool | None = None) -> None:
    world.phone.device["wifi_calling_enabled"] = enabled
    if mms_over_wifi is not None:
        world.phone.device["wifi_calling_mms_over_wifi"] = mms_over_wifi


def _remove_app_permission(world: World, app_name: str, permission: str) -> None:
    world.phone.set_permission(app_name, permission, False)


def _lock_sim_card(world: World, mode: str) -> None:
    world.phone.lock_sim_card(mode)


def _turned(name: str, on: bool) -> Callable[[World], None]:
    if name == "airplane_mode":
        return lambda world: world.phone.set_airplane_mode(on)
    return lambda world: world.phone.set_switch(name, on)


def _at(side: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of account or phone as a function of the world."""

    def run(world: World, /, **arguments: Json) -> Any:
        return method(getattr(world, side), **arguments)

    run.__wrapped__ = method  # type: ignore[attr-defined]  # the signature that is checked
    return run


_PREPARING: dict[tuple[str, str], Callable[..., Any]] = {
    **{("assistant", name): _at("account", method) for name, method in AGENT_TOOLS.items()},
    **{("user", name): _at("phone", method) for name, method in _CHANGES.items()},
    **{
        ("assistant", one.__name__): _at("account", one)
        for one in (
            Account.set_data_usage,
            Account.suspend_line_for_overdue_bill,
        )
    },
    **{
        ("user", f"turn_{words}_{'on' if on else 'off'}"): _turned(name, on)
        for words, name in (
            ("airplane_mode", "airplane_mode"),
            ("data", "data_enabled"),
            ("roaming", "roaming_enabled"),
            ("data_saver_mode", "data_saver_mode"),
        )
        for on in (True, False)
    },
    ("user", "set_user_info"): _set_user_info,
    ("user", "set_user_location"): _set_user_location,
    ("user", "set_wifi_calling"): _set_wifi_calling,
    ("user", "remove_app_permission"): _remove_app_permission,
    ("user", "lock_sim_card"): _lock_sim_card,
    ("user", "unseat_sim_card"): lambda world: world.phone.set_sim_missing(True),
    ("user", "simulate_network_search"): lambda world: world.phone.simulate_network_search(),
    ("user", "break_apn_settings"): lambda world: world.phone.break_apn("apn_name", "broken"),
    ("user", "break_apn_mms_setting"): lambda world: world.phone.break_apn("mmsc_url", None),
    ("user", "break_vpn"): lambda world: world.phone.break_vpn(),
}


def _assert_device(field: str) -> Callable[..., bool]:
    def held(world: World, expected_status: bool) -> bool:
        return bool(world.phone.device[field] == expected_status)

    return held


def _assert_service_status(world: World, expected_status: str) -> bool:
    return bool(world.phone.device["network_connection_status"] == expected_status)


def _assert_mobile_data_status(world: World, expected_status: bool) -> bool:
    return world.phone.data_works() == expected_status


def _assert_mobile_data_usage_exceeded(world: World, expected_status: bool) -> bool:
    return world.phone.around.data_exceeded == expected_status


def _assert_can_send_mms(world: World, expected_status: bool) -> bool:
    return world.phone.mms_works() == expected_status


def _assert_internet_speed(world: World, expected_speed: float, expected_desc: str | None = None) -> bool:
    mbps, word = world.phone.speed() or (0.0, "no connection")
    return mbps >= expected_speed and (expected_desc is None or word == expected_desc.lower())


def _assert_internet_not_excellent(world: World) -> bool:
    found = world.phone.speed()
    return found is None or found[1] != "excellent"


ASSERTIONS: dict[tuple[str, str], Callable[..., bool]] = {
    **{
        ("assistant", one.__name__): _at("account", one)
        for one in (
            Account.assert_data_refueling_amount,
            Account.assert_line_status,
            Account.assert_overdue_bill_exists,
            Account.assert_no_overdue_bill,
        )
    },
    ("user", "assert_airplane_mode_status"): _assert_device("airplane_mode"),
    ("user", "assert_mobile_roaming_status"): _assert_device("roaming_enabled"),
    ("user", "assert_mobile_data_saver_mode_status"): _assert_device("data_saver_mode"),
    ("user", "assert_service_status"): _assert_service_status,
    ("user", "assert_mobile_data_status"): _assert_mobile_data_status,
    ("user", "assert_mobile_data_usage_exceeded"): _assert_mobile_data_usage_exceeded,
    ("user", "assert_can_send_mms"): _assert_can_send_mms,
    ("user", "assert_internet_speed"): _assert_internet_speed,
    ("user", "assert_internet_not_excellent"): _assert_internet_not_excellent,
}
"""(side, name) -> check, a function of the world and of the data's arguments."""
_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "float": (int, float), "int": (int,)}


def misfit(kind: str, action: Mapping[str, Json]) -> str | None:
    """Say in one sentence why a step of the data cannot be run; None if it can.

    Args:
        kind: ``"assertion"``, or ``"initialization action"``.
        action: ``env_type``, ``func_name`` and ``arguments`` of the data, the last an object.
    """
    table = ASSERTIONS if kind == "assertion" else _PREPARING
    run = table.get((action["env_type"], action["func_name"]))
    if run is None:
        return f"there is no {kind} {action['func_name']!r} of {action['env_type']!r}"
    types, required = _parameters(run)
    arguments = action["arguments"]
    for name in required - arguments.keys():
        return f"{action['func_name']} needs {name!r}"
    for name, value in arguments.items():
        if name not in types:
            return f"{action['func_name']} does not know {name!r}"
        fits = _TYPES.get(types[name])
        if fits and (not isinstance(value, fits) or (isinstance(value, bool) and bool not in fits)):
            return f"{name!r} of {action['func_name']} must be of type {types[name]}"
    return None


@cache
def _parameters(run: Callable[..., Any]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the types of a function's parameters after the first, as written, and which of them are needed."""
    own = list(inspect.signature(run).parameters.values())[1:]
    return {one.name: str(one.annotation) for one in own}, frozenset(
        one.name for one in own if one.default is one.empty
    )
