"""Records in JSON, found and compared."""

from __future__ import annotations

import time

from acgym.scorers.records import read_records, record_marks

WANTED = [{"id": 1, "name": "a", "paid": True, "n": 12}, {"id": 2, "name": "b", "paid": False, "n": 0}]


def test_records_are_found_in_any_wrapping() -> None:
    said = '[{"id": 1, "n": {"x": 2}}, {"id": 2}]'
    assert read_records(said) == [{"id": 1, "n": {"x": 2}}, {"id": 2}]
    assert read_records(f'Sure!\n```json\n{{"rows": {said}}}\n```') == [{"id": 1, "n": {"x": 2}}, {"id": 2}]
    assert read_records('{"rows": [{"id": 1}, {"id": 2}, {"i') == [{"id": 1}, {"id": 2}]
    assert read_records("none") == []


def test_fields_are_exact_but_for_the_writing_of_numbers_and_spaces() -> None:
    assert record_marks('{"id": "1", "name": "a", "paid": true, "n": 12}', WANTED) == [False, None]
    assert record_marks('{"id": 1, "name": " a ", "paid": true, "n": 12.0}', WANTED) == [True, None]
    assert record_marks('{"id": 2, "name": "b", "paid": 0, "n": 0}', WANTED) == [None, False]
    assert record_marks('{"id": 2, "name": "b", "paid": false, "n": false}', WANTED) == [None, False]
    assert record_marks('{"id": 2, "name": "b", "paid": false, "n": 0, "x": 1}', WANTED) == [None, False]
    twice = '{"id": 1}{"id": 1, "name": "a", "paid": true, "n": 12}'
    assert record_marks(twice, WANTED) == [False, None]


def test_hostile_replies_are_read_in_time() -> None:
    started = time.process_time()
    for said in ('{"a":' * 4000, "{" * 20_000, '{"id": 1}' * 2000, '{"a": "' + "x" * 19_000, "[[{" * 6000):
        record_marks(said, WANTED)
    assert time.process_time() - started < 5
