"""A conference programme: talks, sessions and rooms, speakers and who gives which talk."""

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

_TALKS = words(
    "Reading Old Harbour Ledgers|What Bees Remember|Counting Trees from the Air|Bridges That Sing|"
    "Soil After Fire|How Towns Lose Their Wells|A Grammar for Street Signs|The Price of a Late Train|"
    "Mending Broken Pottery by Numbers|Listening to Glaciers|Maps Without North|Why Queues Form|"
    "The Second Life of Bricks|Measuring Silence|Seeds in Transit|Night Buses and Public Health|"
    "Forecasting the Wine Harvest|Letters Nobody Sent|The Hidden Cost of Cold Storage|Teaching Chess to Sceptics|"
    "Rust as an Archive|Small Dams, Large Effects|Ten Years of Otter Counts|Paper That Heals|"
    "The Arithmetic of Ferries|Asking Better Survey Questions|Roofs as Gardens|Tides in the Data|"
    "Language Games at Work|When Maps Disagree|The Weight of Snow|Voting with Coloured Stones|"
    "A Short History of Salt|Repairing Church Bells|Shadows on the Solar Farm|Lost Property Offices|"
    "Seven Ways to Cross a River|The Library at Night|Wolves and Fences|Clocks in Public Places|"
    "Bread Prices and Rumours|How Fungi Share|Stairs Against Illness|Reading Clouds by Radar",
    "|",
)
_SESSIONS = words(
    "Opening Plenary|Water and Cities|Young Researchers|Archives and Memory|Fields and Forests|Moving People|"
    "Material Matters|Closing Panel|Open Questions|Numbers in Public|Living Things|Built to Last|"
    "Morning Lightning Round|Sound and Signal|Borders and Maps|Food and Trade|Methods Clinic|Energy at Home|"
    "Coasts|Everyday Machines|Health in Motion|Reading Room",
    "|",
)
_ROOMS = words(
    "Aula Magna|Birch Hall|Copper Room|Delta Theatre|East Gallery|Founders Hall|Garden Pavilion|Harbour Suite|"
    "Ivory Room|Juniper Hall|Keystone Room|Linden Theatre|Meridian Room|North Loft",
    "|",
)

TABLES = {
    "room": Table("RM", 4, {"name": Names(_ROOMS), "seats": Whole(40, 620, 10), "floor": Whole(0, 5)}, "name"),
    "session": Table("SE", 6, {
        "name": Names(_SESSIONS), "room": Ref("room"), "day": Day("2030-05-06", "2030-05-10"),
        "start_hour": Whole(8, 17),
    }, "name"),
    "talk": Table("TK", 13, {
        "title": Names(_TALKS), "session": Ref("session"), "minutes": Whole(10, 60, 5), "booked_seats": Whole(6, 240),
        "track": Pick(("culture", "ecology", "engineering", "health")),
    }, "title"),
    "speaker": Table("SP", 9, {
        "name": People(), "country": Pick(("Brazil", "Denmark", "Ghana", "Japan", "Spain")),
        "registered_on": Day("2029-11-01", "2030-04-30"),
    }, "name"),
    "appearance": Table("AP", 26, {
        "talk": Ref("talk"), "speaker": Ref("speaker"), "role": Pick(("presenter", "co-author")),
    }, unique=("talk", "speaker")),
}  # fmt: skip

