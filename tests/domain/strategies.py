"""Series and rules for the property tests, as unusual as the standard allows."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice

from hypothesis import strategies as st

from planner.domain.recurrence.pattern import Pattern
from planner.domain.recurrence.rrule import WEEKDAYS, parse_rule
from planner.domain.recurrence.series import Override, Series
from planner.domain.zones import to_utc

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "America/Santiago",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Casablanca",
    "UTC",
]

zones = st.sampled_from(ZONES)

# Days on which the clocks of a zone change, or with something rare in the calendar.
NOTABLE = [
    date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31), date(2012, 4, 1), date(2012, 2, 29),
    date(2019, 4, 7), date(2019, 9, 8), date(2019, 10, 6), date(2020, 12, 31), date(2021, 1, 1),
    date(2024, 2, 29), date(2024, 3, 10), date(2024, 3, 31), date(2024, 4, 7), date(2024, 10, 27),
    date(2024, 11, 3), date(2024, 3, 17), date(2024, 4, 14), date(2026, 12, 28), date(2000, 2, 29),
]  # fmt: skip

days = st.one_of(st.dates(date(1972, 1, 1), date(2036, 12, 31)), st.sampled_from(NOTABLE))
locals_ = st.builds(
    lambda day, hour, minute: datetime(day.year, day.month, day.day, hour, minute),
    days,
    st.sampled_from([0, 0, 1, 1, 2, 2, 3, 9, 12, 23]) | st.integers(0, 23),
    st.sampled_from([0, 0, 15, 30, 59]),
)


def numbers(least: int, most: int, *, negative: bool = False, size: int = 4) -> st.SearchStrategy[str]:
    value = st.integers(least, most)
    if negative:
        value = value | value.map(lambda number: -number)
    return st.lists(value, min_size=1, max_size=size, unique=True).map(lambda values: ",".join(map(str, values)))


def _weekdays(ordinals: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    value = st.tuples(ordinals, st.sampled_from(WEEKDAYS)).map(lambda pair: f"{pair[0] or ''}{pair[1]}")
    return st.lists(value, min_size=1, max_size=5, unique=True).map(",".join)


plain_weekdays = _weekdays(st.just(0))
month_weekdays = _weekdays(st.sampled_from([0, 1, 2, 3, 4, 5, -1, -2, -5]))
year_weekdays = _weekdays(st.sampled_from([0, 1, 2, 5, 20, 52, 53, -1, -2, -20, -53]))
intervals = st.sampled_from([1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 24, 25, 48, 100]) | st.integers(1, 40)


class Parts(dict[str, str]):
    """The parts of a rule, drawn one after the other."""

    def __init__(self, draw: st.DrawFn) -> None:
        super().__init__()
        self._draw = draw

    def maybe(self, name: str, values: st.SearchStrategy[str], *, one_in: int = 3) -> None:
        """Give the rule this part in one of so many cases."""
        if self._draw(st.integers(1, one_in)) == 1:
            self[name] = self._draw(values)


@st.composite
def rules(draw: st.DrawFn, *, all_day: bool = False) -> str:
    """Draw a rule without an end."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"] + ([] if all_day else ["HOURLY"])))
    parts = Parts(draw)
    parts["FREQ"] = frequency
    interval = draw(intervals)
    if interval > 1:
        parts["INTERVAL"] = str(interval)
    draw_days(parts, frequency)
    if not all_day:
        draw_times(parts, frequency)
    if any(part.startswith("BY") for part in parts):
        parts.maybe("BYSETPOS", numbers(1, 6, negative=True, size=3), one_in=4)
    parts.maybe("WKST", st.sampled_from(WEEKDAYS), one_in=3)
    has_plain_days = not any(character.isdigit() for character in parts.get("BYDAY", ""))
    if has_plain_days and not {"BYYEARDAY", "BYMONTHDAY"} <= parts.keys():
        parts.maybe("SKIP", st.sampled_from(["OMIT", "BACKWARD", "FORWARD"]), one_in=4)
        if "SKIP" in parts:
            parts["RSCALE"] = "GREGORIAN"
    return ";".join(f"{name}={value}" for name, value in parts.items())


def draw_days(parts: Parts, frequency: str) -> None:
    """Draw what limits a rule to some days, of those parts that may go with its frequency."""
    parts.maybe("BYMONTH", numbers(1, 12), one_in=4)
    if frequency == "YEARLY":
        week_numbers = numbers(1, 53, negative=True) | st.sampled_from(["1", "-1", "52", "53", "-52", "-53"])
        parts.maybe("BYWEEKNO", week_numbers, one_in=4)
        year_days = numbers(1, 366, negative=True) | st.sampled_from(["366", "-366", "1", "-1"])
        parts.maybe("BYYEARDAY", year_days, one_in=5)
    elif frequency == "HOURLY":
        parts.maybe("BYYEARDAY", numbers(1, 366, negative=True, size=20), one_in=12)
    if frequency != "WEEKLY":
        parts.maybe("BYMONTHDAY", numbers(1, 31, negative=True, size=6), one_in=4)
    if frequency == "MONTHLY":
        parts.maybe("BYDAY", month_weekdays)
    elif frequency == "YEARLY" and "BYWEEKNO" not in parts:
        parts.maybe("BYDAY", month_weekdays if "BYMONTH" in parts else year_weekdays)
    else:
        parts.maybe("BYDAY", plain_weekdays, one_in=2)


def draw_times(parts: Parts, frequency: str) -> None:
    """Draw what adds times of day to a rule, or limits it to some."""
    parts.maybe("BYHOUR", numbers(0, 23), one_in=5)
    parts.maybe("BYMINUTE", numbers(0, 59, size=3), one_in=6)
    if frequency != "HOURLY":
        # Otherwise there might be too many occurrences a day.
        parts.maybe("BYSECOND", numbers(0, 59, size=2), one_in=15)


