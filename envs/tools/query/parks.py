"""A parks service: parks, trails, rangers, sightings of animals, camping permits."""

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

_PARKS = words(
    "Ashgrove Forest|Bracken Hills|Carrow Fen|Dunlin Marshes|Elder Valley|Falcon Crags|Greenhead Moor|"
    "Heron Lakes|Ivel Gorge|Juniper Heath|Kittiwake Cliffs|Lark Meadows|Merlin Range|Nettle Down|Osprey Sound|"
    "Plover Coast|Quartz Peaks|Raven Wood|Sorrel Plain|Tamarisk Dunes|Umber Canyon|Vixen Hollow",
    "|",
)
_TRAILS = words(
    "Millers Path|Long Ridge Walk|Adder Loop|Beacon Climb|Chapel Way|Deer Leap Trail|Echo Steps|Ferry Lane|"
    "Giants Stair|Hollow Oak Round|Iron Bridge Walk|Jackdaw Track|Kiln Path|Lantern Trail|Monks Causeway|"
    "Narrows Route|Old Post Road|Peat Cutters Way|Quarry Loop|Red Bank Trail|Shepherds Round|Three Springs Walk|"
    "Upper Falls Path|Viaduct Trail|Watershed Way|Yew Tree Loop|Badger Run|Cloudberry Walk|Drovers Road|"
    "Flint Steps|Glow Worm Path|Hermits Walk|Kestrel View|Limestone Way|Moss Garden Loop|Nightjar Track|"
    "Otter Bank Path|Pine Marten Way|Rope Bridge Route|Smugglers Trail|Toll House Walk|Ravine Path|"
    "White Stones Way|Wolf Pit Loop|Saltern Walk|Summit Scramble|Birch Avenue|Crater Round",
    "|",
)

TABLES = {
    "park": Table("PK", 6, {
        "name": Names(_PARKS), "region": Pick(("north", "south", "west")), "hectares": Whole(400, 32000, 50),
        "founded_on": Day("1931-01-01", "1998-12-31"),
    }, "name"),
    "trail": Table("TR", 14, {
        "name": Names(_TRAILS), "park": Ref("park"), "km": Whole(2, 38), "grade": Pick(("easy", "moderate", "hard")),
        "surveyed_on": Day("2026-01-01", "2030-12-31"),
    }, "name"),
    "ranger": Table("RG", 8, {
        "name": People(), "base": Ref("park"), "joined_on": Day("2004-01-01", "2029-12-31"),
    }, "name"),
    "sighting": Table("SI", 34, {
        "park": Ref("park"), "ranger": Ref("ranger"), "day": Day("2030-01-01", "2030-12-31"), "animals": Whole(1, 12),
        "species": Pick(("lynx", "marten", "black stork", "wildcat", "beaver")),
    }),
    "permit": Table("PM", 30, {
        "trail": Ref("trail"), "issued_on": Day("2030-03-01", "2030-10-31"), "campers": Whole(1, 18),
    }),
}  # fmt: skip

