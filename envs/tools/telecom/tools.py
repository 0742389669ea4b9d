"""The 43 tools, as the agent is told of them: 13 of the account, 30 of the phone, and the word that ends a ticket."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.envs.tools.tau2 import DONE
from acgym.envs.tools.telecom.phone import MODES
from acgym.types import Json, ToolSpec

_CUSTOMER = {"customer_id": "string: id of the customer"}
_LINE = {**_CUSTOMER, "line_id": "string: id of a line of this customer"}
_APP = {"app_name": "string: name of the app"}
# Name -> what it does, and its parameters: type, then what it means. A name that ends in ? may be left out.
_ACCOUNT: dict[str, tuple[str, dict[str, str]]] = {
    "get_customer_by_phone": ("Find a customer by a phone number.", {"phone_number": "string: such as 555-123-0000"}),
    "get_customer_by_id": ("Show a customer.", _CUSTOMER),
    "get_customer_by_name": (
        "List the customers of a name who were born on a day.",
        {"full_name": "string: first and last name", "dob": "string: date of birth, YYYY-MM-DD"},
    ),
    "get_details_by_id": (
        "Show a customer, line, device, bill or plan.",
        {"id": "string: its id, which begins with C, L, D, B or P"},
    ),
    "suspend_line": (
        "Suspend an active line, for six months at most, at 5 dollars a month.",
        {**_LINE, "reason": "string: why"},
    ),
    "resume_line": ("Make a suspended or pending line active.", _LINE),
    "get_bills_for_customer": (
        "List a customer's bills, the newest first.",
        {**_CUSTOMER, "limit?": "integer: how many at most, 12 if it is left out"},
    ),
    "send_payment_request": (
        "Ask the customer to pay a bill. Only one bill at a time can await its payment; whether it was paid before is "
        "not checked, so look first.",
        {**_CUSTOMER, "bill_id": "string: id of a bill of this customer"},
    ),
    "get_data_usage": ("Show how much data a line used this month, its limit and what was added.", _LINE),
    "enable_roaming": ("Let a line be used abroad.", _LINE),
    "disable_roaming": ("Let a line be used at home only.", _LINE),
    "transfer_to_human_agents": (
        "Hand the customer over to a human agent: only if he asks for it, or if policy and tools cannot help him.",
        {"summary": "string: what the matter is"},
    ),
    "refuel_data": (
        "Add data to a line, charged on the next bill at the plan's price.",
        {**_LINE, "gb_amount": "number: gigabytes to add, more than 0"},
    ),
}
_PHONE: dict[str, tuple[str, dict[str, str]]] = {
    "check_status_bar": ("Show the phone's status bar: signal, network, data, Wi-Fi, VPN, battery.", {}),
    "check_network_status": ("Show the connection to networks, the signal, and the switches for them.", {}),
    "check_network_mode_preference": ("Show which kinds of network the phone prefers.", {}),
    "set_network_mode_preference": (
        "Choose which kinds of network the phone prefers.",
        {"mode": f"string: one of {', '.join(MODES)}"},
    ),
    "run_speed_test": ("Measure the speed of mobile data.", {}),
    "toggle_airplane_mode": ("Switch airplane mode on or off; while it is on, nothing is connected.", {}),
    "check_sim_status": ("Show whether the SIM card works, is missing or is locked.", {}),
    "reseat_sim_card": ("Take the SIM card out and put it in again.", {}),
    "toggle_data": ("Switch mobile data on or off.", {}),
    "toggle_roaming": ("Switch data roaming on or off.", {}),
    "check_data_restriction_status": ("Show whether data saver is on.", {}),
    "toggle_data_saver_mode": ("Switch data saver on or off; it makes mobile data slower.", {}),
    "check_apn_settings": ("Show the APN's name and the address of the picture message centre.", {}),
    "set_apn_settings": (
        "Replace the APN settings.",
        {"apn_settings": "object: apn_name, mms_apn, mmsc_url, mms_proxy, mms_port; what is left out is as delivered"},
    ),
    "reset_apn_settings": ("Set the APN settings back as delivered, at the next reboot.", {}),
    "check_wifi_status": ("Show whether Wi-Fi is on and connected.", {}),
    "toggle_wifi": ("Switch Wi-Fi on or off.", {}),
    "check_wifi_calling_status": ("Show whether calls may go over Wi-Fi.", {}),
    "toggle_wifi_calling": ("Switch calls over Wi-Fi on or off.", {}),
    "check_vpn_status": ("Show whether a VPN is connected, and its server.", {}),
    "connect_vpn": ("Connect to the VPN.", {}),
    "disconnect_vpn": ("Disconnect the VPN.", {}),
    "check_installed_apps": ("List the apps on the phone.", {}),
    "check_app_status": ("Show an app.", _APP),
    "check_app_permissions": ("Show which permissions an app has.", _APP),
    "grant_app_permission": (
        "Give an app a permission.",
        {**_APP, "permission": "string: name of the permission, in small letters"},
    ),
    "can_send_mms": ("Try whether the messaging app can send a picture.", {}),
    "reboot_device": ("Start the phone anew.", {}),
    "check_payment_request": ("Show the bill that the carrier asked to be paid, if there is one.", {}),
    "make_payment": ("Pay the bill that the carrier asked to be paid.", {}),
}
_FITS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}


def _spec(name: str, described: str, parameters: Mapping[str, str]) -> ToolSpec:
    properties = {}
    for key, value in parameters.items():
        kind, _, meaning = value.partition(": ")
        properties[key.rstrip("?")] = {"type": kind, "description": meaning[:1].upper() + meaning[1:]}
    required = [key for key in parameters if not key.endswith("?")]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": described, "parameters": schema}}


TOOLS: tuple[ToolSpec, ...] = (
    *(_spec(name, *row) for name, row in _ACCOUNT.items()),
    *(
        _spec(name, f"On the customer's phone: {row[0][:1].lower()}{row[0][1:]}", row[1])
        for name, row in _PHONE.items()
    ),
    _spec(DONE, "Say that the ticket is dealt with. Nothing can be done after it.", {}),
)
"""What the agent may call, in order: the account's tools, the phone's, ``done``."""
_SCHEMAS = {tool["function"]["name"]: tool["function"]["parameters"] for tool in TOOLS}
SIDES = {**dict.fromkeys(_ACCOUNT, "assistant"), **dict.fromkeys(_PHONE, "user")}
"""Name of a tool -> whose it is, as the data calls the sides."""


def fault(name: str, arguments: Mapping[str, Json]) -> str | None:
    """Say in one sentence why a call of a known tool does not fit its parameters; None if it does."""
    schema = _SCHEMAS[name]
    for key in schema["required"]:
        if key not in arguments:
            return f"{name} needs {key!r}"
    for key, value in arguments.items():
        if key not in schema["properties"]:
            known = ", ".join(schema["properties"]) or "no arguments"
            return f"{name} does not know {key[:60]!r}; it takes {known}"
        kind = schema["properties"][key]["type"]
        if isinstance(value, bool) or not isinstance(value, _FITS[kind]):
            return f"{key!r} of {name} must be of type {kind}"
    return None
