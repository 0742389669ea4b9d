"""A small telecom domain in tau2's schema, written by hand: one customer, two lines, six tickets."""

from __future__ import annotations

import json
from pathlib import Path

NUMBER = "555-0100"
OWN = {"customer_id": "C1", "line_id": "L1"}
DB = """
[[plans]]
plan_id = "P1"
name = "Plain"
data_limit_gb = 5.0
price_per_month = 30.0
data_refueling_price_per_gb = 2.0

[[devices]]
device_id = "D1"
model = "Brick"

[[lines]]
line_id = "L1"
phone_number = "555-0100"
status = "Active"
plan_id = "P1"
device_id = "D1"
data_used_gb = 1.0
data_refueling_gb = 0.0
roaming_enabled = false

[[lines]]
line_id = "L2"
phone_number = "555-0200"
status = "Suspended"
plan_id = "P1"
device_id = "D1"
data_used_gb = 0.0
data_refueling_gb = 0.0
roaming_enabled = true

[[customers]]
customer_id = "C1"
full_name = "Ada Byron"
date_of_birth = "1985-12-10"
phone_number = "555-0001"
line_ids = ["L1", "L2"]
bill_ids = ["B1", "B2"]

[[bills]]
bill_id = "B1"
customer_id = "C1"
issue_date = "2025-01-05"
total_due = 30.0
status = "Paid"
line_items = []

[[bills]]
bill_id = "B2"
customer_id = "C1"
issue_date = "2025-02-05"
total_due = 31.0
status = "Issued"
line_items = []
"""
USER_DB = """
[device]
sim_card_status = "active"
sim_card_missing = false
airplane_mode = false
network_signal_strength = "good"
network_technology_connected = "5G"
network_connection_status = "connected"
battery_level = 70
data_enabled = true
roaming_enabled = false
network_mode_preference = "4g_5g_preferred"
wifi_enabled = false
wifi_connected = false
wifi_signal_strength = "none"
wifi_calling_enabled = false
wifi_calling_mms_over_wifi = false
data_saver_mode = false
vpn_enabled_setting = false
vpn_connected = false

[device.active_apn_settings]
apn_name = "internet"
mms_apn = "mms"
mmsc_url = "http://mms.example"

[device.app_statuses.messaging]
app_name = "messaging"

[device.app_statuses.messaging.permissions]
sms = true
storage = true
phone = true
network = false
"""


def step(side, name, /, **arguments):
    """A step of the data: an initialization action or, with its value added, an assertion."""
    return {"env_type": side, "func_name": name, "arguments": arguments}


def asserts(side, name, /, **arguments):
    return {**step(side, name, **arguments), "assert_value": True, "message": None}


def gold(side, name, /, compare_args=None, **arguments):
    return {
        "action_id": f"{name}_0",
        "requestor": side,
        "name": name,
        "arguments": arguments,
        "info": None,
        "compare_args": compare_args,
    }


def task(name, begins, actions, assertions, basis=("ENV_ASSERTION",)):
    known = step("user", "set_user_info", name="Ada Byron", phone_number=NUMBER)
    return {
        "id": name,
        "description": {"purpose": "a test", "relevant_policies": None, "notes": None},
        "user_scenario": {"persona": None, "instructions": {"domain": "telecom"}},
        "ticket": f"Ada Byron, {NUMBER}: it does not work.",
        "initial_state": {
            "initialization_data": None,
            "initialization_actions": [known, *begins],
            "message_history": None,
        },
        "evaluation_criteria": {
            "actions": actions,
            "env_assertions": assertions,
            "communicate_info": None,
            "nl_assertions": None,
            "reward_basis": list(basis),
        },
    }


FAST = asserts("user", "assert_internet_speed", expected_speed=200, expected_desc="excellent")
MMS = asserts("user", "assert_can_send_mms", expected_status=True)
TASKS = [
    task(
        "[mobile_data_issue]airplane|data_off|abroad",
        [
            step("user", "turn_airplane_mode_on"),
            step("user", "turn_data_off"),
            step("user", "set_user_location", abroad=True),
        ],
        [
            gold("user", "toggle_airplane_mode"),
            gold("user", "toggle_data"),
            gold("user", "toggle_roaming"),
            gold("assistant", "enable_roaming", **OWN),
        ],
        [FAST],
    ),
    task(
        "[mobile_data_issue]slow|used_up",
        [
            step("user", "break_vpn"),
            step("user", "turn_data_saver_mode_on"),
            step("assistant", "set_data_usage", data_used_gb=5.1, **OWN),
        ],
        [
            gold("user", "disconnect_vpn"),
            gold("user", "toggle_data_saver_mode"),
            gold("assistant", "refuel_data", gb_amount=2.0, **OWN),
        ],
        [FAST, asserts("assistant", "assert_data_refueling_amount", expected_amount=2.0, **OWN)],
    ),
    task(
        "[mms_issue]apn|permission|wifi_calling|2g",
        [
            step("user", "break_apn_mms_setting"),
            step("user", "remove_app_permission", app_name="messaging", permission="sms"),
            step("user", "set_wifi_calling", enabled=True, mms_over_wifi=True),
            step("user", "set_network_mode_preference", mode="2g_only"),
        ],
        [
            gold("user", "reset_apn_settings"),
            gold("user", "reboot_device"),
            gold("user", "grant_app_permission", app_name="messaging", permission="sms"),
            gold("user", "toggle_wifi_calling"),
            gold("user", "set_network_mode_preference", mode="4g_5g_preferred"),
        ],
        [MMS],
    ),
    task(
        "[service_issue]overdue|sim",
        [
            step("assistant", "suspend_line_for_overdue_bill", new_bill_id="B9", contract_ended=False, **OWN),
            step("user", "unseat_sim_card"),
        ],
        [
            gold("assistant", "send_payment_request", customer_id="C1", bill_id="B9"),
            gold("user", "make_payment"),
            gold("assistant", "resume_line", **OWN),
            gold("user", "reseat_sim_card"),
        ],
        [
            asserts("user", "assert_service_status", expected_status="connected"),
            asserts("assistant", "assert_no_overdue_bill", overdue_bill_id="B9"),
        ],
    ),
    task(
        "[service_issue]locked",
        [step("user", "lock_sim_card", mode="pin")],
        [gold("assistant", "transfer_to_human_agents", compare_args=[], summary="The SIM card is locked.")],
        [asserts("user", "assert_service_status", expected_status="no_service")],
        ("ENV_ASSERTION", "ACTION"),
    ),
    task("[service_issue]nothing", [], [], [asserts("user", "assert_service_status", expected_status="connected")]),
]
SPLITS = {"base": [row["id"] for row in TASKS], "small": [TASKS[0]["id"]], "full": [row["id"] for row in TASKS]}


def telecom_files(folder: Path, tasks=TASKS, splits=SPLITS) -> Path:
    """Write the files of the domain."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "db.toml").write_text(DB, "utf-8")
    (folder / "user_db.toml").write_text(USER_DB, "utf-8")
    (folder / "tasks.json").write_text(json.dumps(tasks), "utf-8")
    (folder / "split_tasks.json").write_text(json.dumps(splits), "utf-8")
    (folder / "main_policy_solo.md").write_text("# Policy\nBe kind.", "utf-8")
    (folder / "tech_support_workflow_solo.txt").write_text("# Workflow\nLook first.", "utf-8")
    return folder
