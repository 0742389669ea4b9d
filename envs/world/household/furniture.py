"""What stands in the rooms of a large house, which things are at home where, and how looks are told in other words."""

from __future__ import annotations

from acgym.envs.names import words

HUB = "hall"
"""The room that leads to the others."""

_STANDS = {
    "kitchen": "counter, kitchen table, windowsill, serving trolley / cupboard, kitchen drawer, pantry, bread bin",
    "living room": "sofa, armchair, coffee table, mantelpiece / sideboard, china cabinet, toy chest, music cabinet",
    "bedroom": "bed, dressing table, bedside table, footstool / wardrobe, trunk, bedside drawer, linen chest",
    "study": "desk, bookcase, reading chair, drawing board / filing cabinet, desk drawer, safe, map chest",
    "bathroom": "washstand, bath stool, towel shelf, bathroom bench / mirror cabinet, bathroom drawer, hamper, tub",
    "hall": "hall bench, telephone table, hat rack, staircase / shoe cabinet, closet, meter box, hall drawer",
    "garage": "workbench, tyre rack, folding table, car seat / toolbox, locker, paint cupboard, tin box",
    "attic": "hammock, camp bed, old sofa, sewing table / sea chest, suitcase, hat box, crate",
    "porch": "swing seat, garden table, deck chair, plant stand / storage box, letter box, garden locker, wicker chest",
    "cellar": "wine rack, ping-pong table, beer bench, coal shelf / barrel, cellar cabinet, apple box, wooden trunk",
}  # fmt: skip
SURFACES_OF = {room: words(row.partition(" / ")[0], ", ") for room, row in _STANDS.items()}
"""Room -> what stands there and is always open; things are on it."""
INSIDES_OF = {room: words(row.partition(" / ")[2], ", ") for room, row in _STANDS.items()}
"""Room -> what stands there and opens and closes; things are in it."""
LARGE_ROOMS = tuple(_STANDS)
ALL_SURFACES = frozenset(name for row in SURFACES_OF.values() for name in row)

LAMPS = {"desk lamp": "study", "floor lamp": "living room", "bedside lamp": "bedroom", "work lamp": "garage"}
"""Lamp -> the room that it stands in. Nothing can be put on one."""

HOMES = {
    "kitchen": words("mug cup bowl plate pan pot jar fork spoon potato tomato pear lemon carrot bun cake pie"),
    "bathroom": words("towel sponge comb toothbrush razor"),
    "study": words("stapler notebook calculator ruler"),
    "garage": words("hammer wrench screwdriver drill"),
    "bedroom": words("pillow nightgown blanket"),
    "living room": words("vase candle cushion"),
}
"""Room -> the kinds of thing that everybody would look for there first."""
HOME_OF = {kind: room for room, kinds in HOMES.items() for kind in kinds}

LOOKS = {
    "red": "the colour of a ripe strawberry",
    "blue": "the colour of a cloudless sky",
    "green": "the colour of fresh grass",
    "white": "the colour of snow",
    "black": "as dark as coal",
    "yellow": "the colour of a canary",
    "brown": "the colour of chocolate",
    "pink": "the colour of a flamingo",
    "striped": "with lines running all round it",
    "spotted": "with dots all over it",
    "tiny": "that is much smaller than usual",
    "huge": "that is far bigger than one would expect",
    "antique": "that must be two hundred years old",
    "cracked": "that nearly broke and shows it",
}
"""Adjective in the name of a thing -> how it is told without that word."""
