"""What is said at the desk: families of facts, promises, rules and tallies, each with several wordings."""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """One kind of fact: ``{s}`` is what it is about, ``{v}`` its value."""

    subject: str
    value: str
    tells: tuple[str, ...]
    changes: tuple[str, ...]
    asks: tuple[str, ...]
    before: tuple[str, ...]
    """Ask for the value before the last change."""


ROOMS = (
    "boathouse", "loft", "kiln room", "darkroom", "print shop", "cellar", "drying room", "music room", "library",
    "smithy", "glasshouse", "laundry", "archive", "map room", "paint store", "bindery", "weighing room", "tool shed",
    "guest kitchen", "cold store", "turning shop", "pump house", "reading room", "sail loft",
)  # fmt: skip
COLOURS = ("blue", "red", "green", "grey", "yellow", "black", "white", "brown")
OBJECTS = (
    "folder", "envelope", "toolbox", "notebook", "umbrella", "lantern", "parcel", "raincoat", "binder", "blanket",
    "flask", "satchel",
)  # fmt: skip
THINGS = tuple(f"{colour} {thing}" for thing in OBJECTS for colour in COLOURS)
PLACES = (
    "north ramp", "south ramp", "yard gate", "side door", "old crane", "new crane", "coal bay", "timber bay",
    "back court",
    "front court", "rail shed", "boat shed",
)  # fmt: skip
SHELVES = (
    "oak rack", "pine rack", "steel rack", "window shelf", "corner shelf", "long shelf", "wire cage", "tin locker",
)  # fmt: skip
FIRMS = (
    "Ardley and Son", "Ardlow and Son", "Brenner Glass", "Brennan Glass", "Corwin Paper", "Corvin Paper",
    "Dellmar Tiles",
    "Delmore Tiles", "Eastlock Paints", "Westlock Paints", "Fenwick Ropes", "Fenton Ropes", "Gorse Mill",
    "Gorsefield Mill",
    "Hartley Brass", "Hartlow Brass",
)  # fmt: skip
MEETINGS = (
    "glaze meeting", "safety talk", "tenants' evening", "sailing class", "budget meeting", "bookbinding class",
    "fire drill", "rope course", "opening speech", "print fair", "choir practice", "garden round",
)  # fmt: skip
TOPICS = ("the lift", "the heating", "room hire", "lost property", "the summer fair", "parking", "the newsletter")
STOCK = ("chairs", "lamps", "bicycles", "tents", "folding tables", "trestles", "crates", "screens")

FAMILIES = (
    Family("room", "hook", ("The key of the {s} hangs on hook {v}.", "I have put the {s} key on hook {v}.",
                            "For the key board: the {s} has hook {v}."),
           ("The key of the {s} has moved to hook {v}.", "The {s} key hangs on hook {v} from now on."),
           ("Which hook has the key of the {s}?", "On which hook do I find the {s} key?"),
           ("Which hook had the key of the {s} before it was last moved?",)),
    Family("person", "extension", ("You reach {s} on extension {v}.", "{s} has been given extension {v}.",
                                   "Extension {v} rings on the desk of {s}."),
           ("{s} has a new extension: {v}.", "The extension of {s} was changed to {v}."),
           ("What is the extension of {s}?", "On which extension do I reach {s}?"),
           ("What was the extension of {s} before the last change?",)),
    Family("person", "locker", ("{s} has locker {v}.", "Locker {v} now belongs to {s}.",
                                "I have moved into locker {v}. {s}"),
           ("{s} has changed to locker {v}.", "{s} gave the old locker back and has number {v}."),
           ("Which locker is that of {s}?", "What is the number of the locker of {s}?"),
           ("Which locker did {s} have before the last change?",)),
    Family("room", "code", ("The door code of the {s} is {v}.", "The {s} opens with {v}.",
                            "We have set the lock of the {s} to {v}."),
           ("The lock of the {s} was changed: it opens with {v} now.", "New door code of the {s}: {v}."),
           ("What is the door code of the {s}?", "With which code does the {s} open?"),
           ("With which code did the {s} open before the last change?",)),
    Family("person", "thing", ("What {s} left here on Friday is the {v}.", "The {v} in our cupboard belongs to {s}.",
                               "{s} asks us to look after a {v}."),
           ("{s} took that back and left a {v} in its place.",
            "We now keep the {v} of {s} instead of the other thing."),
           ("What do we keep for {s}?", "Which thing of {s} is in our cupboard?"),
           ("What did we keep for {s} before that was exchanged?",)),
    Family("meeting", "time", ("The {s} begins at {v}.", "Please write on the board: {s} at {v}.",
                               "We start the {s} at {v}."),
           ("The {s} has been moved to {v}.", "Correction: the {s} begins at {v}."),
           ("When does the {s} begin?", "At what time is the {s}?"),
           ("At what time was the {s} to begin before it was last moved?",)),
    Family("meeting", "room", ("The {s} is in the {v}.", "We have booked the {v} for the {s}."),
           ("The {s} has been moved to the {v}.", "The {s} will not be there but in the {v}."),
           ("Where is the {s}?", "In which room is the {s}?"),
           ("In which room was the {s} to be before it was last moved?",)),
    Family("person", "room", ("{s} works in the {v} this month.", "You find {s} in the {v}.",
                              "Look for {s} in the {v}."),
           ("{s} has moved to the {v}.", "{s} has given up the room and works in the {v}."),
           ("In which room does {s} work?", "Where do I find {s}?"),
           ("In which room did {s} work before the last move?",)),
    Family("person", "deputy", ("{v} stands in for {s} this week.", "While {s} is away, ask {v}."),
           ("Not the one I named, but {v} stands in for {s}.", "The stand-in for {s} is now {v}."),
           ("Who stands in for {s}?", "Whom do I ask while {s} is away?"),
           ("Who stood in for {s} before the last change?",)),
    Family("firm", "order", ("Our order at {s} has number {v}.", "{s} confirms order {v}."),
           ("{s} has cancelled that and entered order {v}.", "The order at {s} now runs under number {v}."),
           ("Under which number does our order at {s} run?", "What is the order number at {s}?"),
           ("What was the order number at {s} before the last change?",)),
    Family("person", "price", ("{s} owes us {v} crowns.", "Write it down: {s} still has to pay {v} crowns."),
           ("After the recount {s} owes us {v} crowns.", "What {s} owes us was corrected to {v} crowns."),
           ("How many crowns does {s} owe us?", "How many crowns has {s} still to pay?"),
           ("How many crowns did we say {s} owed before the last correction?",)),
    Family("room", "date", ("The {s} is closed on the {v} of the month.",
                            "On the {v} nobody gets into the {s}: it is closed."),
           ("The {s} closes on the {v} instead.", "It is on the {v} that the {s} is closed, not on the day I said."),
           ("On which day of the month is the {s} closed?", "When is the {s} closed?"),
           ("On which day was the {s} to close before that was changed?",)),
)  # fmt: skip
"""Facts that are told, may change, and are asked for."""