TOOLS = (
    Tool("find_talks", "Finds talks by title; without one, gives all.", "talk",
         {"title": ("title", "has", "the title or a part of it")}, ("title",)),
    Tool("get_talk", "Gives the details of one talk.", "talk", {"talk_id": ("id", "is", "id of the talk")},
         ("*",), ("talk_id",), one=True),
    Tool("list_talks", "Lists the talks of a session, of a track, or of both.", "talk",
         {"session_id": ("session", "is", "id of the session"), "track": ("track", "is", "track")},
         ("title", "session", "minutes")),
    Tool("find_sessions", "Finds sessions by name, day or room; without arguments, gives all.", "session",
         {"name": ("name", "has", "the name or a part of it"), "day": ("day", "is", "day, YYYY-MM-DD"),
          "room_id": ("room", "is", "id of the room")}, ("name", "day", "start_hour")),
    Tool("get_session", "Gives the details of one session.", "session", {"session_id": ("id", "is",
        "id of the session")},
         ("*",), ("session_id",), one=True),
    Tool("list_rooms", "Lists all rooms of the venue.", "room", {}, ("*",)),
    Tool("find_speakers", "Finds speakers by name or country; without either, gives all.", "speaker",
         {"name": ("name", "has", "the name or a part of it"), "country": ("country", "is", "country")}, ("name",)),
    Tool("get_speaker", "Gives the record of one speaker.", "speaker", {"speaker_id": ("id", "is",
        "id of the speaker")},
         ("*",), ("speaker_id",), one=True),
    Tool("list_speakers_of_talk", "Lists the people behind one talk, presenters and co-authors.", "appearance",
         {"talk_id": ("talk", "is", "id of the talk")}, ("speaker", "role"), ("talk_id",)),
    Tool("list_talks_of_speaker", "Lists the talks that one person is behind, as presenter or as co-author.",
        "appearance",
         {"speaker_id": ("speaker", "is", "id of the speaker"), "role": ("role", "is", "only talks in this role")},
         ("talk", "role"), ("speaker_id",)),
)  # fmt: skip

_TALK, _SESSION, _ROOM = named("talk", "title", "$t"), named("session", "name", "$s"), named("room", "name", "$r")
_P, _Q = named("speaker", "name", "$p"), named("speaker", "name", "$q")
_TALKS_OF = to(of(_P, "appearance", "speaker"), "talk")
_PRESENTED = to(where(of(_P, "appearance", "speaker"), "role", "is", "presenter"), "talk")
_IN_SESSION, _TRACK = of(_SESSION, "talk", "session"), where(["all", "talk"], "track", "is", "$k")
_ON_DAY = where(["all", "session"], "day", "is", "$d")

