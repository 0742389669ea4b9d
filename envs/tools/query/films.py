"""A film archive: films, people and their credits, the copies on the shelf, loans to venues."""

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

_TITLES = words(
    "The Salt Harvest|A Room Above the Bakery|Seven Crossings|The Clockmaker's Daughter|North of Amber|"
    "Paper Lanterns|The Last Ferry to Marrow|Dust on the Piano|An Honest Forger|The Orchard Wall|"
    "Midnight at Pier Nine|Copper Rain|The Borrowed Coat|Letters to Ostend|The Beekeeper's Alibi|"
    "Winter Comes Twice|A Whistle in the Fog|The Tin Parade|Under the Viaduct|Lady of the Locks|The Ninth Chair|"
    "Harvest of Shadows|The Quiet Engine|Nightshift Serenade|A Map of Small Rivers|The Velvet Ladder|"
    "Good Morning, Colonel|The Glass Orchard|Sparrows of Rue Noire|Iron Blossom|The Lighthouse Debt|"
    "Two Tickets to Calais|The Weaver's Song|Ashes and Almonds|The Crooked Mile Home|Blue Chalk|The Cartographer|"
    "A Season of Geese|The Understudy|Return to Half Moon Bay|The Winding Stair|Marble and Smoke|"
    "The Organ Grinder|Any Port in June|The Silver Thimble|Carnival of Crows|Trouble at Low Water|"
    "The Gentle Saboteur",
    "|",
)
_VENUES = words(
    "Astoria Filmhaus|Lumen Cinema|Old Mill Film Club|Harbour Picture House|Kino Capitol|The Electric Parlour|"
    "Riverside Cinematheque|Corona Theatre|Museum of the Moving Image|Blue Room Screenings|Gloria Palast|"
    "Scala Nord|Academy Screen|Lantern Society|Studio Eleven|The Regent",
    "|",
)

TABLES = {
    "film": Table("FM", 10, {
        "title": Names(_TITLES), "year": Whole(1930, 1979), "minutes": Whole(58, 176),
        "genre": Pick(("comedy", "crime", "horror", "romance", "war")),
        "language": Pick(("English", "French", "German", "Italian")),
    }, "title"),
    "person": Table("PN", 9, {
        "name": People(), "born": Whole(1880, 1912), "country": Pick(("Austria", "Britain", "France", "Italy",
        "Poland")),
    }, "name"),
    "credit": Table("CR", 30, {
        "film": Ref("film"), "person": Ref("person"), "job": Pick(("director", "writer", "actor", "actor", "composer")),
    }, unique=("film", "person")),
    "copy": Table("CP", 14, {
        "film": Ref("film"), "format": Pick(("16 mm", "35 mm", "70 mm")),
        "condition": Pick(("good", "worn", "brittle")), "acquired_on": Day("1985-01-01", "2024-12-31"),
    }),
    "venue": Table("VN", 5, {"name": Names(_VENUES), "city": Pick(("Graz", "Leeds", "Lyon", "Turin"))}, "name"),
    "loan": Table("LN", 24, {
        "copy": Ref("copy"), "venue": Ref("venue"), "sent_on": Day("2026-01-01", "2029-12-31"),
        "days_out": Whole(4, 60),
    }),
}  # fmt: skip

