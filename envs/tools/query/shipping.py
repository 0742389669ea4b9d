"""A shipping line: ships, ports, captains, voyages and their cargo, inspections."""

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

_SHIPS = words(
    "Nordic Heron|Santa Clarita|Cape Merrow|Baltic Thrush|Ocean Wicket|Lady Isolde|Stella Corva|Iron Tern|"
    "Pacific Larch|Maren Castle|Southern Ibis|Hanse Pilot|Golden Bittern|Atlas Trader|Vega Strand|Blue Marlin|"
    "Aurora Fjord|Tramontana|Silver Quay|Polar Finch|Adriatic Dawn|Kirsten Bay|Windward Star|Cormorant",
    "|",
)
_PORTS = words(
    "Vigo Gdansk Valletta Bergen Aarhus Trieste Leixoes Tallinn Cork Piraeus Bilbao Klaipeda Genoa Turku Hull "
    "Varna Malmo Cadiz Riga Antwerp"
)

TABLES = {
    "ship": Table("SH", 7, {
        "name": Names(_SHIPS), "built": Whole(1984, 2024), "capacity_t": Whole(2000, 18000, 100),
        "flag": Pick(("Cyprus", "Denmark", "Malta", "Portugal")),
    }, "name"),
    "port": Table("PO", 6, {"name": Names(_PORTS), "depth_m": Whole(7, 19), "cranes": Whole(1, 24)}, "name"),
    "captain": Table("CA", 6, {"name": People(), "licensed_on": Day("1995-01-01", "2022-12-31")}, "name"),
    "voyage": Table("VO", 26, {
        "ship": Ref("ship"), "captain": Ref("captain"), "origin": Ref("port"), "destination": Ref("port"),
        "sailed_on": Day("2030-01-01", "2030-12-31"), "days": Whole(2, 24),
    }, differ=("origin", "destination")),
    "cargo": Table("CG", 34, {
        "voyage": Ref("voyage"), "goods": Pick(("timber", "grain", "steel", "coffee", "paper")),
        "tonnes": Whole(50, 2400, 50),
    }, unique=("voyage", "goods")),
    "inspection": Table("IN", 15, {
        "ship": Ref("ship"), "port": Ref("port"), "day": Day("2028-01-01", "2030-12-31"),
        "result": Pick(("passed", "passed", "detained")),
    }),
}  # fmt: skip

_ALL = ("ship", "captain", "origin", "destination", "sailed_on", "days")
TOOLS = (
    Tool("find_ships", "Finds ships by name; without one, gives all ships of the line.", "ship",
         {"name": ("name", "has", "the name or a part of it")}, ("name",)),
    Tool("get_ship", "Gives the register entry of one ship.", "ship", {"ship_id": ("id", "is", "id of the ship")},
         ("*",), ("ship_id",), one=True),
    Tool("find_ports", "Finds ports by name; without one, gives all.", "port",
         {"name": ("name", "has", "the name or a part of it")}, ("*",)),
    Tool("find_captains", "Finds captains by name; without one, gives all.", "captain",
         {"name": ("name", "has", "the name or a part of it")}, ("*",)),
    Tool("list_voyages_of_ship", "Lists the voyages of one ship.", "voyage", {"ship_id": ("ship", "is",
        "id of the ship")},
         _ALL, ("ship_id",)),
    Tool("list_voyages_of_captain", "Lists the voyages that one captain commanded.", "voyage",
         {"captain_id": ("captain", "is", "id of the captain")}, _ALL, ("captain_id",)),
    Tool("list_departures", "Lists the voyages that begin in one port.", "voyage",
         {"port_id": ("origin", "is", "id of the port")}, _ALL, ("port_id",)),
    Tool("list_arrivals", "Lists the voyages that end in one port.", "voyage",
         {"port_id": ("destination", "is", "id of the port")}, _ALL, ("port_id",)),
    Tool("list_cargo", "Lists the cargo of one voyage, by goods.", "cargo",
         {"voyage_id": ("voyage", "is", "id of the voyage")}, ("goods", "tonnes"), ("voyage_id",)),
    Tool("list_inspections", "Lists inspections of ships, of one ship or all.", "inspection",
         {"ship_id": ("ship", "is", "id of the ship"), "result": ("result", "is", "result of the inspection")}, ("*",)),
)  # fmt: skip

_SHIP, _C, _P = named("ship", "name", "$s"), named("captain", "name", "$c"), named("port", "name", "$p")
_Q = named("port", "name", "$q")
_SAILED, _LED = of(_SHIP, "voyage", "ship"), of(_C, "voyage", "captain")
_OUT, _IN = of(_P, "voyage", "origin"), of(_P, "voyage", "destination")

