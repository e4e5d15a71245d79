"""Where items stand among the hours of a day, and how wide they are: those that overlap stand side by side."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from routes.pages.calendar_views.calendar_items import CalendarItem

# The smallest height of an item, so that its title can be read.
_LEAST = timedelta(minutes=30)
_STEP = 5
# Narrower items could not be read: more of them at one time lie on top of each other.
MAX_COLUMNS = 8


class Block(NamedTuple):
    """An item among the hours of a day: its first minute within its hour, and its height in hours and minutes.

    Of `columns` at this time it has the one with the number `column`, from 0.
    """

    item: CalendarItem
    minute: int
    hours: int
    minutes: int
    column: int
    columns: int


class _Slot(NamedTuple):
    begin: datetime
    end: datetime
    item: CalendarItem


def lay_out_day(day: date, items: Iterable[CalendarItem]) -> dict[int, list[Block]]:
    """Return the blocks of the items that are on a day at some hours, by the hour in which they begin there."""
    midnight = datetime.combine(day, time())
    slots = [_find_slot(item, midnight) for item in items if item.first <= day <= item.last and not item.is_long]
    blocks: dict[int, list[Block]] = defaultdict(list)
    for group in _group(sorted(slots, key=_in_order)):
        columns = _assign_columns(group)
        count = max(columns) + 1
        for slot, column in zip(group, columns, strict=True):
            length = int((slot.end - slot.begin).total_seconds()) // 60
            minute = slot.begin.minute // _STEP * _STEP
            length = max(_STEP, (slot.begin.minute - minute + length + _STEP - 1) // _STEP * _STEP)
            blocks[slot.begin.hour].append(Block(slot.item, minute, length // 60, length % 60, column, count))
    return blocks


def _find_slot(item: CalendarItem, midnight: datetime) -> _Slot:
    """Return the part of an item that is on the day of this midnight; it is not shorter than can be read."""
    after = midnight + timedelta(days=1)
    begin = min(max(item.start, midnight), after - _LEAST)
    return _Slot(begin, min(max(item.end, begin + _LEAST), after), item)


def _in_order(slot: _Slot) -> tuple[datetime, timedelta, str]:
    return slot.begin, slot.begin - slot.end, slot.item.title


def _group(slots: Iterable[_Slot]) -> list[list[_Slot]]:
    """Return the slots, which are in order, in groups that do not overlap with each other."""
    groups: list[list[_Slot]] = []
    for slot in slots:
        if groups and any(other.end > slot.begin for other in groups[-1]):
            groups[-1].append(slot)
        else:
            groups.append([slot])
    return groups


def _assign_columns(group: list[_Slot]) -> list[int]:
    """Return the column of each slot: the first one that is free at its time."""
    ends: list[datetime] = []
    columns = []
    for slot in group:
        column = next((n for n, end in enumerate(ends) if end <= slot.begin), len(ends))
        if column == MAX_COLUMNS:
            column = ends.index(min(ends))
        ends[column : column + 1] = [slot.end]
        columns.append(column)
    return columns