TOOLS = (
    Tool("find_parks", "Finds parks by name or region; without either, gives all.", "park",
         {"name": ("name", "has", "the name or a part of it"), "region": ("region", "is", "region")}, ("name",)),
    Tool("get_park", "Gives the record of one park.", "park", {"park_id": ("id", "is", "id of the park")},
         ("*",), ("park_id",), one=True),
    Tool("find_trails", "Finds trails by name; without one, gives all.", "trail",
         {"name": ("name", "has", "the name or a part of it")}, ("name",)),
    Tool("get_trail", "Gives the record of one trail.", "trail", {"trail_id": ("id", "is", "id of the trail")},
         ("*",), ("trail_id",), one=True),
    Tool("list_trails_of_park", "Lists the trails of one park.", "trail",
         {"park_id": ("park", "is", "id of the park"), "grade": ("grade", "is", "only trails of this grade")},
         ("name", "km", "grade"), ("park_id",)),
    Tool("find_rangers", "Finds rangers by name or by the park that they are based in; without either, gives all.",
        "ranger",
         {"name": ("name", "has", "the name or a part of it"), "base_park_id": ("base", "is",
         "id of the park")}, ("name",)),
    Tool("get_ranger", "Gives the record of one ranger.", "ranger", {"ranger_id": ("id", "is", "id of the ranger")},
         ("*",), ("ranger_id",), one=True),
    Tool("list_sightings_in_park", "Lists the sightings of animals in one park.", "sighting",
         {"park_id": ("park", "is", "id of the park"), "species": ("species", "is", "only this species")},
         ("ranger", "day", "species", "animals"), ("park_id",)),
    Tool("list_sightings_by_ranger", "Lists the sightings that one ranger reported, in any park.", "sighting",
         {"ranger_id": ("ranger", "is", "id of the ranger")}, ("park", "day", "species", "animals"), ("ranger_id",)),
    Tool("list_permits", "Lists the camping permits for one trail.", "permit",
         {"trail_id": ("trail", "is", "id of the trail")}, ("issued_on", "campers"), ("trail_id",)),
)  # fmt: skip

_PARK, _T, _P = named("park", "name", "$k"), named("trail", "name", "$t"), named("ranger", "name", "$p")
_REGION = where(["all", "park"], "region", "is", "$r")
_TRAILS_OF, _SEEN, _REPORTED = of(_PARK, "trail", "park"), of(_PARK, "sighting", "park"), of(_P, "sighting", "ranger")