TOOLS = (
    Tool("find_films", "Finds films by title; without one, gives all films.", "film",
         {"title": ("title", "has", "the title or a part of it")}, ("title",)),
    Tool("get_film", "Gives the catalogue record of one film.", "film", {"film_id": ("id", "is", "id of the film")},
         ("*",), ("film_id",), one=True),
    Tool("list_films_by_kind", "Lists films of a genre, a language, or both.", "film",
         {"genre": ("genre", "is", "genre"), "language": ("language", "is",
         "language spoken in the film")}, ("title",)),
    Tool("find_people", "Finds people who worked on films; without a name, gives all.", "person",
         {"name": ("name", "has", "the name or a part of it")}, ("name",)),
    Tool("get_person", "Gives the record of one person.", "person", {"person_id": ("id", "is", "id of the person")},
         ("*",), ("person_id",), one=True),
    Tool("list_credits_of_film", "Lists who did what on one film.", "credit",
         {"film_id": ("film", "is", "id of the film")}, ("person", "job"), ("film_id",)),
    Tool("list_credits_of_person", "Lists the films that one person worked on, and as what.", "credit",
         {"person_id": ("person", "is", "id of the person"), "job": ("job", "is", "only credits for this job")},
         ("film", "job"), ("person_id",)),
    Tool("list_copies", "Lists copies in the vault, of one film or of all.", "copy",
         {"film_id": ("film", "is", "id of the film"), "condition": ("condition", "is",
         "condition of the copy")}, ("*",)),
    Tool("list_loans", "Lists loans of copies to venues, of one copy, to one venue, or all.", "loan",
         {"copy_id": ("copy", "is", "id of the copy"), "venue_id": ("venue", "is", "id of the venue")}, ("*",)),
    Tool("list_venues", "Lists the venues that may borrow copies.", "venue",
         {"city": ("city", "is", "only venues in this city")}, ("*",)),
)  # fmt: skip

_FILM, _PERSON, _VENUE = named("film", "title", "$f"), named("person", "name", "$p"), named("venue", "name", "$v")
_OTHER = named("person", "name", "$q")
_WORK = to(of(_PERSON, "credit", "person"), "film")
_PEOPLE = to(of(_FILM, "credit", "film"), "person")
_OF_GENRE = where(["all", "film"], "genre", "is", "$g")
_IN_LANGUAGE = where(["all", "film"], "language", "is", "$l")