FAMILIES = (
    Family(1, value(_TALK, "booked_seats"), {"t": "talk"}, (
        "How many seats are booked for the talk {t}?", "What is the number of booked seats for {t}?",
        "{t}: how many people have booked a seat?", "How many bookings does the talk {t} have so far?")),
    Family(1, value(_TALK, "minutes"), {"t": "talk"}, (
        "How many minutes is the talk {t} down for?", "How long is {t}, in minutes?",
        "What is the length of the talk {t} in minutes?", "How much time does {t} get, in minutes?")),
    Family(1, value(_P, "registered_on"), {"p": "speaker"}, (
        "When did {p} register?", "On which date did {p} sign up as a speaker?",
        "What is the registration date of {p}?", "Since what day is {p} registered?")),
    Family(2, value(to(_TALK, "session"), "day"), {"t": "talk"}, (
        "On which date is the talk {t}?", "What day will {t} be given?", "When is {t} on? The date is enough.",
        "Which date does the programme have for the talk {t}?")),
    Family(2, count(of(_TALK, "appearance", "talk")), {"t": "talk"}, (
        "How many people are behind the talk {t}, presenters and co-authors together?",
        "Count the presenters and co-authors of {t}.", "How many names are on the talk {t}?",
        "{t} has how many people on it, whatever their role?")),
    Family(2, value(to(_SESSION, "room"), "name"), {"s": "session"}, (
        "Which room is the session {s} in?", "Where does {s} take place? I need the name of the room.",
        "What is the room of the session {s}?", "Into which room have they put {s}?")),
    Family(3, value(to(to(_TALK, "session"), "room"), "name"), {"t": "talk"}, (
        "In which room can I hear the talk {t}?", "Where will {t} be given? The room's name, please.",
        "Which room should I go to for {t}?")),
    Family(3, value(top(_TALKS_OF, "booked_seats", "max"), "title"), {"p": "speaker"}, (
        "Of all talks that {p} is on, which has the most booked seats?", "Which talk of {p} is booked best?",
        "{p} is on several talks. What is the title of the one with the most bookings?")),
    Family(3, ["sum", _IN_SESSION, "minutes"], {"s": "session"}, (
        "How many minutes of talks are there in the session {s} altogether?",
        "Adding up all of its talks, how long is {s} in minutes?",
        "What is the total length in minutes of the talks in {s}?")),
    Family(3, count(where(_TALKS_OF, "track", "is", "$k")), {"p": "speaker", "k": "talk.track"}, (
        "How many talks in the {k} track is {p} on?", "Of the talks that list {p}, how many belong to the {k} track?",
        "In the {k} track, how many talks have {p} as presenter or co-author?")),
    Family(3, value(top(_ON_DAY, "start_hour", "min"), "name"), {"d": "session.day"}, (
        "Which session starts first on {d}?", "What is the earliest session of {d}?",
        "On {d}, which session opens the day?")),
    Family(4, count(["minus", _TALKS_OF, to(of(_Q, "appearance", "speaker"), "talk")]), {"p": "speaker",
        "q": "speaker"}, (
        "How many talks is {p} on that {q} has nothing to do with?",
        "Of the talks listing {p}, how many do not list {q}?",
        "{p} and {q} share some talks. How many talks of {p} are without {q}?")),
    Family(4, count(["minus", where(["all", "speaker"], "country", "is", "$c"),
                     to(where(["all", "appearance"], "role", "is", "presenter"), "speaker")]),
                     {"c": "speaker.country"}, (
        "How many speakers from {c} do not present any talk?",
        "How many of the registered people from {c} are never down as presenter, at most as co-author?",
        "Among those from {c}, how many will not present a single talk?")),
    Family(4, value(top(of(of(_ROOM, "session", "room"), "talk", "session"), "booked_seats", "max"), "title"),
           {"r": "room"}, (
        "Of all talks given in {r}, which one has the most booked seats?", "What is the best booked talk in {r}?",
        "{r} hosts a number of talks. Which of them has drawn the most bookings?")),
    Family(4, count(where(of(_ON_DAY, "talk", "session"), "minutes", "over", "$n")),
           {"d": "session.day", "n": "talk.minutes"}, (
        "How many talks on {d} are longer than {n} minutes?", "On {d}, how many talks take more than {n} minutes?",
        "Counting talks of over {n} minutes only, how many are there on {d}?")),
    Family(5, value(["most", where(["all", "speaker"], "country", "is", "$c"), "appearance", "speaker",
                     [["role", "is", "presenter"]], "max"], "name"), {"c": "speaker.country"}, (
        "Which speaker from {c} presents the most talks? Being a co-author does not count.",
        "Of the people from {c}, who is presenter most often?",
        "Among the speakers registered from {c}, who is down to present the largest number of talks?")),
    Family(5, count(["minus", ["all", "speaker"], to(of(of(_ON_DAY, "talk", "session"), "appearance", "talk"),
        "speaker")]),
           {"d": "session.day"}, (
        "How many speakers have no talk on {d}?",
        "On {d}, how many of our speakers are on no talk at all, in any role?",
        "How many of the registered speakers could take {d} off, being on none of its talks?")),
    Family(5, value(to(top(of(to(_PRESENTED, "session"), "talk", "session"), "booked_seats", "max"), "session"), "day"),
           {"p": "speaker"}, (
        "Take the sessions in which {p} presents. On what date is the best booked talk of those sessions, by whomever?",
        "Of all talks in sessions where {p} is a presenter, one has the most booked seats. On which date is it?",
        "Of everything given in the sessions that {p} presents in, on what date is the talk with most bookings?")),
    Family(5, ["sum", ["minus", _TRACK, to(where(of(_P, "appearance", "speaker"), "role", "is", "presenter"), "talk")],
               "booked_seats"], {"k": "talk.track", "p": "speaker"}, (
        "How many seats are booked in all for the talks of the {k} track that {p} does not present?",
        "Leaving out what {p} presents, how many booked seats does the {k} track have altogether?",
        "Sum up the booked seats of the {k} talks, except those with {p} as presenter.")),
)  # fmt: skip

DOMAIN = Domain("conference", TABLES, TOOLS, FAMILIES)
