"""Values as people say them, and voices: each read back by rules of its own, and nothing that is said is misspelt."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest

from acgym.draw import Draw
from acgym.envs.spoken import KINDS, MONTHS, WORDS, spoken, today, today_line
from acgym.envs.voices import Voice, mistyped, voices

DAY = date(2031, 5, 14)  # a Wednesday


def drawn(kind, count=300):
    return [spoken(Draw(np.random.default_rng(seed)), kind, DAY) for seed in range(count)]


def number(word):
    return WORDS.index(word) if word in WORDS else int(word.replace(",", ""))


def test_the_day_is_told():
    assert today_line(DAY) == "Today is Wednesday, 14 May 2031."
    for seed in range(300):
        day = today(Draw(np.random.default_rng(seed)))
        assert 3 <= day.month <= 10


@pytest.mark.parametrize("kind", ["date", "date:past", "day", "day:past"])
def test_a_day_means_what_it_says(kind):
    for said, value in drawn(kind):
        then = date.fromisoformat(value)
        assert then.year == DAY.year
        assert (then < DAY) == ("past" in kind)
        named = [month for month in MONTHS if month in said]
        if named:
            assert then.month == MONTHS.index(named[0]) + 1
            assert then.day == int(re.search(r"\d+", said)[0])
            days = re.match(r"(?:on )?(\w+day)", said)
            assert days is None or then.strftime("%A") == days[1]
            continue
        apart = abs((then - DAY).days)
        known = {"tomorrow": 1, "yesterday": 1, "the day after tomorrow": 2, "the day before yesterday": 2}
        weeks = re.search(r"(\w+) weeks?", said)
        days = re.search(r"(\w+) days", said)
        if weeks:
            assert apart == 7 * (1 if weeks[1] == "a" else number(weeks[1]))
        elif days:
            assert apart == number(days[1])
        else:
            assert apart == known[said]


def test_a_time_means_what_it_says():
    for said, value in drawn("time:0:23", 600):
        hour, minute = map(int, value.split(":"))
        clock = re.match(r"(\d+)(?::(\d\d))?(?: ([ap]m))?$", said)
        if clock:
            shown = int(clock[1]) % 12 + (12 if clock[3] == "pm" else 0) if clock[3] else int(clock[1])
            assert (shown, int(clock[2] or 0)) == (hour, minute)
            continue
        if said == "noon":
            assert value == "12:00"
            continue
        words = said.split()
        at = number(words[words.index("o'clock") - 1] if "o'clock" in words else words[words.index("in") - 1])
        past = {"half": 30, "a": 15 if "past" in words else -15}.get(words[0], 0)
        assert (at * 60 + past - hour * 60 - minute) % 720 == 0
        part = said.rpartition(" ")[2]
        assert part == ("morning" if hour < 12 else "afternoon" if hour < 18 else "evening")


def test_numbers_and_lengths_mean_what_they_say():
    assert all(number(said) == value and 2 <= value <= 1500 for said, value in drawn("int:2:1500"))
    assert all(float(said) == value for said, value in drawn("num:0.5:20:0.5"))
    assert {value % 5 for _, value in drawn("int:10:40:5")} == {0}
    for said, value in drawn("minutes:15:240:15"):
        found = re.fullmatch(r"(\d+) minutes", said)
        if found:
            assert int(found[1]) == value
            continue
        known = {"half an hour": 30, "an hour": 60, "an hour and a half": 90, "an hour and a quarter": 75}
        parts = re.fullmatch(r"(\w+)( and a half)? hours(?: (\d+) minutes)?", said)
        meant = known.get(said) or number(parts[1]) * 60 + (30 if parts[2] else 0) + int(parts[3] or 0)
        assert meant == value, said


def test_codes_and_names_are_said_as_they_are_meant():
    assert all(re.fullmatch(r"RB-[A-HJ-NP-Z]{2}\d{3}", value) for _, value in drawn("code:RB-&&###"))
    for kind in ("person", "first", "email", "code:A#"):
        assert all(said == value for said, value in drawn(kind, 20))
    assert all(value == said.replace(" ", "") for said, value in drawn("phone", 20))
    assert all(re.fullmatch(r"20\d\d-\d\d", value) for _, value in drawn("month", 20))
    assert all(re.fullmatch(r"2031-\d\d-\d\dT\d\d:\d\d", value) for _, value in drawn("datetime", 20))
    assert {kind.split(":")[0] for kind in KINDS} >= {"date", "day", "time"}


def test_there_are_twenty_voices_and_none_is_in_both_splits():
    names = {split: {voice.name for voice in voices(split)} for split in ("eval", "train")}
    assert not names["eval"] & names["train"]
    assert len(names["eval"] | names["train"]) >= 20
    for split in ("eval", "train"):
        assert {voice.form for voice in voices(split)} == {"do", "say", "short"}
    said = {split: {text for v in voices(split) for text in (*v.before, *v.after) if len(text) > 12} for split in names}
    assert not said["eval"] & said["train"]


@pytest.mark.parametrize("voice", [*voices("eval"), *voices("train")], ids=lambda voice: voice.name)
def test_a_voice_keeps_the_values(voice):
    for seed in range(100):
        pieces = ["book a table for ", "FOUR people", " at the usual place on ", "14 May", ""]
        wrong = (3, "15 May") if voice.changes_mind else None
        text = voice.dress(Draw(np.random.default_rng(seed)), pieces, wrong)
        assert "FOUR people" in text
        assert "14 May" in text
        assert text.find("15 May") < text.rfind("14 May") if wrong and "not 15 May" not in text else True


def test_a_slip_leaves_a_word_readable():
    for seed in range(200):
        word = mistyped(Draw(np.random.default_rng(seed)), "tomorrow", 1.0)
        assert word[0] == "t"
        assert 7 <= len(word) <= 9
    assert mistyped(Draw(np.random.default_rng(0)), "Anna T-12 now", 1.0) == "Anna T-12 now"


def test_a_sentence_that_begins_with_a_value_begins_with_a_capital_letter():
    draw = Draw(np.random.default_rng(0))
    voice = Voice("plain", "eval", "say", ("Hello. ",), ("",), frozenset())
    assert voice.dress(draw, ["", "with no changes", ", please."]) == "Hello. With no changes, please."
    assert voice.dress(draw, ["", "a.b@mail.example", " too."]) == "Hello. a.b@mail.example too."


def test_no_slip_turns_a_word_into_another_one():
    draw = Draw(np.random.default_rng(0))
    slips = {mistyped(draw, "there", share=1.0) for _ in range(200)}
    assert "three" not in slips
    assert len(slips) > 3