FAMILIES = (
    Family(1, value(_FILM, "minutes"), {"f": "film"}, (
        "How many minutes does {f} run?", "What is the running time of {f} in minutes?",
        "How long is the film {f}, in minutes?", "I need the length of {f} in minutes.")),
    Family(1, value(_FILM, "language"), {"f": "film"}, (
        "Which language is spoken in {f}?", "In what language was {f} made?", "{f}: what language is it in?",
        "Tell me the language of the film {f}.")),
    Family(1, value(_PERSON, "born"), {"p": "person"}, (
        "In which year was {p} born?", "What year of birth do we have for {p}?", "{p} was born in which year?",
        "What is the birth year of {p} in our files?")),
    Family(2, value(to(where(of(_FILM, "credit", "film"), "job", "is", "director"), "person"), "name"), {"f": "film"}, (
        "Who directed {f}?", "Whose name stands under direction for {f}?", "{f}: who was the director?",
        "Give me the name of the person who directed {f}.")),
    Family(2, count(of(_FILM, "copy", "film")), {"f": "film"}, (
        "How many copies of {f} are in the vault?", "Of {f}, how many copies do we hold?",
        "Count our copies of {f} for me.", "How many copies of {f} sit on our shelves?")),
    Family(2, value(of(_FILM, "copy", "film"), "acquired_on"), {"f": "film"}, (
        "On what day did we get our only copy of {f}?", "We have one copy of {f}; when did it come in?",
        "When was the copy of {f} acquired?", "What is the acquisition date of our copy of {f}?")),
    Family(3, value(top(_WORK, "minutes", "max"), "title"), {"p": "person"}, (
        "Which is the longest film that {p} worked on?",
        "Of all the films with {p} in the credits, which one runs longest?",
        "{p} worked on several films. What is the title of the longest?")),
    Family(3, count(where(_WORK, "year", "over", "$y")), {"p": "person", "y": "film.year"}, (
        "How many films from after {y} did {p} work on?",
        "Counting only films made later than {y}, how many credit {p}?",
        "{p} is credited on how many films that came out after the year {y}?")),
    Family(3, value(top(_PEOPLE, "born", "min"), "name"), {"f": "film"}, (
        "Who is the oldest of the people credited on {f}?", "Of everybody who worked on {f}, who was born first?",
        "Among the names in the credits of {f}, whose year of birth is the earliest?")),
    Family(3, count(where(of(_VENUE, "loan", "venue"), "sent_on", "in", "$y")), {"v": "venue",
        "y": "loan.sent_on year"}, (
        "How many loans went out to {v} in {y}?", "How often did we send a copy to {v} during {y}?",
        "In {y}, how many times did {v} borrow from us?")),
    Family(3, value(to(top(of(_OF_GENRE, "copy", "film"), "acquired_on", "min"), "film"), "title"),
        {"g": "film.genre"}, (
        "Of which {g} film did we acquire a copy first?",
        "Our very first copy of a {g} film: what is the film's title?",
        "Looking at {g} films only, the copy that we have had longest is of which film?")),
    Family(4, count(["minus", _IN_LANGUAGE, to(["all", "copy"], "film")]), {"l": "film.language"}, (
        "How many {l} films are there of which we hold no copy at all?",
        "Of the films in {l}, how many have no copy in the vault?",
        "How many films whose language is {l} could we not lend out because we never got a copy?")),
    Family(4, count(["minus", _PEOPLE, to(of(_OF_GENRE, "credit", "film"), "person")]), {"f": "film",
        "g": "film.genre"}, (
        "How many of the people on {f} have never worked on a {g} film?",
        "Of those credited on {f}, how many have not a single {g} film to their name?",
        "Take everybody who worked on {f}. How many of them have no credit on any {g} film?")),
    Family(4, count(["minus", _WORK, to(of(_OTHER, "credit", "person"), "film")]), {"p": "person", "q": "person"}, (
        "How many films did {p} work on without {q}?", "On how many of the films of {p} does {q} have no credit?",
        "Of the films that credit {p}, how many leave out {q}?")),
    Family(4, ["sum", of(of(_FILM, "copy", "film"), "loan", "copy"), "days_out"], {"f": "film"}, (
        "For how many days in all have our copies of {f} been out on loan?",
        "Add up the days out of every loan of {f}, over all of its copies.",
        "All loans of all copies of {f} taken together, how many days is that?")),
    Family(5, value(["most", _PEOPLE, "credit", "person", [], "max"], "name"), {"f": "film"}, (
        "Of the people credited on {f}, who has worked on the most films overall?",
        "Who among the people on {f} has the largest number of films to their name?",
        "{f} credits several people. Which of them appears in the credits of the most films?")),
    Family(5, ["sum", of(of(where(_WORK, "year", "over", "$y"), "copy", "film"), "loan", "copy"), "days_out"],
           {"p": "person", "y": "film.year"}, (
        "Films after {y} on which {p} worked: how many days have their copies been on loan, all together?",
        "Sum the days out for every copy of every film by or with {p} that was made later than {y}.",
        "How many loan days come to the copies of those films of {p} that date from after {y}?")),
    Family(5, count(["minus", ["all", "venue"], to(of(of(_OF_GENRE, "copy", "film"), "loan", "copy"), "venue")]),
           {"g": "film.genre"}, (
        "How many venues have never borrowed a copy of a {g} film?",
        "How many of the venues on our list have had no {g} film from us so far?",
        "Count the venues to which we have not once lent a {g} film.")),
    Family(5, value(to(top(of(of(_WORK, "copy", "film"), "loan", "copy"), "sent_on", "max"), "venue"), "name"),
           {"p": "person"}, (
        "Looking at copies of films that {p} worked on, which venue got the latest loan?",
        "Where did the most recent loan of a film with {p} in the credits go to?",
        "Which venue was the last to be sent a copy of any film that credits {p}?")),
)  # fmt: skip

DOMAIN = Domain("film archive", TABLES, TOOLS, FAMILIES)