FAMILIES = (
    Family(1, value(_T, "km"), {"t": "trail"}, (
        "How many kilometres long is {t}?", "What is the length of the trail {t} in kilometres?",
        "How long is {t}, in km?", "I want to know the length of {t}, in kilometres.")),
    Family(1, value(_PARK, "founded_on"), {"k": "park"}, (
        "When was {k} founded?", "On which date was the park {k} founded?", "What is the founding date of {k}?",
        "Since what day has {k} been a park?")),
    Family(1, value(_PARK, "hectares"), {"k": "park"}, (
        "How many hectares does {k} cover?", "How large is {k} in hectares?", "What is the area of {k}, in hectares?",
        "Give me the size of the park {k} in hectares.")),
    Family(2, value(to(_T, "park"), "name"), {"t": "trail"}, (
        "Which park is the trail {t} in?", "In what park would I find {t}?", "{t} belongs to which park?",
        "What is the name of the park that {t} runs through?")),
    Family(2, count(_TRAILS_OF), {"k": "park"}, (
        "How many trails are there in {k}?", "How many trails does {k} have?", "Count the trails of {k}.",
        "{k}: what is the number of trails?")),
    Family(2, value(to(_P, "base"), "name"), {"p": "ranger"}, (
        "In which park is {p} based?", "Where is the base of {p}? The name of the park, please.",
        "Which park does {p} work out of?", "What is the name of {p}'s base park?")),
    Family(3, value(top(_TRAILS_OF, "km", "max"), "name"), {"k": "park"}, (
        "What is the longest trail in {k}?", "Which of the trails in {k} has the most kilometres?",
        "I want to walk as far as {k} allows on one trail. Which trail is the longest?")),
    Family(3, ["sum", where(_SEEN, "species", "is", "$s"), "animals"], {"k": "park", "s": "sighting.species"}, (
        "How many animals in all were seen in {k}, counting the species {s} only?",
        "Add up the animals of all sightings of {s} in {k}.",
        "Over all sightings of {s} in {k}, how many animals were that?")),
    Family(3, count(where(_REPORTED, "day", "in", "$m")), {"p": "ranger", "m": "sighting.day month"}, (
        "How many sightings did {p} report in {m}?", "How often did {p} report a sighting during {m}?",
        "In {m}, how many entries in the list of sightings come from {p}?")),
    Family(3, value(to(top(_SEEN, "day", "max"), "ranger"), "name"), {"k": "park"}, (
        "Who reported the latest sighting in {k}?", "The most recent sighting in {k}, which ranger was that?",
        "Which ranger made the last entry, by date, among the sightings in {k}?")),
    Family(3, count(of(where(_TRAILS_OF, "grade", "is", "$g"), "permit", "trail")), {"k": "park", "g": "trail.grade"}, (
        "How many camping permits were issued for {g} trails in {k}?",
        "Counting only {g} trails of {k}, how many permits to camp are there?",
        "What is the number of camping permits on trails in {k} that are graded {g}?")),
    Family(4, count(["minus", _TRAILS_OF, to(where(of(_TRAILS_OF, "permit", "trail"), "issued_on", "min", "$d"),
        "trail")]),
           {"k": "park", "d": "permit.issued_on"}, (
        "On how many trails in {k} was no camping permit issued on or after {d}?",
        "How many trails of {k} have had no new camping permit since {d}, that day included?",
        "From {d} on, that day included, how many of the trails in {k} got no permit to camp?")),
    Family(4, count(["minus", ["all", "ranger"], to(_SEEN, "ranger")]), {"k": "park"}, (
        "How many rangers never reported a sighting in {k}?", "How many of our rangers have not one sighting from {k}?",
        "Leaving out everybody who reported a sighting in {k}, how many rangers are left?")),
    Family(4, count(["minus", to(_REPORTED, "park"), to(where(_REPORTED, "species", "is", "$s"), "park")]),
           {"p": "ranger", "s": "sighting.species"}, (
        "In how many parks has {p} reported animals, but no {s}?",
        "Of the parks from which {p} has sightings, how many are without a {s} reported by {p}?",
        "{p} has reported from several parks. In how many of them was it never a {s}?")),
    Family(4, ["gap", top(_TRAILS_OF, "surveyed_on", "min"), top(_TRAILS_OF, "surveyed_on", "max"), "surveyed_on"],
           {"k": "park"}, (
        "How many days lie between the first and the last survey date among the trails of {k}?",
        "Of the trails in {k}, one was surveyed first and one last. How many days are between these surveys?",
        "How many days passed from the earliest to the latest trail survey in {k}?")),
    Family(5, value(["most", _TRAILS_OF, "permit", "trail", [["campers", "over", "$n"]], "max"], "name"),
           {"k": "park", "n": "permit.campers"}, (
        "Which trail in {k} has the most permits for more than {n} campers?",
        "Comparing the trails of {k}: which has the largest number of permits that are for over {n} campers?",
        "In {k}, for which trail were permits for groups of more than {n} campers issued most often?")),
    Family(5, count(["minus", of(_REGION, "ranger", "base"), to(where(of(_REGION, "sighting", "park"), "species",
        "is", "$s"),
                                                               "ranger")]), {"r": "park.region",
                                                               "s": "sighting.species"}, (
        "How many rangers based in parks of the {r} region have never reported a {s} in that region?",
        "Of the rangers with a base in the {r} region, how many have no sighting of a {s} from that region?",
        "Region {r}: how many of the rangers based there have not once reported a {s} from one of its parks?")),
    Family(5, ["sum", of(of(where(_REGION, "hectares", "over", "$h"), "trail", "park"), "permit", "trail"), "campers"],
           {"r": "park.region", "h": "park.hectares"}, (
        "How many campers do the permits in parks of the {r} region with more than {h} hectares come to?",
        "Add up the campers on permits for trails in those parks of the {r} region that exceed {h} hectares.",
        "In the {r} region, taking only parks of over {h} hectares, how many campers were permitted in all?")),
    Family(5, value(top(to(where(_REPORTED, "species", "is", "$s"), "park"), "founded_on", "min"), "name"),
           {"p": "ranger", "s": "sighting.species"}, (
        "Of the parks where {p} has reported a {s}, which is the oldest?",
        "{p} has seen a {s} in several parks. Which of these parks was founded first?",
        "Which of the parks with a sighting of a {s} by {p} has the earliest founding date?")),
)  # fmt: skip

DOMAIN = Domain("parks service", TABLES, TOOLS, FAMILIES)