FAMILIES = (
    Family(1, value(_SHIP, "built"), {"s": "ship"}, (
        "In which year was the {s} built?", "What year was the {s} built?",
        "How old is the {s}? The year she was built.",
        "I need the building year of the {s}.")),
    Family(1, value(_SHIP, "capacity_t"), {"s": "ship"}, (
        "How many tonnes can the {s} carry?", "What is the capacity of the {s} in tonnes?",
        "The {s}, how many tonnes is her capacity?", "Give me the capacity of the {s}, in tonnes.")),
    Family(1, value(_SHIP, "flag"), {"s": "ship"}, (
        "Under which flag does the {s} sail?", "What flag does the {s} fly?",
        "In which country is the {s} registered, by flag?",
        "Which country's flag is on the {s}?")),
    Family(2, count(_SAILED), {"s": "ship"}, (
        "How many voyages of the {s} are on file?", "How often has the {s} sailed, by our list of voyages?",
        "Count the voyages of the {s}.", "The {s} made how many voyages?")),
    Family(2, value(of(_SHIP, "inspection", "ship"), "day"), {"s": "ship"}, (
        "The {s} has been inspected once. On what date?", "When was the only inspection of the {s}?",
        "What is the date of the inspection of the {s}?", "On which day did the inspectors come aboard the {s}?")),
    Family(2, value(top(_SAILED, "sailed_on", "max"), "sailed_on"), {"s": "ship"}, (
        "When did the {s} last set sail?", "What is the sailing date of the latest voyage of the {s}?",
        "On which day did the most recent voyage of the {s} begin?", "The last departure of the {s}, when was it?")),
    Family(3, value(to(top(_SAILED, "days", "max"), "destination"), "name"), {"s": "ship"}, (
        "To which port did the longest voyage of the {s} go?",
        "Where did the {s} arrive at the end of her longest voyage?",
        "Of the voyages of the {s}, the one with the most days led to which port?")),
    Family(3, count(where(_LED, "sailed_on", "in", "$m")), {"c": "captain", "m": "voyage.sailed_on month"}, (
        "How many voyages did {c} begin in {m}?", "How often did {c} set sail during {m}?",
        "Count the voyages under {c} that sailed in {m}.")),
    Family(3, ["sum", _LED, "days"], {"c": "captain"}, (
        "How many days at sea do all voyages of {c} make together?",
        "Add up the days of every voyage that {c} commanded.",
        "What is the total number of voyage days under {c}?")),
    Family(3, value(to(top(_OUT, "sailed_on", "min"), "ship"), "name"), {"p": "port"}, (
        "Which ship was the first to sail from {p}?", "By date, which of our ships left {p} first?",
        "The earliest voyage out of {p}: which ship was it?")),
    Family(3, count(to(_IN, "ship")), {"p": "port"}, (
        "How many different ships ended a voyage in {p}?",
        "How many of our ships have arrived in {p}, each counted once?",
        "Count the ships that came to {p} at least once.")),
    Family(4, count(["minus", ["all", "ship"], to(_OUT, "ship")]), {"p": "port"}, (
        "How many of our ships have never sailed from {p}?",
        "How many ships of the line have no voyage that begins in {p}?",
        "Leaving out every ship that ever departed from {p}, how many ships are left?")),
    Family(4, count(["minus", to(_SAILED, "destination"), to(_SAILED, "origin")]), {"s": "ship"}, (
        "At how many ports did the {s} arrive without ever departing from there?",
        "Count the ports that are a destination of the {s} but never a start.",
        "How many ports did the {s} sail to and never from?")),
    Family(4, ["sum", where(of(_SAILED, "cargo", "voyage"), "goods", "is", "$g"), "tonnes"],
           {"s": "ship", "g": "cargo.goods"}, (
        "How many tonnes of {g} has the {s} carried in all?", "Add up the {g} on every voyage of the {s}, in tonnes.",
        "Over all her voyages, what does the {g} aboard the {s} come to in tonnes?")),
    Family(4, count(["minus", _LED, of(_P, "voyage", "origin")]), {"c": "captain", "p": "port"}, (
        "How many voyages of {c} did not begin in {p}?",
        "Of the voyages under {c}, how many started somewhere other than {p}?",
        "{c} does not always start from {p}. How many voyages began elsewhere?")),
    Family(5, value(["most", ["all", "captain"], "voyage", "captain", [["sailed_on", "max", "$d"]], "max"], "name"),
           {"d": "voyage.sailed_on"}, (
        "Which captain had begun the most voyages by the end of {d}?",
        "Counting voyages that sailed on or before {d}, which captain has the most?",
        "Up to and including {d}, who had set sail as captain most often?")),
    Family(5, count(["minus", to(_OUT, "ship"), to(where(["all", "inspection"], "result", "is", "detained"), "ship")]),
           {"p": "port"}, (
        "How many of the ships that sailed from {p} have never been detained at an inspection?",
        "Of our ships with a voyage out of {p}, how many were not once detained?",
        "Ships that have departed from {p}: how many of them have no inspection with the result detained?")),
    Family(5, ["sum", of(["both", _OUT, of(_Q, "voyage", "destination")], "cargo", "voyage"), "tonnes"],
           {"p": "port", "q": "port"}, (
        "How many tonnes in all have we carried from {p} to {q}?",
        "Add up the cargo of every voyage out of {p} into {q}, in tonnes.",
        "What is the total tonnage of our voyages that start in {p} and end in {q}?")),
    Family(5, value(to(to(top(where(of(_LED, "cargo", "voyage"), "goods", "is", "$g"), "tonnes", "max"), "voyage"),
        "ship"),
                    "name"), {"c": "captain", "g": "cargo.goods"}, (
        "On which ship did {c} carry the largest single load of {g}?",
        "Of all loads of {g} on voyages under {c}, the largest was aboard which ship?",
        "{c} has carried {g} more than once. Which ship had the biggest load of it?")),
)  # fmt: skip

DOMAIN = Domain("shipping line", TABLES, TOOLS, FAMILIES)
