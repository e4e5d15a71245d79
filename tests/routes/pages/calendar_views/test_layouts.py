"""Where items stand: in the lines of a day, and among its hours."""

import re
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routes.pages.calendar_views.calendar_items import CalendarItem, build_item
from routes.pages.calendar_views.hour_layout import MAX_COLUMNS, Block, lay_out_day
from routes.pages.calendar_views.month_layout import lay_out_week

MONDAY = date(2026, 12, 7)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]
NINE = datetime.fromisoformat("2026-12-07T09:00")
STYLE = (files("routes.pages") / "assets" / "style.css").read_text()


def item(start: datetime, length: timedelta, title: str = "Walk", color: str | None = None) -> CalendarItem:
    body: dict[str, Any] = {
        "id": "1",
        "title": title,
        "status": "confirmed",
        "color": color,
        "location": None,
        "recurrence_id": None,
    }
    body |= {"all_day": False, "time_zone": "UTC", "end_time_zone": None, "creator": "1", "revision": 1}
    times = {"start": f"{start.isoformat()}Z", "end": f"{(start + length).isoformat()}Z" if length else None}
    return build_item(body | times, "UTC", "1")


STARTS = st.integers(-6 * 24 * 60, 9 * 24 * 60).map(lambda minutes: NINE + timedelta(minutes=minutes, seconds=7))
HOURS, DAYS = st.integers(0, 5 * 60), st.integers(0, 9 * 24 * 60)
ITEMS = st.lists(st.builds(item, STARTS, st.one_of(HOURS, DAYS).map(lambda minutes: timedelta(minutes=minutes))))


@given(ITEMS)
def test_every_item_is_on_each_of_its_days_and_bars_keep_their_line(items: list[CalendarItem]) -> None:
    lanes: dict[int, set[int]] = {}
    for day in lay_out_week(WEEK, items, None):
        assert sorted(id(line.item) for line in day.lines) == sorted(
            id(item) for item in items if item.first <= day.day <= item.last
        )
        bars = [line.lane for line in day.lines if line.lane]
        assert len(bars) == len(set(bars))
        for line in day.lines:
            assert 1 <= line.number <= line.total
            if line.total > 1:
                lanes.setdefault(id(line.item), set()).add(line.lane)
    assert all(len(lane) == 1 and 0 not in lane for lane in lanes.values())


@given(ITEMS, st.integers(2, 6))
def test_a_day_shows_no_more_lines_than_it_has_room_for_and_counts_the_rest(
    items: list[CalendarItem], room: int
) -> None:
    for day, whole in zip(lay_out_week(WEEK, items, room), lay_out_week(WEEK, items, None), strict=True):
        assert len(day.lines) + day.hidden == len(whole.lines)
        assert len(day.lines) + bool(day.hidden) <= room
        assert all(line.lane < room or not day.hidden for line in day.lines)


@given(ITEMS)
def test_items_at_the_same_time_are_side_by_side(items: list[CalendarItem]) -> None:
    blocks = [(hour, block) for hour, found in lay_out_day(MONDAY, items).items() for block in found]
    shown = [item for item in items if item.first <= MONDAY <= item.last and not item.is_long]
    assert sorted(id(block.item) for _, block in blocks) == sorted(map(id, shown))
    for number, one in enumerate(blocks):
        for other in blocks[:number]:
            (begin, end), (low, high) = minutes_of(*one), minutes_of(*other)
            # A step is five minutes: what follows within one may touch.
            if min(end, high) - max(begin, low) > 5 and one[1].columns < MAX_COLUMNS:
                assert one[1].column != other[1].column
    for hour, block in blocks:
        assert 0 <= block.column < block.columns <= MAX_COLUMNS
        assert minutes_of(hour, block)[1] <= 24 * 60


def minutes_of(hour: int, block: Block) -> tuple[int, int]:
    begin = hour * 60 + block.minute
    return begin, begin + block.hours * 60 + block.minutes


def test_more_items_at_one_time_than_can_be_read_lie_on_top_of_each_other() -> None:
    crowd = [item(NINE, timedelta(hours=1), f"Walk {n}") for n in range(20)]
    (blocks,) = lay_out_day(MONDAY, crowd).values()
    assert {block.columns for block in blocks} == {MAX_COLUMNS}


def test_items_that_differ_in_colour_only_are_in_some_order() -> None:
    start, length = NINE, timedelta(hours=1)
    same = [item(start, length, color=color) for color in (None, "teal", None, "#aabbcc")]
    assert len(lay_out_day(MONDAY, same)[9]) == 4
    assert len(lay_out_week(WEEK, same)[0].lines) == 4


def test_the_style_sheet_has_a_class_for_every_place() -> None:
    rules = set(re.findall(r"\.((?:at|m|h|of|lane)\d+) \{", STYLE))
    steps = range(5, 60, 5)
    wanted = {f"at{n}" for n in steps} | {f"m{n}" for n in steps} | {f"h{n}" for n in range(1, 25)}
    wanted |= {f"of{n}" for n in range(2, MAX_COLUMNS + 1)} | {f"lane{n}" for n in range(1, MAX_COLUMNS)}
    assert wanted <= rules
