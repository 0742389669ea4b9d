"""What people of a large house do, keep and are, stated as a fact and, in other words, in a task.

A line is ``fact | fact // reference | reference``. Facts and references share no word that matters, so that comparing
words does not join them. Lines at even places are for evaluation, the others for training.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from acgym.types import Split

_DOES = """
goes through novels | turns page after page of some thriller // reading | having a quiet hour with a good book
replaces lost buttons | takes in skirts that are too wide // sewing | busy with needle and thread
answers letters from abroad | writes to old friends // doing the correspondence | putting pen to paper
practises scales on the violin | plays the flute // making music | working on an instrument
takes a nap after lunch | dozes in the afternoon // having forty winks | sleeping in the daytime
goes over the bills | fills in the tax forms // doing the accounts | dealing with money matters
plays solitaire | lays out patience, row by row // having a game alone with a pack of cards | with hearts and spades
glues tiny sailing ships together | assembles aeroplanes at a scale of 1 to 72 // building models | busy with kits
listens to football on the radio | hears the league results as they come in // following sports | cheering from afar
paints watercolours of the garden | mixes colours and fills a canvas // making a picture | busy with brush and easel
does the crossword | fills in sudokus // solving puzzles | racking the brain over empty squares
rings the grandchildren | phones an old aunt // having a long talk with the family | making a call
brushes the dog | combs the cat // grooming a pet | looking after an animal's coat
puts roses into vases | ties tulips together // making up a bouquet | doing the flowers
irons shirts | presses trousers // getting creases out of the laundry | smoothing clothes with something hot
sharpens knives | hones the scissors // putting an edge on blades | making things cut well again
polishes boots | rubs wax into leather shoes // making footwear shine | caring for what one walks in
learns Italian verbs | memorises Spanish words // studying a foreign language | preparing to speak abroad
kneads dough | shapes loaves and rolls // making bread | getting things ready for the oven at dawn
chops onions for supper | stirs a stew // cooking | getting dinner ready
watches birds through binoculars | counts the sparrows and finches // looking out for wildlife | spotting what flies
sorts stamps | sticks rare stamps into an album // attending to a collection | at work on old envelopes
knits pullovers | crochets shawls // working with wool | making something warm out of yarn
lifts dumb-bells | does forty press-ups // exercising | keeping fit
sits cross-legged in silence | breathes slowly with closed eyes // meditating | calming the mind
takes clocks apart | oils the wheels of a watch // seeing what makes timepieces tick | repairing what tells the hour
repots cactuses | waters the ferns // looking after plants | seeing to what grows in pots
trims the neighbours' hair | gives haircuts to half the street // playing the barber | busy with somebody's fringe
wraps presents | ties ribbons round parcels // getting gifts ready | preparing a birthday surprise
looks at the stars through a telescope | draws charts of the moon // studying the night sky | doing astronomy
cuts holiday videos | edits clips from last summer // working on a film | putting footage in order
learns lines for the amateur theatre | recites Hamlet aloud // rehearsing a part in a play | getting ready for the stage
has breakfast | eats a bowl of porridge at seven // having the first meal of the day | eating in the early morning
folds paper cranes | makes paper boats // doing origami | turning flat sheets into animals
"""
_KEEPS = """
whatever has to be mended | what no longer works // things that are broken | what awaits repair
what is meant for the flea market | what a dealer will fetch // things to be sold | what should bring in some money
presents until somebody's birthday | what friends will get at weddings // gifts | what others are to unwrap one day
what came down from the grandparents | what great-grandmother left behind // heirlooms | what was inherited
what was borrowed from the neighbours | what the library wants back // things to return | what belongs to others
the picnic things | all for lunches in the park // what is needed for a meal in the open | a basket's Sunday load
decorations for December | the angels and tinsel // what comes out once a year | what the tree is dressed with
souvenirs from journeys | what Lisbon and Cairo had to sell // mementos of holidays | what recalls far countries
baking things | moulds and icing bags // what cakes are made with | the confectioner's helpers
paint and rollers | brushes and turpentine // what one needs to decorate walls | what gives a room a new colour
the tent and sleeping bags | all that goes camping // gear for nights outdoors | what one wants in the wild
plasters and bandages | ointments and splints // what helps when somebody is hurt | first-aid supplies
leads and chew bones | the dog's belongings // what the pet needs | things for a four-legged friend
everything for preserving fruit | sugar and lids for July // what one needs to make jam | what berries are boiled with
old toys | the children's things from years ago // what nobody plays with any more | what the little ones have outgrown
rods and hooks | the fishing tackle // what one takes to the river in hope of a trout | the angler's equipment
"""
_IS = """
a nurse // the one who works in a hospital | the one who looks after patients
a carpenter // the one who makes furniture for a living | the one who works in wood all day
a pilot // the one who flies aeroplanes | the one whose office is a cockpit
a baker // the one who is up at three to make bread | the one whose working day ends when the rolls are sold
a teacher // the one who has a class of nine-year-olds | the one who marks homework at weekends
a mail carrier // the one who delivers letters | the one who brings parcels to the door
a judge // the one who hears cases in court | the one who wears a robe and passes sentence
a dentist // the one who looks after people's teeth | the one who fills cavities
a farmer // the one who milks forty cows | the one who brings in the harvest
a firefighter // the one who rides out when something burns | the one who puts out blazes
a pharmacist // the one who sells medicine | the one who reads what doctors have prescribed
a tailor // the one who makes suits to measure | the one who earns a living with needle and tape
a plumber // the one who is called when pipes leak | the one who installs taps and drains
a vet // the one who treats sick animals | the one who has dogs and cats for patients
a librarian // the one who lends books out | the one who stamps return dates
a bus driver // the one who takes people from stop to stop | the one who is at the wheel of number 12 all day
"""


class Line(NamedTuple):
    """Something about a person: how it is stated, and how a task speaks of it."""

    facts: tuple[str, ...]
    references: tuple[str, ...]


@cache
def lines(sort: str, split: Split) -> tuple[Line, ...]:
    """Return what people of a split ``"does"``, ``"keeps"`` or ``"is"``; no line is in both splits."""
    text = {"does": _DOES, "keeps": _KEEPS, "is": _IS}[sort]
    rows = [row.split(" // ") for row in text.strip().splitlines()]
    made = [Line(tuple(fact.split(" | ")), tuple(other.split(" | "))) for fact, other in rows]
    return tuple(made[0 if split == "eval" else 1 :: 2])
