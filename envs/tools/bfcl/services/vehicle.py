"""The car: engine, doors, climate, brakes, cruise control, tyres, and the way to go."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from acgym.envs.tools.bfcl.services.base import Service
from acgym.types import Json

MAX_FUEL = 50
MILES_PER_GALLON = 20.0
_PEDAL_FORCE = 1000
"""Newtons of a fully pressed brake pedal."""
_PARKING_FORCE, _SLOPE = 500.0, 10.0
_TYRES = ("frontLeftTirePressure", "frontRightTirePressure", "rearLeftTirePressure", "rearRightTirePressure")
_ZIP_CODES = {
    "Rivermist": "83214",
    "Stonebrook": "74532",
    "Maplecrest": "56108",
    "Silverpine": "62947",
    "Shadowridge": "71354",
    "Sunset Valley": "83462",
    "Oakendale": "47329",
    "Willowbend": "52013",
    "Crescent Hollow": "69238",
    "Autumnville": "51479",
    "San Francisco": "94016",
}
_DISTANCES = {
    frozenset(pair): distance
    for pair, distance in {
        ("83214", "74532"): 750.0,
        ("56108", "62947"): 320.0,
        ("71354", "83462"): 450.0,
        ("47329", "52013"): 290.0,
        ("69238", "51479"): 630.0,
        ("94016", "83214"): 980.0,
        ("94016", "94704"): 600.0,
        ("94704", "08540"): 2550.0,
        ("94016", "08540"): 1950.0,
        ("62947", "47329"): 1053.0,
        ("94016", "62947"): 780.0,
        ("74532", "94016"): 880.0,
    }.items()
}
_SHOWN = {
    "fuel": {"fuelLevel": "fuelLevel"},
    "battery": {"batteryVoltage": "batteryVoltage"},
    "doors": {"doorStatus": "doorStatus"},
    "climate": {
        "currentACTemperature": "acTemperature",
        "fanSpeed": "fanSpeed",
        "climateMode": "acMode",
        "humidityLevel": "humidityLevel",
    },
    "headlights": {"headlightStatus": "headLightStatus"},
    "engine": {"engineState": "engine_state"},
}
"""Option of displayCarStatus -> name of a result -> name in the state."""


class Vehicle(Service):
    """The service ``VehicleControlAPI``. Forces of the brakes and the slope are no part of the compared state."""

    DEFAULTS = {  # noqa: RUF012  (declared ClassVar by the base)
        "fuelLevel": 0.0,
        "batteryVoltage": 12.6,
        "engineState": "stopped",
        "doorStatus": dict.fromkeys(["driver", "passenger", "rear_left", "rear_right"], "unlocked"),
        "acTemperature": 25.0,
        "fanSpeed": 50,
        "acMode": "auto",
        "humidityLevel": 50.0,
        "headLightStatus": "off",
        "parkingBrakeStatus": "released",
        "brakePedalStatus": "released",
        "distanceToNextVehicle": 50.0,
        "cruiseStatus": "inactive",
        "destination": "None",
        "frontLeftTirePressure": 32.0,
        "frontRightTirePressure": 32.0,
        "rearLeftTirePressure": 30.0,
        "rearRightTirePressure": 30.0,
    }

    def __init__(self, config: Mapping[str, Json], extension: Mapping[str, Json] | None = None) -> None:
        super().__init__(config, extension)
        state = self.state
        state["engine_state"] = state.pop("engineState")
        state["remainingUnlockedDoors"] = 4 - sum(held == "locked" for held in state["doorStatus"].values())
        self._random = Random(config.get("random_seed", 141053))
        self._parking_force = config.get("parkingBrakeForce", 0.0)
        self._slope = config.get("slopeAngle", 0.0)
        self._pedal_force = config.get("brakePedalForce", 0.0)

    def startEngine(self, ignitionMode: str) -> Json:
        """Start or stop the engine. It starts with doors locked and the brake fully pressed."""
        state = self.state
        if ignitionMode == "STOP":
            state["engine_state"] = "stopped"
        if state["remainingUnlockedDoors"] > 0:
            unlocked = [door for door, held in state["doorStatus"].items() if held == "unlocked"]
            return {"error": f"lock all doors first; unlocked: {', '.join(unlocked)}"}
        if state["brakePedalStatus"] != "pressed":
            return {"error": "press the brake pedal first"}
        if self._pedal_force != _PEDAL_FORCE:
            return {"error": "press the brake pedal fully first"}
        if state["fuelLevel"] < 0:
            return {"error": "there is no fuel"}
        if ignitionMode != "START":
            return {"error": "there is no such ignition mode"}
        state["engine_state"] = "running"
        told = {"fuelLevel": state["fuelLevel"], "batteryVoltage": state["batteryVoltage"]}
        return {"engineState": "running", **told}

    def fillFuelTank(self, fuelAmount: float) -> Json:
        """Add gallons of fuel."""
        if fuelAmount < 0:
            return {"error": "the amount must be 0 or more"}
        level = self.state["fuelLevel"] + fuelAmount
        if level > MAX_FUEL:
            return {"error": f"the tank holds {MAX_FUEL} gallons"}
        if level < 0:
            return {"error": "there is no fuel"}
        self.state["fuelLevel"] = level
        return {"fuelLevel": level}

    def lockDoors(self, unlock: bool, door: list[str]) -> Json:
        """Lock or unlock doors; those before an unknown one are changed."""
        status, change = ("unlocked", 1) if unlock else ("locked", -1)
        for name in door:
            if self.state["doorStatus"][name] != status:
                self.state["doorStatus"][name] = status
                self.state["remainingUnlockedDoors"] += change
        return {"lockStatus": status, "remainingUnlockedDoors": self.state["remainingUnlockedDoors"]}

    def adjustClimateControl(
        self,
        temperature: float,
        unit: str = "celsius",
        fanSpeed: int = 50,
        mode: str = "auto",
    ) -> Json:
        """Set temperature, fan and mode."""
        if not 0 <= fanSpeed <= 100:
            return {"error": "the fan's speed must be from 0 to 100"}
        self.state["acTemperature"] = (temperature - 32) * 5 / 9 if unit == "fahrenheit" else temperature
        self.state["fanSpeed"] = fanSpeed
        self.state["acMode"] = mode
        told = {"currentACTemperature": temperature, "climateMode": mode}
        return {**told, "humidityLevel": self.state["humidityLevel"]}

    def get_outside_temperature_from_google(self) -> Json:
        """Tell a temperature in degrees Celsius."""
        longer = {} if self._extension is None else self._extension["LONG_WEATHER_EXTENSION"]
        return {**longer, "outsideTemperature": self._random.uniform(-10.0, 40.0)}

    def get_outside_temperature_from_weather_com(self) -> Json:
        """Fail, as this source always does."""
        return {"error": 404}

    def setHeadlights(self, mode: str) -> Json:
        """Turn the headlights on or off; auto is off."""
        if mode not in ["on", "off", "auto"]:
            return {"error": "there is no such mode"}
        self.state["headLightStatus"] = "on" if mode == "on" else "off"
        return {"headlightStatus": self.state["headLightStatus"]}

    def displayCarStatus(self, option: str) -> Json:
        """Show one side of the car."""
        told = {} if self._extension is None else {"metadata": self._extension["CAR_STATUS_METADATA_EXTENSION"]}
        if option == "parkingBrake":
            forces = {"parkingBrakeForce": self._parking_force, "slopeAngle": self._slope}
            return {**told, "parkingBrakeStatus": self.state["parkingBrakeStatus"], **forces}
        if option == "brakePedal":
            told["brakePedalStatus"] = self.state["brakePedalStatus"]
            return {**told, "brakePedalForce": self._pedal_force}
        if option in _SHOWN:
            return {**told, **{name: self.state[held] for name, held in _SHOWN[option].items()}}
        return {**told, "error": "there is no such option"}

    def activateParkingBrake(self, mode: str) -> Json:
        """Engage or release the parking brake."""
        if mode not in ["engage", "release"]:
            return {"error": "there is no such mode"}
        status, self._parking_force = ("engaged", _PARKING_FORCE) if mode == "engage" else ("released", 0.0)
        self._slope = _SLOPE
        self.state["parkingBrakeStatus"] = status
        longer = self._extension
        told = {} if longer is None else {"parkingBrakeInstruction": longer["PARKING_BRAKE_INSTRUCTION"]}
        forces = {"_parkingBrakeForce": self._parking_force, "_slopeAngle": _SLOPE}
        return {**told, "parkingBrakeStatus": status, **forces}

    def pressBrakePedal(self, pedalPosition: float) -> Json:
        """Press the brake pedal, from 0 (not at all) to 1 (fully)."""
        if not 0 <= pedalPosition <= 1:
            return {"error": "the position must be from 0 to 1"}
        if pedalPosition == 0:
            return self.releaseBrakePedal()
        self.state["brakePedalStatus"] = "pressed"
        self._pedal_force = pedalPosition * _PEDAL_FORCE
        return {"brakePedalStatus": "pressed", "brakePedalForce": float(self._pedal_force)}

    def releaseBrakePedal(self) -> Json:
        """Release the brake pedal."""
        self.state["brakePedalStatus"] = "released"
        self._pedal_force = 0.0
        return {"brakePedalStatus": "released", "brakePedalForce": 0.0}

    def setCruiseControl(self, speed: float, activate: bool, distanceToNextVehicle: float) -> Json:
        """Turn the cruise control on, at a multiple of 5 from 0 to 120, or off."""
        distance, speed = float(distanceToNextVehicle), float(speed)
        if self.state["engine_state"] == "stopped":
            return {"error": "start the engine first"}
        self.state["distanceToNextVehicle"] = distance
        if activate and (speed < 0 or speed > 120 or speed % 5 != 0):
            return {"error": "the speed must be a multiple of 5 from 0 to 120"}
        self.state["cruiseStatus"] = "active" if activate else "inactive"
        told = {"cruiseStatus": self.state["cruiseStatus"], "currentSpeed": speed}
        return {**told, "distanceToNextVehicle": distance}

    def get_current_speed(self) -> Json:
        """Tell a speed."""
        return {"currentSpeed": self._random.uniform(0.0, 120.0)}

    def display_log(self, messages: list[str]) -> Json:
        """Show messages."""
        return {"log": messages}

    def estimate_drive_feasibility_by_mileage(self, distance: float) -> Json:
        """Say whether the fuel lasts for a distance in miles."""
        return {"canDrive": not self.state["fuelLevel"] * MILES_PER_GALLON < distance}

    def liter_to_gallon(self, liter: float) -> Json:
        """Convert litres."""
        return {"gallon": liter * 0.264172}

    def gallon_to_liter(self, gallon: float) -> Json:
        """Convert gallons."""
        return {"liter": gallon * 3.78541}

    def estimate_distance(self, cityA: str, cityB: str) -> Json:
        """Tell the distance between two zip codes."""
        distance = _DISTANCES.get(frozenset((cityA, cityB)))
        told: dict[str, Json] = {"error": "the distance is not known"} if distance is None else {"distance": distance}
        if self._extension is not None:
            told["intermediaryCities"] = self._extension["INTERMEDIARY_CITIES"]
        return told

    def get_zipcode_based_on_city(self, city: str) -> Json:
        """Tell the zip code of a city."""
        return {"zipcode": _ZIP_CODES.get(city, "00000")}

    def set_navigation(self, destination: str) -> Json:
        """Set where to go."""
        self.state["destination"] = destination
        return {"status": "Navigating to " + destination}

    def check_tire_pressure(self) -> Json:
        """Show the tyres' pressures, and whether their mean is healthy."""
        pressures = {name: self.state[name] for name in _TYRES}
        healthy = 30 <= sum(pressures[name] for name in _TYRES) / 4 <= 35
        car = {} if self._extension is None else self._extension["CAR_STATUS_METADATA_EXTENSION"]
        return {**pressures, "healthy_tire_pressure": healthy, "car_info": car}

    def find_nearest_tire_shop(self) -> Json:
        """Tell where the nearest tyre shop is."""
        return {"shopLocation": "456 Oakwood Avenue, Rivermist, 83214"}