class Promise(NamedTuple):
    """Something to be done when something happens: ``{s}`` is who or what it is about, ``{v}`` what is to be done."""

    subject: str
    value: str
    tells: tuple[str, ...]
    changes: tuple[str, ...]
    cancels: tuple[str, ...]
    happens: tuple[str, ...]


PROMISES = (
    Promise("person", "thing",
            ("When {s} comes to the desk, hand over the {v}.", "{s} will come by and must get the {v}.",
             "Please promise me that {s} gets the {v} at the desk."),
            ("Not that for {s}: hand over the {v}.", "{s} is to get the {v} instead."),
            ("{s} no longer needs anything from the desk.", "Hand nothing over to {s} after all."),
            ("{s} is at the desk.", "Good day, I am {s} and I stand at the desk.", "At the desk stands {s}.")),
    Promise("firm", "place",
            ("When the van of {s} comes, send it to the {v}.", "The van of {s} unloads at the {v}.",
             "Please promise the driver of {s} the {v}."),
            ("Send the van of {s} to the {v} instead.", "The van of {s} cannot stop there: it goes to the {v}."),
            ("The van of {s} needs no place any more.", "Do not send the van of {s} anywhere after all."),
            ("The van of {s} is at the gate.", "A driver calls from the gate: the van of {s} is here.")),
    Promise("person", "visitor",
            ("When {s} telephones, put the call through to {v}.", "A call from {s} is for {v}."),
            ("A call from {s} goes to {v} instead.", "Put {s} through to {v}, not to the other one."),
            ("Put {s} through to nobody after all.", "{s} has spoken to us: there is no call to pass on any more."),
            ("{s} is on the telephone.", "The telephone rings: it is {s}.")),
)  # fmt: skip
"""What is promised once and due when it happens."""


class Rule(NamedTuple):
    """A rule with two outcomes: ``{limit}`` decides between ``{a}`` and ``{b}``."""

    name: str
    outcome: str
    tells: tuple[str, ...]
    new_limit: tuple[str, ...]
    new_outcome: tuple[str, ...]
    """Change ``{a}`` alone."""
    cases: tuple[str, ...]
    low: int
    high: int
    """Range of the limit; both 0 where the limit is a firm or a topic."""


