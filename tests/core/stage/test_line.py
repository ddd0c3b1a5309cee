"""The visitors' line: places, bounds, one job a visitor, nothing for who left; the wall; the room's lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ImageError, StorageError, UsageError
from core.stage import room
from core.stage.line import GONE_S, KEPT_S, Line
from core.stage.wall import ENTRIES, PHOTO_BYTES, Wall


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_places_a_bound_and_one_answer_for_equal_questions() -> None:
    line = Line(3, Clock())
    told = [line.ask(f"v{number}", f"d{number}", lambda: "red") for number in range(4)]
    assert [each.state for each in told] == ["waiting"] * 3 + ["full"]
    assert [each.place for each in told[:3]] == [0, 1, 2] and told[2].seconds > told[0].seconds > 0 < told[
        3
    ].seconds
    assert line.ask("v1", "other", lambda: "blue").place == 1 and line.length == 3  # a visitor has one place
    while line.run_next():
        pass
    assert line.state("v0").answer == "red" and line.state("v1").answer == "blue"
    assert line.ask("late", "d0", lambda: pytest.fail("asked twice")).answer == "red"
    assert line.counts["refused"] == line.counts["cached"] == 1


def test_who_left_is_dropped_and_an_answer_waits_for_its_visitor_for_a_while() -> None:
    clock = Clock()
    line = Line(3, clock)
    line.ask("gone", "a", lambda: pytest.fail("nobody waits for this"))
    line.ask("here", "b", lambda: "b")
    clock.now += GONE_S - 1
    line.state("here")
    clock.now += 2
    assert line.run_next() and not line.run_next()
    assert line.state("gone").state == "none" and line.counts["left"] == 1
    clock.now += KEPT_S + 1
    assert line.state("here").state == "none"
    line.ask("quits", "c", lambda: pytest.fail("left"))
    line.leave("quits")
    assert not line.run_next()


def test_a_job_that_breaks_stops_nobody_behind_it() -> None:
    line = Line(3, Clock())

    def broken(error: Exception) -> None:
        raise error

    line.ask("a", "a", lambda: broken(ImageError("no picture")))
    line.ask("b", "b", lambda: broken(RuntimeError("a secret path")))
    line.ask("c", "c", lambda: "fine")
    while line.run_next():
        pass
    assert [line.state(each).state for each in "abc"] == ["failed", "failed", "done"]
    assert line.state("a").error == "no picture" and "secret" not in line.state("b").error
    assert line.ask("a", "a", lambda: "now").state == "waiting"  # what failed is not kept


def test_a_photo_is_on_the_wall_only_when_visitor_and_presenter_agree() -> None:
    wall = Wall()
    number = wall.add("ada", {"classes": []})
    assert wall.photo(number, waiting=True) is None
    assert not wall.offer("bob", number, b"jpeg") and not wall.offer("ada", number, b"x" * (PHOTO_BYTES + 1))
    assert wall.offer("ada", number, b"jpeg")
    assert wall.photo(number) is None and wall.photo(number, waiting=True) == b"jpeg"
    wall.let(number, True)
    assert wall.photo(number) == b"jpeg"
    wall.withdraw("ada", number)
    assert wall.photo(number, waiting=True) is None
    for _ in range(ENTRIES + 5):
        wall.add("ada", {})
    assert len(wall.entries()) == ENTRIES
    wall.reset()
    assert wall.entries() == [] and wall.resets == 1


def test_a_locked_room_opens_with_its_code_alone_and_a_damaged_lock_stays_locked(home: Path) -> None:
    assert not room.locked() and room.unlock("anything")
    with pytest.raises(UsageError, match="4 to 64"):
        room.lock("abc")
    room.lock("sesam")
    assert room.locked() and not room.unlock("Sesam") and room.locked()
    assert b"sesam" not in (home / room.FILE).read_bytes()
    assert room.unlock("sesam") and not room.locked()
    (home / room.FILE).write_text("{}")
    assert room.locked()
    with pytest.raises(StorageError, match="vitrine room --open"):
        room.unlock("sesam")
    room.open_()
    assert not room.locked()
