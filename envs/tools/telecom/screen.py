"""What the phone shows: the status bar and the readings that its owner can ask for."""

from __future__ import annotations

from collections.abc import Callable

from acgym.envs.tools.telecom.phone import Phone
from acgym.types import Json

_SIM = {
    "active": "The SIM card is active.",
    "missing": "There is no SIM card.",
    "locked_pin": "The SIM card is locked: it asks for its PIN.",
    "locked_puk": "The SIM card is locked: it asks for its PUK.",
}


def status_bar(phone: Phone) -> list[str]:
    """List what the bar shows, from left to right."""
    device = phone.device
    shown: list[str] = []
    if device["airplane_mode"]:
        shown.append("Airplane Mode")
    else:
        signal, technology = device["network_signal_strength"], device["network_technology_connected"]
        shown.append("No Signal" if signal == "none" else f"{signal.capitalize()} Signal")
        on_air = technology != "none"
        if on_air:
            shown.append(technology)
        data = on_air and device["data_enabled"]
        shown.append("Data Enabled" if data else "Data Disabled")
        if data and device["data_saver_mode"]:
            shown.append("Data Saver")
    if device["wifi_enabled"] and device["wifi_connected"]:
        shown.append(f"Wi-Fi {device.get('wifi_ssid') or 'connected'}")
    if device["vpn_connected"]:
        shown.append("VPN Connected")
    return [*shown, f"Battery {device['battery_level']}%"]


def check_status_bar(phone: Phone) -> Json:
    """Show the status bar."""
    return {"status_bar": status_bar(phone)}


def check_network_status(phone: Phone) -> Json:
    """Show connection, signal and the switches that matter to them."""
    device = phone.device
    shown = {
        "airplane_mode": device["airplane_mode"],
        "sim_status": phone.sim_status,
        "cellular_connection": device["network_connection_status"],
        "cellular_signal": device["network_signal_strength"],
        "cellular_network_type": device["network_technology_connected"],
        "mobile_data_enabled": device["data_enabled"],
        "data_roaming_enabled": device["roaming_enabled"],
        "wifi_enabled": device["wifi_enabled"],
        "wifi_connected": device["wifi_connected"],
    }
    return {**shown, "wifi_network": device.get("wifi_ssid")} if device["wifi_connected"] else shown


def check_network_mode_preference(phone: Phone) -> Json:
    """Show the preferred mode."""
    return {"network_mode_preference": phone.device["network_mode_preference"]}


def run_speed_test(phone: Phone) -> Json:
    """Measure mobile data."""
    found = phone.speed()
    if found is None:
        return {"result": "The speed test failed: no connection."}
    return {"speed_mbps": found[0], "speed": found[1]}


def check_sim_status(phone: Phone) -> Json:
    """Show the SIM card."""
    return {"result": _SIM[phone.sim_status]}


def check_data_restriction_status(phone: Phone) -> Json:
    """Show data saver."""
    return {"data_saver_mode": phone.device["data_saver_mode"]}


def check_apn_settings(phone: Phone) -> Json:
    """Show APN and MMS centre."""
    settings = phone.device["active_apn_settings"]
    return {"apn_name": settings["apn_name"], "mmsc_url": settings["mmsc_url"]}


def check_wifi_status(phone: Phone) -> Json:
    """Show Wi-Fi."""
    device = phone.device
    if not device["wifi_connected"]:
        return {"wifi_enabled": device["wifi_enabled"], "wifi_connected": False}
    network, signal = device.get("wifi_ssid"), device["wifi_signal_strength"]
    return {"wifi_enabled": device["wifi_enabled"], "wifi_connected": True, "network": network, "signal": signal}


def check_wifi_calling_status(phone: Phone) -> Json:
    """Show Wi-Fi calling."""
    return {"wifi_calling_enabled": phone.device["wifi_calling_enabled"]}


def check_vpn_status(phone: Phone) -> Json:
    """Show the VPN, and its server while it is connected."""
    if phone.device["vpn_connected"]:
        return {"vpn_connected": True, "details": dict(phone.vpn)}
    return {"vpn_connected": False, "vpn_enabled_in_settings": phone.device["vpn_enabled_setting"]}


def check_installed_apps(phone: Phone) -> Json:
    """List the apps."""
    return {"apps": list(phone.device["app_statuses"])}


def check_app_status(phone: Phone, app_name: str) -> Json:
    """Show an app: name and permissions."""
    return {"app_name": app_name, **check_app_permissions(phone, app_name)}


def check_app_permissions(phone: Phone, app_name: str) -> Json:
    """List the permissions that an app has."""
    return {"permissions": [name for name, granted in phone.permissions(app_name).items() if granted]}


def can_send_mms(phone: Phone) -> Json:
    """Try whether a picture message can be sent."""
    return {"can_send_mms": phone.mms_works()}


def check_payment_request(phone: Phone) -> Json:
    """Show the bill that a payment was asked for."""
    payment = phone.around.payment
    if payment is None:
        return {"result": "No payment was asked for."}
    return {"bill_id": payment["bill_id"], "amount_due": payment["amount_due"]}


READINGS: dict[str, Callable[..., Json]] = {
    reading.__name__: reading
    for reading in (
        check_status_bar,
        check_network_status,
        check_network_mode_preference,
        run_speed_test,
        check_sim_status,
        check_data_restriction_status,
        check_apn_settings,
        check_wifi_status,
        check_wifi_calling_status,
        check_vpn_status,
        check_installed_apps,
        check_app_status,
        check_app_permissions,
        can_send_mms,
        check_payment_request,
    )
}
"""Name -> tool of the phone that changes nothing; its first argument is the phone."""