RULES = (
    Rule("parcel", "shelf",
         ("Parcels of more than {limit} kg go to the {a}, all others to the {b}.",
          "House rule for parcels: the {a} for what weighs more than {limit} kg, else the {b}."),
         ("The limit for parcels is {limit} kg from now on.", "For parcels we now draw the line at {limit} kg."),
         ("Heavy parcels no longer go where they went but to the {a}.", "For heavy parcels use the {a} from now on."),
         ("A parcel of {n} kg has come for {p}.", "The post brings a parcel for {p}: {n} kg."), 6, 25),
    Rule("bill", "person",
         ("Bills of more than {limit} crowns are signed by {a}, all others by {b}.",
          "{a} signs bills above {limit} crowns, {b} signs the rest."),
         ("The limit for bills is {limit} crowns from now on.", "Bills: the line is at {limit} crowns now."),
         ("Large bills are signed by {a} from now on.", "From today {a} signs the large bills."),
         ("A bill of {n} crowns has come from {f}.", "{f} sends a bill: {n} crowns."), 120, 900),
    Rule("visit", "badge",
         ("Visitors from {limit} get a {a} badge, all other visitors a {b} one.",
          "Badges: {a} for visitors from {limit}, {b} for all others."),
         ("The special badge is for visitors from {limit} now, no longer for the others.",
          "From now on it is {limit} whose visitors get the special badge."),
         ("The special badge is {a} from now on.", "We have run out of those: the special badge is now {a}."),
         ("A visitor from {n} signs the book: {p}.", "{p} has come to visit, from {n}."), 0, 0),
    Rule("call", "person",
         ("Questions about {limit} go to {a}, all other questions to {b}.",
          "{a} answers what people ask about {limit}, {b} answers everything else."),
         ("The first of the two now answers for {limit}, no longer for the old topic.",
          "The special topic is {limit} from now on."),
         ("For the special topic people are sent to {a} from now on.", "{a} takes over the special topic."),
         ("Somebody has a question about {n}.", "A letter asks about {n}."), 0, 0),
)  # fmt: skip
"""Rules for work that comes again and again; each is in force at most once in an episode."""

TALLY_OUT = ("{p} has borrowed {n} {s}.", "{n} {s} went out to {p}.", "I have taken {n} {s}. {p}")
TALLY_IN = ("{p} has brought back {n} {s}.", "{n} {s} came back from {p}.")
TALLY_ASK = ("How many {s} are out now?", "How many of our {s} are not back?")
TWO_HOPS = (
    ("In the room of {s} the painters wait outside. What is the door code of that room?", "code"),
    ("What is the door code of the room in which {s} works?", "code"),
    ("On which hook is the key of the room in which {s} works?", "hook"),
    ("I need the key of the room that {s} works in. Which hook?", "hook"),
)
SUMS = (
    ("Please add up {a}, {b} and {c} for the till.", "{a}+{b}+{c}"),
    ("The till has {a} crowns, then {b} come in and {c} more. How many are in it?", "{a}+{b}+{c}"),
    ("{p} buys {a} stamps and {b} cards and {c} ribbons. How many things is that?", "{a}+{b}+{c}"),
    ("A stack has {a} sheets, another {b}, a third {c}. How many sheets are there?", "{a}+{b}+{c}"),
    ("Which is the largest of {a}, {b} and {c}?", "max"),
    ("Three lots weigh {a}, {b} and {c} kg. Which is the lightest, in kg?", "min"),
    ("{p} had {a} cards, got {b} more and then {c} more. How many are they now?", "{a}+{b}+{c}"),
    ("Please write the middle one of {a}, {b} and {c} on the label, by size. Which is it?", "middle"),
)
"""Work to do at once, and how its three numbers are joined."""
TALK = (
    "The kettle is on, if anybody asks.", "It rains again, so please put the mat down.",
    "The lift makes that noise again.",
    "I am at lunch until two.", "Somebody left the yard gate open.", "The windows of the hall have been cleaned.",
    "Thank you for yesterday, the evening went well.", "The post is late today.", "I have swept the stairs.",
    "There are apples in the bowl, take one.", "The clock in the hall is slow, I have not touched it.",
    "A cat sits on the bonnet of the van.", "Please do not feed the cat in the hall.",
    "The new bulbs are warmer than the old.",
    "We had a good laugh about the sign.", "The drain in the court is free again.", "My train was late, sorry.",
    "The plants in the hall want water on hot days.", "The choir was heard down to the river.",
    "Nobody came about the lost scarf.",
    "The doorbell works again.", "I shall be back before the evening.", "The heating hums, but it is warm.",
    "The poster hangs crooked; I rather like it.", "There is a wasp in the hall, mind the cups.",
    "The bread man asks after the old caretaker.", "The tap in the hall drips less than it did.",
    "The children next door play football against our wall.", "We are out of string.",
    "The paint smell will be gone by evening.",
    "The mirror in the lift is cracked in one corner.", "I like the new doormat.", "Our cellar smells of apples.",
    "The bus stop has been moved across the road.", "The caretaker whistles, so the stove must burn again.",
    "There was a rainbow over the sheds this morning.", "The tea towels are in the wash.",
    "The radio in the hall is too loud.",
    "I could not find my left glove.", "The ladder creaks but it holds.",
    "A swallow has built above the side entrance.",
    "The pencil on the string is blunt.", "The stairs are wet, mind your step.",
    "Somebody has drawn a ship on the blackboard.",
    "The bread was good today.", "The lamp over the bench flickers.", "We are all a little tired after the fair.",
    "The neighbours bring their dog to the court again.", "My hands are full of glue, I write this with my elbow.",
    "The old calendar is still up.", "The shutters rattle in the wind.", "The bench in the court has a new plank.",
    "The milk is in the door of the fridge.", "Somebody sings in the stairwell, quite well.",
    "I am glad it is warm again.",
    "The chalk has run out.", "The wheelbarrow has a flat tyre.", "The hall clock struck thirteen.",
    "The fern has a new leaf.",
    "The vacuum cleaner is back from repair.",
)  # fmt: skip
