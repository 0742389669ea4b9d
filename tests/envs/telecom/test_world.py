"""Account and phone of ACB/Telecom: what each switch does, and how the two agree, worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.envs.tools.tau2_refused import Refused
from acgym.envs.tools.telecom.files import read_state
from acgym.envs.tools.telecom.screen import status_bar
from acgym.envs.tools.telecom.tools import SIDES, fault
from acgym.envs.tools.telecom.world import World
from tests.helpers.telecom_data import NUMBER, OWN, asserts, step, telecom_files


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return read_state(telecom_files(tmp_path_factory.mktemp("telecom")))


@pytest.fixture
def begin(state):
    """Open a world whose phone has the number of line L1, after some steps."""

    def opened(*steps):
        world = World(state)
        world.prepare([step("user", "set_user_info", name="Ada Byron", phone_number=NUMBER), *steps])
        return world

    return opened


@pytest.mark.parametrize(
    ("mode", "mbps", "word"),
    [
        ("4g_5g_preferred", 275.0, "excellent"),  # (50 + 500) / 2, whole
        ("4g_only", 44.0, "good"),  # (10 + 100) / 2 * 0.8
        ("3g_only", 1.5, "poor"),  # (1 + 5) / 2 * 0.5
        ("2g_only", 0.05, "very poor"),  # (0.1 + 0.4) / 2 * 0.2
    ],
)
def test_the_speed_is_the_middle_of_the_technology_times_its_signal(begin, mode, mbps, word):
    world = begin(step("user", "set_network_mode_preference", mode=mode))
    assert world.call("run_speed_test", {}) == {"speed_mbps": mbps, "speed": word}
    assert world.call("can_send_mms", {}) == {"can_send_mms": mode != "2g_only"}


def test_a_slow_vpn_leaves_a_tenth_and_data_saver_a_fifth_and_both_a_fiftieth(begin):
    world = begin(step("user", "simulate_network_search"), step("user", "break_vpn"))
    assert world.phone.speed() == (27.5, "good")
    world.call("toggle_data_saver_mode", {})
    assert world.phone.speed() == (5.5, "fair")
    world.call("disconnect_vpn", {})
    assert world.phone.speed() == (55.0, "good")
    world.call("connect_vpn", {})
    assert world.phone.speed() == (5.5, "fair"), "the server stays slow"


def test_before_any_search_the_signal_is_the_one_of_the_file(begin):
    assert begin().phone.speed() == (220.0, "excellent")


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("switched", [True, False])
def test_abroad_both_line_and_phone_must_roam(begin, allowed, switched):
    world = begin(step("user", "set_user_location", abroad=True))
    if allowed:
        world.call("enable_roaming", OWN)
    if switched:
        world.call("toggle_roaming", {})
    assert world.phone.data_works() == (allowed and switched)


def test_data_stops_at_the_limit_and_flows_again_when_some_is_added(begin):
    world = begin(step("assistant", "set_data_usage", data_used_gb=5.0, **OWN))
    assert not world.phone.data_works()
    shown = world.call("refuel_data", {**OWN, "gb_amount": 1.5})
    assert (shown["charge"], shown["data_refueling_gb"]) == (3.0, 1.5)
    assert world.phone.data_works()
    draft = world.call("get_bills_for_customer", {"customer_id": "C1"})[0]
    assert (draft["status"], draft["total_due"], draft["period_start"], draft["period_end"], draft["due_date"]) == (
        "Draft",
        3.0,
        "2025-03-01",
        "2025-03-31",
        "2025-03-15",
    )
    world.call("refuel_data", {**OWN, "gb_amount": 1})
    assert draft["total_due"] == 5.0, "on the same bill"


def test_a_suspended_line_is_noticed_at_the_next_search(begin):
    world = begin()
    world.call("suspend_line", {**OWN, "reason": "lost"})
    assert world.phone.device["network_connection_status"] == "connected"
    world.call("reboot_device", {})
    assert status_bar(world.phone)[:2] == ["No Signal", "Data Disabled"]
    world.call("resume_line", OWN)
    assert world.phone.device["network_connection_status"] == "no_service"
    world.call("reboot_device", {})
    assert status_bar(world.phone)[:2] == ["Excellent Signal", "5G"]


def test_an_overdue_bill_is_that_of_last_month_and_is_paid_by_request(begin):
    overdue = step("assistant", "suspend_line_for_overdue_bill", new_bill_id="B9", contract_ended=True, **OWN)
    world = begin(overdue)
    bill, line = world.account.row("bills", "B9"), world.account.row("lines", "L1")
    assert (bill["period_start"], bill["period_end"], bill["due_date"]) == ("2025-01-01", "2025-01-31", "2025-01-15")
    assert (bill["total_due"], bill["status"], line["contract_end_date"]) == (30.0, "Overdue", "2025-01-31")
    assert world.call("make_payment", {})["result"] == "No payment was asked for."
    world.call("send_payment_request", {"customer_id": "C1", "bill_id": "B9"})
    with pytest.raises(Refused, match="awaits"):
        world.call("send_payment_request", {"customer_id": "C1", "bill_id": "B2"})
    assert world.call("check_payment_request", {}) == {"bill_id": "B9", "amount_due": 30.0}
    assert not world.holds(asserts("assistant", "assert_no_overdue_bill", overdue_bill_id="B9"))
    world.call("make_payment", {})
    assert world.holds(asserts("assistant", "assert_no_overdue_bill", overdue_bill_id="B9"))
    with pytest.raises(Refused, match="already"):
        begin(overdue, step("assistant", "resume_line", **OWN), overdue)


def test_apn_settings_are_reset_by_the_reboot_not_before(begin):
    world = begin(step("user", "break_apn_settings"))
    assert world.phone.device["network_connection_status"] == "no_service"
    world.call("reset_apn_settings", {})
    assert world.phone.device["network_connection_status"] == "no_service"
    world.call("reboot_device", {})
    assert world.phone.device["network_connection_status"] == "connected"
    world.call("set_apn_settings", {"apn_settings": {"mmsc_url": None, "colour": "red"}})
    assert world.call("check_apn_settings", {}) == {"apn_name": "internet", "mmsc_url": None}
    for wrong in ({"apn_name": "x"}, {"mmsc_url": 1}, {"mms_port": True}, {"reset_at_reboot": 1}):
        with pytest.raises(Refused):
            world.call("set_apn_settings", {"apn_settings": wrong})


@pytest.mark.parametrize("mode", ["pin", "puk"])
def test_a_locked_card_stays_locked(begin, mode):
    world = begin(step("user", "lock_sim_card", mode=mode))
    for name in ("reseat_sim_card", "reboot_device"):
        world.call(name, {})
    assert world.phone.sim_status == f"locked_{mode}"
    assert mode.upper() in world.call("check_sim_status", {})["result"]


def test_airplane_mode_cuts_the_vpn_and_forbids_wifi(begin):
    world = begin(step("user", "break_vpn"), step("user", "turn_airplane_mode_on"))
    assert world.call("check_vpn_status", {})["vpn_connected"] is False
    with pytest.raises(Refused, match="airplane"):
        world.call("toggle_wifi", {})
    world.call("toggle_airplane_mode", {})
    world.call("toggle_wifi", {})
    assert world.call("check_wifi_status", {}) == {"wifi_enabled": True, "wifi_connected": False}


def test_an_assertion_about_what_is_not_there_does_not_hold(begin):
    missing = {"customer_id": "C1", "line_id": "L7"}
    assert not begin().holds(asserts("assistant", "assert_data_refueling_amount", expected_amount=0.0, **missing))


PLAIN = sorted(name for name in SIDES if fault(name, {}) is None)


@given(calls=st.lists(st.sampled_from(PLAIN), max_size=12))
def test_toggles_undone_leave_the_phone_as_a_search_would(state, calls):
    """Readings change nothing, and every toggle done twice is undone."""
    toggles = [name for name in calls if name.startswith("toggle") and name != "toggle_wifi"]
    one, other = World(state), World(state)
    for name in calls:
        if not name.startswith(("toggle", "connect", "disconnect", "re", "make")):
            one.call(name, {})
    assert one.phone.device == other.phone.device
    for world, done in ((one, [*toggles, *toggles]), (other, [])):
        for name in done:
            world.call(name, {})
        world.phone.simulate_network_search()
    assert one.phone.device | {"wifi_ssid": None} == other.phone.device | {"wifi_ssid": None}
