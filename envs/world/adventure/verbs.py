"""The verbs that the parser knows, their synonyms, directions and prepositions."""

from __future__ import annotations

_WAYS = (
    ("north", "n"), ("south", "s"), ("east", "e"), ("west", "w"), ("up", "u upstairs upward upwards"),
    ("down", "d downstairs downward downwards"),
)  # fmt: skip
DIRECTIONS: dict[str, str] = {word: way for way, short in _WAYS for word in (way, *short.split())}
"""A word -> the direction that it means."""
BACK = {"north": "south", "south": "north", "east": "west", "west": "east", "up": "down", "down": "up"}

_SYNONYMS = {
    "go": "go/walk/move/run/head/proceed/return/enter/exit/leave/follow/cross/step/travel",
    "look": "look/l/look around/look about/observe/survey",
    "inventory": "inventory/i/inv/check inventory/list inventory/take inventory",
    "wait": "wait/z/rest",
    "help": "help/check valid actions",
    "examine": "examine/x/inspect/look at/look in/look inside/look into/look under/look behind/look on/look through"
    "/search/read/check/study/look over/view/feel/explore/consult/search under/search behind/search in/investigate",
    "take": "take/get/pick up/pick/grab/collect/carry/fetch/acquire/remove from/pull out/lift out",
    "drop": "drop/put down/discard/leave behind/set down/lay down",
    "open": "open/open up",
    "close": "close/shut",
    "unlock": "unlock",
    "put": "put/place/insert/lay/slide/slot/install/fit/load/lower/drop in/heat/melt/thaw/warm/hang/throw/set down on"
    "/stick",
    "give": "give/offer/hand/show/present/feed/pay/trade/hand over/exchange/swap/lend/deliver/bring",
    "ask": "ask/question/interrogate/ask about/tell about",
    "talk": "talk to/talk with/talk/speak to/speak with/greet/chat with/speak/converse with",
    "say": "say/tell/whisper/answer/shout/utter/speak word/say word/reply/call",
    "light": "light/ignite/kindle/switch on/turn on/burn/activate/start fire in",
    "douse": "douse/extinguish/switch off/turn off/blow out/snuff/put out",
    "push": "push/press/shove",
    "pull": "pull/tug/yank/draw/pull down/pull on",
    "turn": "turn/rotate/twist/crank/spin/wind/operate/work/run machine/start",
    "set": "set/enter code/dial/type/set dial/enter number/input/key in/type in/punch in",
    "tie": "tie/attach/fasten/knot/secure/bind/hitch/hook/tie up/loop",
    "fill": "fill/refill/fill up/top up",
    "pour": "pour/empty/tip/spill/pour out/sprinkle",
    "water": "water/irrigate",
    "dig": "dig/dig up/dig in/dig under/excavate/pry/pry up/prise/prise up/dig here/pry open/lever up/lift floor",
    "wear": "wear/put on/don/dress in/dress up as/change into",
    "remove": "take off/doff/undress/strip off",
    "climb": "climb/climb up/climb down/scale/ascend/descend",
    "use": "use/apply/try",
}
VERBS: dict[str, str] = {word: verb for verb, words in _SYNONYMS.items() for word in words.split("/")}
VERBS.update({"remove": "remove"})
"""A word or two -> the verb that it means."""
ALONE = frozenset(("look", "inventory", "wait", "help"))
"""Verbs without an object."""
SECOND = frozenset(
    ("put", "give", "unlock", "open", "tie", "fill", "pour", "water", "light", "use", "take", "dig", "push", "pull")
)
"""Verbs that may have two objects."""
PREPOSITIONS = frozenset(
    ("with", "in", "into", "on", "onto", "to", "from", "at", "inside", "under", "behind", "over", "using", "through",
     "upon", "around", "against", "for", "by", "beneath", "off", "up", "down", "out")
)  # fmt: skip
"""Words between two objects, or before one."""
TWO_WAYS = {
    "unlock": "unlock X with Y",
    "put": "put X in Y",
    "give": "give X to Y",
    "tie": "tie X to Y",
    "fill": "fill X from Y",
    "pour": "pour X on Y",
    "water": "pour X on Y",
    "use": "use X on Y",
    "light": "light X with Y",
}
"""Verb -> how a command with two objects is written."""
