"""Commands of interactive fiction are read as players and models write them."""

from __future__ import annotations

import pytest

from acgym.envs.world.adventure.parse import Command, read_command


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("take lamp", Command("take", ("lamp",))),
        ("get the lamp.", Command("take", ("lamp",))),
        ("Pick up the brass lamp", Command("take", ("brass", "lamp"))),
        ("pick the lamp up", Command("take", ("lamp",))),
        ("**Action:** `Take the lamp`", Command("take", ("lamp",))),
        ('Action: "take lamp"', Command("take", ("lamp",))),
        ("> take lamp", Command("take", ("lamp",))),
        ("1. take lamp", Command("take", ("lamp",))),
        ("I take the lamp.", Command("take", ("lamp",))),
        ("I will now take the lamp and then go north.", Command("take", ("lamp",))),
        ("Let me take the lamp", Command("take", ("lamp",))),
        ("take the lamp. go north.", Command("take", ("lamp",))),
        ("take lamp, then go north", Command("take", ("lamp",))),
        ("It is dark here. Take the lamp.", Command("take", ("lamp",))),
        ("I should light it.\nAction: take lamp\nThen I go on.", Command("take", ("lamp",))),
        ("Action: look\nAction: n", Command("go", ("north",))),
        ("n", Command("go", ("north",))),
        ("Go North", Command("go", ("north",))),
        ("walk to the north", Command("go", ("north",))),
        ("head upstairs", Command("go", ("up",))),
        ("go to the boat landing", Command("go", ("boat", "landing"))),
        ("go through the iron door", Command("go", ("iron", "door"))),
        ("climb up the ivy", Command("climb", ("ivy",))),
        ("look", Command("look")),
        ("look around", Command("look")),
        ("l", Command("look")),
        ("inventory", Command("inventory")),
        ("check inventory", Command("inventory")),
        ("x desk", Command("examine", ("desk",))),
        ("look at the desk", Command("examine", ("desk",))),
        ("look under the desk", Command("examine", ("desk",))),
        ("search behind the desk", Command("examine", ("desk",))),
        ("read torn envelope", Command("examine", ("torn", "envelope"))),
        ("unlock the nail-studded door with the key", Command("unlock", ("nail", "studded", "door"), ("key",), "with")),
        ("open door with brass key", Command("open", ("door",), ("brass", "key"), "with")),
        ("open the chest", Command("open", ("chest",))),
        ("put the egg in the pan", Command("put", ("egg",), ("pan",), "in")),
        ("insert fuse into machine", Command("put", ("fuse",), ("machine",), "into")),
        ("put on the coat", Command("wear", ("coat",))),
        ("put the coat on", Command("wear", ("coat",))),
        ("put coat on the hook", Command("put", ("coat",), ("hook",), "on")),
        ("take off the coat", Command("remove", ("coat",))),
        ("put down the egg", Command("drop", ("egg",))),
        ("give egg to the cook", Command("give", ("egg",), ("cook",), "to")),
        ("give the cook the egg", Command("give", ("cook", "egg"))),
        ("ask the cook about the key", Command("ask", ("cook",), ("key",), "about")),
        ("talk to the cook", Command("talk", ("cook",))),
        ("say moonlight to the tube", Command("say", ("moonlight",), ("tube",), "to")),
        ('say "moonlight"', Command("say", ("moonlight",))),
        ("set the safe to 472", Command("set", ("safe",), ("472",), "to")),
        ("turn dial to 472", Command("set", ("dial",), ("472",), "to")),
        ("enter code 472 on safe", Command("set", ("472",), ("safe",), "on")),
        ("turn on the lamp", Command("light", ("lamp",))),
        ("turn the lamp off", Command("douse", ("lamp",))),
        ("light lamp with match", Command("light", ("lamp",), ("match",), "with")),
        ("turn the crank", Command("turn", ("crank",))),
        ("pull down the red lever", Command("pull", ("red", "lever"))),
        ("press button", Command("push", ("button",))),
        ("tie the rope to the ring", Command("tie", ("rope",), ("ring",), "to")),
        ("fill the can from the tap", Command("fill", ("can",), ("tap",), "from")),
        ("pour water on the plant", Command("pour", ("water",), ("plant",), "on")),
        ("water the plant", Command("water", ("plant",))),
        ("dig", Command("dig")),
        ("dig with the spade", Command("dig", ("spade",))),
        ("use the rope on the ring", Command("use", ("rope",), ("ring",), "on")),
        ("feed the dog", Command("give", ("dog",))),
    ],
)
def test_commands_are_read_generously(said, read):
    assert read_command(said) == read


@pytest.mark.parametrize("said", ["", "Action:", "hmm", "???", "I wonder what the keeper meant by that", "x" * 500])
def test_what_is_no_command_is_not_read(said):
    assert read_command(said) is None


def test_long_replies_are_read_in_linear_time():
    for text in ("take " * 4_000, "and " * 5_000, ". " * 9_000, "i will " * 2_800, "\n" * 19_000, "action: " * 2_400):
        read_command(text)
