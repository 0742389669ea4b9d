"""What is hidden in a haystack and asked for, in several wordings each: codes, offices, parcels, animals."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """Something that opens with, or is known by, a code: ``{p}`` whose, ``{v}`` the code, ``{d}`` a day."""

    tells: tuple[str, ...]
    dated: tuple[str, ...]
    shared: tuple[str, ...]
    """``{p}`` uses that of ``{q}``."""
    asks: tuple[str, ...]


CODES = {
    "locker": Code(
        ("The locker of {p} opens with {v}.", "{p} opens the locker with {v}.",
         "Whoever wants to open the locker of {p} must turn the lock to {v}."),
        ("On {d} the locker of {p} was set to {v}.", "From {d} on the locker of {p} opened with {v}."),
        ("{p} has no locker and uses that of {q}.", "{p} keeps everything in the locker of {q}."),
        ("With which code does the locker that {p} uses open?", "Which code opens the locker that {p} uses?"),
    ),
    "badge": Code(
        ("The badge of {p} has number {v}.", "{p} wears badge {v}.", "On the badge of {p} one reads {v}."),
        ("On {d} {p} was given badge {v}.", "The badge that {p} got on {d} has number {v}."),
        ("{p} goes in with the badge of {q}.", "{p} has lost the badge and borrows that of {q}."),
        ("What is the number of the badge that {p} uses?", "Which badge number does {p} use?"),
    ),
    "boat": Code(
        ("The boat of {p} is registered as {v}.", "{p} sails a boat with {v} on the bow.",
         "In the harbour book the boat of {p} stands under {v}."),
        ("On {d} the boat of {p} was registered as {v}.", "The number on the boat of {p} was changed to {v} on {d}."),
        ("{p} has no boat and sails that of {q}.", "{p} goes out in the boat of {q}."),
        ("Under which number is the boat that {p} sails registered?", "What is the number of the boat that {p} sails?"),
    ),
    "safe": Code(
        ("The safe of {p} opens with {v}.", "{p} has set the safe to {v}.", "For the safe of {p} the numbers are {v}."),
        ("On {d} the safe of {p} was set to {v}.", "The safe of {p} has opened with {v} since {d}."),
        ("{p} keeps papers in the safe of {q}.", "{p} has no safe and uses that of {q}."),
        ("With which code does the safe that {p} uses open?", "Which code opens the safe that {p} uses?"),
    ),
    "card": Code(
        ("The library card of {p} is number {v}.", "{p} borrows books on card {v}.", "Card {v} belongs to {p}."),
        ("On {d} {p} was given library card {v}.", "The library card that {p} got on {d} has number {v}."),
        ("{p} borrows books on the card of {q}.", "{p} has no library card and uses that of {q}."),
        ("What is the number of the library card that {p} uses?", "On which card number does {p} borrow books?"),
    ),
}  # fmt: skip
OFFICES = (
    "organist",
    "postmaster",
    "midwife",
    "ferryman",
    "schoolmaster",
    "beekeeper",
    "verger",
    "surveyor",
    "registrar",
)
VILLAGES = (
    "Ardley", "Ardlow", "Marbeck", "Marwick", "Thornby", "Thornley", "Westholm", "Westham", "Colgate", "Colgrave",
    "Hexley", "Hexham", "Stanwick", "Stanway", "Burford", "Burwell",
)  # fmt: skip
HOLDS = (
    "The {o} of {t} is {p}.", "In {t} the {o} is {p}.", "{p} has been the {o} of {t} for years.",
    "For as long as people remember, {p} has been {o} in {t}.",
)  # fmt: skip
KIN = (
    "{p} is married to the {o} of {t}.", "{p} is the cousin of the {o} of {t}.",
    "The house of {p} belongs to the {o} of {t}.", "{p} was taught to swim by the {o} of {t}.",
)  # fmt: skip
KIN_ASKED = ("the one to whom {p} is married", "the cousin of {p}", "the owner of the house of {p}",
             "the one who taught {p} to swim")  # fmt: skip
SENT = (
    "On {d} {p} sent a parcel of {n} kg to {t}.", "A parcel of {n} kg went from {p} to {t} on {d}.",
    "{p} posted a parcel to {t} on {d}; it weighed {n} kg.",
)  # fmt: skip
GOT = (
    "On {d} {p} was sent a parcel of {n} kg from {t}.", "A parcel of {n} kg came for {p} from {t} on {d}.",
    "{p} fetched a parcel from {t} on {d}; it weighed {n} kg.",
)  # fmt: skip
COUNT = ("How many parcels did {p} send, whatever {p} was sent?", "How many parcels went out from {p}?")
SUM = (
    "How many kilograms did the parcels that {p} sent weigh together?",
    "What is the weight in kg of all parcels that {p} sent?",
)
LAST = (
    "To which village did {p} send the last parcel, by date?",
    "Where did the latest of the parcels that {p} sent go to?",
)
HEAVIEST = ("To which village did the heaviest parcel that {p} sent go?",)
COUNT_TO = ("How many of the parcels that {p} sent went to {t}?",)
ANIMALS = ("bees", "geese", "goats", "ducks", "sheep", "pigeons", "hens", "donkeys")
KEEPS = (
    "{p} keeps {a}.", "Behind the house of {p} there are {a}.", "{p} has {a} and a dog.",
    "Those {a} on the meadow belong to {p}.",
)  # fmt: skip
KEEPS_NOT = (
    "{p} has never kept {a}.", "{p} gave the {a} away and keeps none now.",
    "The {a} on the meadow do not belong to {p}, who has none.", "{p} talks of {a} but keeps no animals.",
)  # fmt: skip
WITHOUT = ("Who of these people keeps no {a}: {names}?", "One of these people has no {a}: {names}. Who?")