# Up to how many days after the start the tests look. The slow implementations must be able to do it.
REACH = {"YEARLY": 7000, "MONTHLY": 2500, "WEEKLY": 900, "DAILY": 500, "HOURLY": 40}


def reach(text: str) -> int:
    rule = parse_rule(text)
    return min(REACH[rule.frequency.name] * max(1, rule.interval // 4), 9000)


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

simple_rules = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR",
        "FREQ=MONTHLY;BYMONTHDAY=15",
        "FREQ=MONTHLY;BYDAY=-1SU",
        "FREQ=YEARLY",
        "FREQ=HOURLY",
        "FREQ=HOURLY;INTERVAL=2;BYMINUTE=0,30",
    ]
)


@st.composite
def series(draw: st.DrawFn, *, rule: st.SearchStrategy[str] | None = None, all_day: bool | None = None) -> Series:
    """Draw a valid series with a rule that may end, and with rdates, exdates and overrides."""
    if all_day is None:
        all_day = draw(st.booleans())
    zone = draw(zones)
    start: date = draw(days if all_day else locals_)
    text = draw(rule if rule is not None else simple_rules | rules(all_day=all_day))
    if all_day and "HOURLY" in text:
        text = text.replace("HOURLY", "DAILY")
    pattern = Pattern(parse_rule(text), start, zone)
    some = list(islice(pattern.iterate_from(start), 25))
    if some and draw(st.integers(1, 4)) > 1:
        start = some[0]
    if not some:
        text = "FREQ=WEEKLY"
    ids = sorted({start, *some})
    nearby = st.tuples(st.sampled_from(ids), st.sampled_from([-DAY, DAY, 2 * DAY, 7 * DAY, HOUR, 30 * MINUTE])).map(
        sum_
    )
    if all_day:
        nearby = st.tuples(st.sampled_from(ids), st.integers(-3, 9)).map(lambda pair: pair[0] + DAY * pair[1])
    some_ids = st.lists(st.sampled_from(ids), max_size=4, unique=True)
    text += draw(ends(start, zone, nearby, all_day))
    rdates = frozenset(draw(st.lists(nearby, max_size=3))) if draw(st.booleans()) else frozenset[date]()
    known = st.one_of(
        some_ids, st.lists(nearby, max_size=1), st.lists(st.sampled_from(sorted({*ids, *rdates})), max_size=3)
    )
    exdates = frozenset(draw(known)) if draw(st.booleans()) else frozenset[date]()
    overrides = draw(
        st.dictionaries(st.sampled_from(sorted({*ids, *rdates})) | nearby, patches(nearby, all_day), max_size=3)
    )
    lengths = [None, DAY, 2 * DAY, 40 * DAY] if all_day else [None, 30 * MINUTE, HOUR, 25 * HOUR, 3 * DAY]
    ranges = draw(ranges_from(ids, all_day)) if draw(st.integers(0, 3)) == 0 else {}
    return Series(start, draw(st.sampled_from(lengths)), zone, text, rdates, exdates, overrides, ranges=ranges)


@st.composite
def ranges_from(draw: st.DrawFn, ids: list[date], all_day: bool) -> dict[date, Override]:
    """Draw what differs from one occurrence on, up to the next range."""
    moves = [-2 * DAY, DAY, 9 * DAY] if all_day else [-DAY, -HOUR, 4 * HOUR, 30 * HOUR]
    return {
        recurrence_id: replace(
            draw(patches(st.sampled_from(moves).map(recurrence_id.__add__), all_day)), excluded=False
        )
        for recurrence_id in draw(st.lists(st.sampled_from(ids), max_size=2, unique=True))
    }


@st.composite
def ends(draw: st.DrawFn, start: date, zone: str, nearby: st.SearchStrategy[date], all_day: bool) -> str:
    """Draw the end of a rule: nothing, a COUNT, or an UNTIL in any of its forms."""
    kind = draw(st.sampled_from(["", "", "COUNT", "UNTIL", "UNTIL-LOCAL", "UNTIL-DATE"]))
    if kind == "":
        return ""
    if kind == "COUNT":
        return f";COUNT={draw(st.integers(1, 20))}"
    until = max(start, draw(nearby))
    if all_day or kind == "UNTIL-DATE":
        return f";UNTIL={until:%Y%m%d}"
    if kind == "UNTIL-LOCAL":
        return f";UNTIL={until:%Y%m%dT%H%M%S}"
    near = draw(st.sampled_from([-HOUR, -MINUTE, 0 * HOUR, HOUR]))
    moment = max(to_utc(until, zone) + near, to_utc(start, zone))
    return f";UNTIL={moment:%Y%m%dT%H%M%SZ}"


def sum_(pair: tuple[date, timedelta]) -> date:
    return pair[0] + pair[1]


@st.composite
def patches(draw: st.DrawFn, nearby: st.SearchStrategy[date], all_day: bool) -> Override:
    """Draw an override; rarely, its occurrence is of the other kind than the series."""
    start, time_zone = draw(st.none() | nearby), None
    takes_days = all_day
    if start is not None and draw(st.integers(0, 4)) == 0:
        takes_days = isinstance(start, datetime)
        start = start.date() if isinstance(start, datetime) else datetime.combine(start, time(2, 30))
        time_zone = None if takes_days else draw(zones)
    return Override(
        start=start,
        duration=draw(st.sampled_from([None, DAY, 3 * DAY] if takes_days else [None, 15 * MINUTE, 5 * HOUR, 3 * DAY])),
        excluded=draw(st.sampled_from([False, False, True])),
        fields=draw(st.sampled_from([{}, {"title": "Another"}])),
        time_zone=time_zone,
    )
