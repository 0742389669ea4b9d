"""A weather service: stations, their observers, daily readings, faults and service visits."""

from __future__ import annotations

from acgym.envs.names import words
from acgym.envs.tools.query.schema import (
    Day,
    Domain,
    Family,
    Names,
    People,
    Pick,
    Ref,
    Table,
    Tool,
    Whole,
    count,
    named,
    of,
    to,
    top,
    value,
    where,
)  # fmt: skip

_STATIONS = words(
    "Kestrel Point|Marrowdale|Hollin Moor|Upper Brenna|Saltfleet|Tarn Edge|Corrie Hut|Lowick Weir|Penhallow|"
    "Greystone Ridge|Ardle Bridge|Whinfell|Skerry Light|Dunmore Pass|Fallow Hill|Oxbow Farm|Stanner Head|"
    "Rathen Bay|Cold Aston|Birkrigg|Haver Tor|Quarry Bank|Lindale|Otter Sound|Morfa Sands|Blackwater Dam|"
    "Thornsett|Eskmouth|Garron Peak|Winterfold",
    "|",
)

TABLES = {
    "station": Table("SN", 8, {
        "name": Names(_STATIONS), "region": Pick(("coast", "hills", "lakes", "plain")), "altitude_m": Whole(2, 1450),
        "opened_on": Day("1951-01-01", "2004-12-31"), "observer": Ref("observer"),
    }, "name"),
    "observer": Table("OB", 6, {
        "name": People(), "joined_on": Day("2005-01-01", "2026-12-31"), "contract": Pick(("paid", "volunteer")),
    }, "name"),
    "reading": Table("RD", 44, {
        "station": Ref("station"), "day": Day("2029-01-01", "2029-12-31"), "rain_mm": Whole(0, 64),
        "high_c": Whole(-9, 37), "gust_kmh": Whole(8, 131),
    }, unique=("station", "day")),
    "fault": Table("FT", 18, {
        "station": Ref("station"), "reported_on": Day("2027-01-01", "2029-12-31"), "cost_eur": Whole(20, 900, 10),
        "part": Pick(("rain gauge", "thermometer", "anemometer", "radio link")),
    }),
    "visit": Table("VS", 22, {
        "station": Ref("station"), "observer": Ref("observer"), "day": Day("2027-01-01", "2029-12-31"),
        "hours": Whole(1, 9),
    }),
}  # fmt: skip

TOOLS = (
    Tool("find_stations", "Finds weather stations by name; without one, gives all.", "station",
         {"name": ("name", "has", "the name or a part of it")}, ("name",)),
    Tool("get_station", "Gives the master data of one station.", "station",
         {"station_id": ("id", "is", "id of the station")}, ("*",), ("station_id",), one=True),
    Tool("list_stations_in_region", "Lists the stations of one region.", "station",
         {"region": ("region", "is", "region")}, ("name",), ("region",)),
    Tool("list_readings", "Lists daily readings of one station: rain, highest temperature, strongest gust.", "reading",
         {"station_id": ("station", "is", "id of the station"), "from_day": ("day", "min", "first day, YYYY-MM-DD"),
          "to_day": ("day", "max", "last day, YYYY-MM-DD")}, ("*",), ("station_id",)),
    Tool("find_observers", "Finds observers by name; without one, gives all.", "observer",
         {"name": ("name", "has", "the name or a part of it")}, ("name",)),
    Tool("get_observer", "Gives the record of one observer.", "observer",
         {"observer_id": ("id", "is", "id of the observer")}, ("*",), ("observer_id",), one=True),
    Tool("list_faults", "Lists reported faults, of one station, of one part, or all.", "fault",
         {"station_id": ("station", "is", "id of the station"), "part": ("part", "is", "part that failed")}, ("*",)),
    Tool("list_visits_to_station", "Lists the service visits to one station.", "visit",
         {"station_id": ("station", "is", "id of the station")}, ("observer", "day", "hours"), ("station_id",)),
    Tool("list_visits_by_observer", "Lists the service visits that one observer made.", "visit",
         {"observer_id": ("observer", "is", "id of the observer")}, ("station", "day", "hours"), ("observer_id",)),
)  # fmt: skip

_S, _P = named("station", "name", "$s"), named("observer", "name", "$p")
_READINGS, _VISITED = of(_S, "reading", "station"), to(of(_P, "visit", "observer"), "station")
_REGION = where(["all", "station"], "region", "is", "$r")
_KEPT = of(_P, "station", "observer")

