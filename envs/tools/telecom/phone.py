"""The customer's phone: its switches, what they do to its connection, and how fast and whether data and MMS work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acgym.envs.tools.tau2_refused import Refused
from acgym.types import Json

MODES = {"4g_5g_preferred": ("5G", "4G"), "4g_only": ("4G",), "3g_only": ("3G",), "2g_only": ("2G",)}
"""Preferred network mode -> the technologies that it tries, in order."""
_MBPS = {"2G": (0.1, 0.4), "3G": (1.0, 5.0), "4G": (10.0, 100.0), "5G": (50.0, 500.0)}
_SIGNAL_SHARE = {"none": 0.0, "poor": 0.2, "fair": 0.5, "good": 0.8, "excellent": 1.0}
_SPEEDS = ((1.0, "very poor"), (5.0, "poor"), (25.0, "fair"), (100.0, "good"))
_APN_NAMES = ("internet", "broken")
_APN = {"apn_name": "internet", "reset_at_reboot": False, "mms_apn": None, "mmsc_url": None, "mms_proxy": None}
_PERMISSIONS = ("sms", "storage", "phone", "network")
_NO_APP = "there is no app {!r}; the apps are {}"


@dataclass(slots=True)
class Surroundings:
    """What holds around the phone: where it is, and what the account allows it."""

    phone_number: str | None = None
    abroad: bool = False
    roaming_allowed: bool = False
    data_exceeded: bool = False
    line_active: bool = True
    payment: dict[str, Json] | None = None
    """Bill and amount that the customer was asked to pay, and whether that is done."""
    signals: dict[str, str] = field(
        default_factory=lambda: {"2G": "poor", "3G": "fair", "4G": "good", "5G": "excellent"}
    )
    """Technology -> strength of its signal here."""


class Phone:
    """The phone of ``user_db.toml``, changed by what its owner does with it.

    A change that the radio notices ends in a search for a network, so that connection, technology and signal follow the
    switches; what the account allows is noticed at the next search or reading. A VPN server, once broken, stays slow.

    Args:
        device: the ``device`` table of the data, which is kept and changed.
    """

    def __init__(self, device: dict[str, Any]) -> None:
        self.device: dict[str, Any] = device
        self.around = Surroundings()
        for app in self.device["app_statuses"].values():
            app["permissions"] = {**dict.fromkeys(_PERMISSIONS, False), **app["permissions"]}
        self.default_apn: dict[str, Json] = {**_APN, **device["active_apn_settings"]}
        self.device["active_apn_settings"] = dict(self.default_apn)
        self.vpn = {"server_address": "192.168.1.1", "protocol": "OpenVPN", "server_performance": "excellent"}

    # What follows from the switches.

    @property
    def sim_status(self) -> str:
        """``active``, ``missing``, ``locked_pin`` or ``locked_puk``."""
        return "missing" if self.device["sim_card_missing"] else str(self.device["sim_card_status"])

    def simulate_network_search(self) -> None:
        """Connect as the switches, the SIM card, the APN and the line allow."""
        device = self.device
        broken = device["active_apn_settings"]["apn_name"] == "broken"
        if self.sim_status != "active" or device["airplane_mode"] or broken or not self.around.line_active:
            self._connect("no_service", "none", "none")
            return
        tried = MODES[device["network_mode_preference"]]
        heard = [name for name in tried if self.around.signals.get(name, "none") != "none"]
        name = heard[0] if heard else tried[-1]
        self._connect("connected", name, self.around.signals.get(name, "none"))

    def _connect(self, status: str, technology: str, signal: str) -> None:
        self.device.update(
            network_connection_status=status, network_technology_connected=technology, network_signal_strength=signal
        )

    def data_works(self) -> bool:
        """Whether mobile data flows."""
        device, around = self.device, self.around
        connected = device["network_connection_status"] != "no_service" and device["network_signal_strength"] != "none"
        roams = not around.abroad or (device["roaming_enabled"] and around.roaming_allowed)
        on = device["data_enabled"] and not device["airplane_mode"]
        return bool(connected and roams and on and not around.data_exceeded)

    def speed(self) -> tuple[float, str] | None:
        """Return megabits per second and the word for them; None if mobile data does not work."""
        if not self.data_works():
            return None
        device = self.device
        low, high = _MBPS.get(device["network_technology_connected"], (0.0, 0.0))
        slow_vpn = device["vpn_connected"] and self.vpn["server_performance"] == "poor"
        share = (0.1 if slow_vpn else 1.0) * (0.2 if device["data_saver_mode"] else 1.0)
        mbps = round((low + high) / 2 * _SIGNAL_SHARE[device["network_signal_strength"]] * share, 2)
        return mbps, next((word for most, word in _SPEEDS if mbps < most), "excellent")

    def mms_works(self) -> bool:
        """Whether the messaging app can send a picture."""
        device = self.device
        over_wifi = device["wifi_calling_enabled"] and device["wifi_calling_mms_over_wifi"]
        app = device["app_statuses"].get("messaging")
        allowed = app is not None and app["permissions"].get("storage") and app["permissions"].get("sms")
        configured = device["active_apn_settings"]["mmsc_url"] is not None
        fast = device["network_technology_connected"] != "2G"
        return bool(self.data_works() and fast and not over_wifi and configured and allowed)

    # What the owner changes.

    def set_network_mode_preference(self, mode: str) -> str:
        """Prefer a network mode."""
        if mode not in MODES:
            raise Refused(f"the mode must be one of {', '.join(MODES)}, got {mode!r}")
        self.device["network_mode_preference"] = mode
        self.simulate_network_search()
        return f"The preferred network mode is now {mode}."

    def set_airplane_mode(self, on: bool) -> None:
        """Switch all radios off or on; Wi-Fi and, when it goes on, VPN are cut."""
        self.device["airplane_mode"] = on
        if on or self.device["wifi_enabled"]:
            self._cut_wifi()
        if on:
            self.device["vpn_connected"] = False
        self.simulate_network_search()

    def _cut_wifi(self) -> None:
        self.device.update(wifi_connected=False, wifi_ssid=None, wifi_signal_strength="none")

    def toggle_airplane_mode(self) -> str:
        """Change airplane mode."""
        self.set_airplane_mode(not self.device["airplane_mode"])
        return f"Airplane mode is now {self._on('airplane_mode')}."

    def set_switch(self, name: str, on: bool) -> None:
        """Set ``data_enabled``, ``roaming_enabled`` (both with a search), or a switch that no network notices."""
        self.device[name] = on
        if name in ("data_enabled", "roaming_enabled"):
            self.simulate_network_search()

    def _on(self, name: str) -> str:
        return "on" if self.device[name] else "off"

    def _toggle(self, name: str, words: str) -> str:
        self.set_switch(name, not self.device[name])
        return f"{words} is now {self._on(name)}."

    def toggle_data(self) -> str:
        """Change mobile data."""
        return self._toggle("data_enabled", "Mobile data")

    def toggle_roaming(self) -> str:
        """Change data roaming."""
        return self._toggle("roaming_enabled", "Data roaming")

    def toggle_data_saver_mode(self) -> str:
        """Change data saver."""
        return self._toggle("data_saver_mode", "Data saver")

    def toggle_wifi_calling(self) -> str:
        """Change Wi-Fi calling."""
        return self._toggle("wifi_calling_enabled", "Wi-Fi calling")

    def toggle_wifi(self) -> str:
        """Change the Wi-Fi radio; not in airplane mode."""
        if self.device["airplane_mode"]:
            raise Refused("Wi-Fi cannot be changed while airplane mode is on")
        words = self._toggle("wifi_enabled", "Wi-Fi")
        if not self.device["wifi_enabled"]:
            self._cut_wifi()
        return words

    def reseat_sim_card(self) -> str:
        """Take the SIM card out and put it in."""
        self.set_sim_missing(False)
        return "The SIM card was taken out and put in again."

    def set_sim_missing(self, missing: bool) -> None:
        """Take the SIM card out, or put it in."""
        self.device["sim_card_missing"] = missing
        self.simulate_network_search()

    def lock_sim_card(self, mode: str) -> None:
        """Lock the SIM card with its ``pin`` or ``puk``; no tool unlocks it."""
        if mode not in ("pin", "puk"):
            raise Refused(f"a SIM card is locked by pin or puk, got {mode!r}")
        self.device["sim_card_status"] = f"locked_{mode}"
        self.simulate_network_search()

    def set_apn_settings(self, apn_settings: Mapping[str, Json]) -> str:
        """Replace the APN settings; what is left out has its first value, an unknown name is left aside."""
        given = {name: value for name, value in apn_settings.items() if name in (*_APN, "mms_port")}
        port = given.get("mms_port")
        if given.get("apn_name", "internet") not in _APN_NAMES:
            raise Refused(f"apn_name must be one of {', '.join(_APN_NAMES)}, got {given['apn_name']!r}")
        if not isinstance(given.get("reset_at_reboot", False), bool):
            raise Refused("reset_at_reboot must be true or false")
        texts = [given.get(name) for name in ("mms_apn", "mmsc_url", "mms_proxy")]
        if not all(text is None or isinstance(text, str) for text in texts):
            raise Refused("mms_apn, mmsc_url and mms_proxy must be texts or null")
        if port is not None and (isinstance(port, bool) or not isinstance(port, int)):
            raise Refused("mms_port must be an integer or null")
        self.device["active_apn_settings"] = {**self.default_apn, **given}
        self.simulate_network_search()
        return f"The APN is now {self.device['active_apn_settings']['apn_name']}."

    def reset_apn_settings(self) -> str:
        """Have the APN settings reset at the next reboot."""
        self.device["active_apn_settings"]["reset_at_reboot"] = True
        self.simulate_network_search()
        return "The APN settings will be reset when the phone is rebooted."

    def reboot_device(self) -> str:
        """Start the phone anew."""
        done = "The phone was rebooted."
        if self.device["active_apn_settings"]["reset_at_reboot"]:
            self.device["active_apn_settings"] = dict(self.default_apn)
            done += " The APN settings were reset."
        self.simulate_network_search()
        return done

    def break_apn(self, name: str, value: str | None) -> None:
        """Spoil one APN setting."""
        self.device["active_apn_settings"][name] = value
        if name == "apn_name":
            self.simulate_network_search()

    def connect_vpn(self) -> str:
        """Connect to the VPN server."""
        was, self.device["vpn_connected"] = self.device["vpn_connected"], True
        return "The VPN is connected already." if was else "The VPN is now connected."

    def disconnect_vpn(self) -> str:
        """Leave the VPN."""
        was, self.device["vpn_connected"] = self.device["vpn_connected"], False
        return "The VPN is now disconnected." if was else "No VPN is connected."

    def break_vpn(self) -> None:
        """Connect to a VPN server that is slow from now on."""
        self.connect_vpn()
        self.vpn["server_performance"] = "poor"

    def permissions(self, app_name: str) -> dict[str, bool]:
        """Return an app's permissions, to read or to change; Refused if there is no such app."""
        apps = self.device["app_statuses"]
        if app_name not in apps:
            raise Refused(_NO_APP.format(app_name, ", ".join(apps)))
        found: dict[str, bool] = apps[app_name]["permissions"]
        return found

    def grant_app_permission(self, app_name: str, permission: str) -> str:
        """Allow an app something."""
        self.set_permission(app_name, permission, True)
        return f"The app {app_name!r} now has the permission {permission.lower()!r}."

    def set_permission(self, app_name: str, permission: str, granted: bool) -> None:
        """Give or take a permission, named in any case."""
        held = self.permissions(app_name)
        if permission.lower() not in held:
            raise Refused(f"the app {app_name!r} has no permission {permission!r}; it knows {', '.join(held)}")
        held[permission.lower()] = granted

    def make_payment(self) -> str:
        """Pay the bill that a payment was asked for."""
        payment = self.around.payment
        if payment is None:
            return "No payment was asked for."
        payment["paid"] = True
        return f"{payment['amount_due']} dollars were paid for bill {payment['bill_id']}."


DEVICE_CHANGES = (
    "set_network_mode_preference",
    "toggle_airplane_mode",
    "reseat_sim_card",
    "toggle_data",
    "toggle_roaming",
    "toggle_data_saver_mode",
    "set_apn_settings",
    "reset_apn_settings",
    "toggle_wifi",
    "toggle_wifi_calling",
    "connect_vpn",
    "disconnect_vpn",
    "grant_app_permission",
    "reboot_device",
    "make_payment",
)
"""Methods of :class:`Phone` that are tools and change it."""