FAMILIES = (
    Family(1, value(_S, "altitude_m"), {"s": "station"}, (
        "How high above the sea is the station {s}, in metres?", "What is the altitude of {s} in metres?",
        "At what altitude (metres) does {s} stand?", "I need the height of the {s} station in metres.")),
    Family(1, value(_S, "opened_on"), {"s": "station"}, (
        "When was the station {s} opened?", "On what date did {s} open?", "Since what day has {s} existed?",
        "What opening date do we have for {s}?")),
    Family(1, value(_P, "joined_on"), {"p": "observer"}, (
        "When did {p} join us as an observer?", "Since which day has {p} been with us?",
        "On which date did {p} start as an observer?", "What is the joining date of {p}?")),
    Family(2, value(to(_S, "observer"), "name"), {"s": "station"}, (
        "Who is the observer in charge of {s}?", "Who looks after the station {s}?",
        "Which observer does {s} belong to?", "What is the name of the observer responsible for {s}?")),
    Family(2, value(to(_S, "observer"), "joined_on"), {"s": "station"}, (
        "On what date did the observer in charge of {s} join us?",
        "The person responsible for {s}: when did they join?", "When did the observer of {s} start with us?",
        "Since what day has whoever looks after {s} been an observer?")),
    Family(2, count(of(_S, "fault", "station")), {"s": "station"}, (
        "How many faults have been reported at {s}?", "How often has something broken at {s}, by our fault reports?",
        "Count the fault reports for {s}.", "{s}: how many faults are on file?")),
    Family(3, count(where(_READINGS, "rain_mm", "over", "$n")), {"s": "station", "n": "reading.rain_mm"}, (
        "On how many days did {s} record more than {n} mm of rain?",
        "How many readings from {s} show over {n} mm of rain?",
        "More than {n} mm of rain in a day: how often did that happen at {s}?")),
    Family(3, value(top(_READINGS, "high_c", "max"), "day"), {"s": "station"}, (
        "What was the hottest day on record at {s}?", "On which date did {s} measure its highest temperature?",
        "The warmest reading of {s}, which day was that?")),
    Family(3, ["sum", of(_S, "fault", "station"), "cost_eur"], {"s": "station"}, (
        "What have all the faults at {s} cost together, in euros?",
        "How many euros did we spend on faults at {s} in all?",
        "Add up the cost of every fault reported at {s}.")),
    Family(3, count(where(of(_P, "visit", "observer"), "day", "in", "$y")), {"p": "observer", "y": "visit.day year"}, (
        "How many service visits did {p} make in {y}?", "How often was {p} out on a service visit during {y}?",
        "In {y}, {p} went out to service stations how many times?")),
    Family(3, value(top(_REGION, "altitude_m", "max"), "name"), {"r": "station.region"}, (
        "Which station in the region called {r} stands highest?",
        "Region {r}: which station has the greatest altitude?",
        "What is the name of the highest station of the {r} region?")),
    Family(4, count(["minus", _REGION, to(["all", "fault"], "station")]), {"r": "station.region"}, (
        "How many stations of the {r} region have never had a fault?",
        "In the {r} region, at how many stations has nothing ever been reported broken?",
        "Leaving out every station that ever reported a fault, how many remain in the {r} region?")),
    Family(4, count(["minus", _VISITED, _KEPT]), {"p": "observer"}, (
        "How many different stations has {p} serviced that are not in {p}'s own charge?",
        "{p} sometimes helps out elsewhere. At how many stations that belong to other observers was {p} on a visit?",
        "Count the stations that {p} has visited but is not the observer of.")),
    Family(4, ["gap", top(_READINGS, "gust_kmh", "max"), top(_READINGS, "rain_mm", "max"), "day"], {"s": "station"}, (
        "At {s}, how many days lie between the day with the strongest gust and the wettest day?",
        "How many days apart are the windiest and the rainiest reading of {s}?",
        "The day of the strongest gust at {s} and the day of most rain there: how many days are between them?")),
    Family(4, count(["minus", _KEPT, to(where(["all", "fault"], "part", "is", "$t"), "station")]),
           {"p": "observer", "t": "fault.part"}, (
        "How many of the stations in the charge of {p} never had a faulty {t}?",
        "Of the stations {p} looks after, how many are without a single fault of the {t}?",
        "Among the stations of {p}, how many have no report of a broken {t}?")),
    Family(5, value(["most", _REGION, "reading", "station", [["rain_mm", "over", "$n"]], "max"], "name"),
           {"r": "station.region", "n": "reading.rain_mm"}, (
        "Which station in the {r} region had the most days with more than {n} mm of rain?",
        "Comparing the stations of the {r} region: which one recorded over {n} mm of rain most often?",
        "In the {r} region, at which station was it most common to measure more than {n} mm of rain in a day?")),
    Family(5, ["sum", of(_KEPT, "fault", "station"), "cost_eur"], {"p": "observer"}, (
        "What did the faults at all stations in the charge of {p} cost together, in euros?",
        "Add up the cost of every fault at every station that {p} is the observer of.",
        "How many euros went into faults at the stations {p} is responsible for?")),
    Family(5, value(["most", ["all", "observer"], "visit", "observer", [["day", "in", "$y"]], "max"], "name"),
           {"y": "visit.day year"}, (
        "Which observer made the most service visits in {y}?", "Who was out on service visits most often during {y}?",
        "Looking at {y} only, which observer has the largest number of service visits?")),
    Family(5, value(to(top(of(_REGION, "visit", "station"), "day", "max"), "observer"), "name"),
           {"r": "station.region"}, (
        "Who made the latest service visit to any station in the {r} region?",
        "Which observer was the last one to service a station of the {r} region?",
        "The most recent visit to a station in the {r} region: which observer made it?")),
)  # fmt: skip

DOMAIN = Domain("weather service", TABLES, TOOLS, FAMILIES)
