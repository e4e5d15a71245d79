"""Files that mix what programs write at random: no entry is lost, and each has the occurrences of the standards."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.events.event import Event
from planner.domain.ics.reading.entry_times import FloatingZone
from planner.domain.recurrence.documents import series_from_event
from planner.domain.recurrence.occurrences import list_occurrences
from planner.services.files.import_drafts import ImportDraft
from planner.services.files.import_worker import read_batches
from tests.domain.ics.samples import file
from tests.services.files.generated.entries import DAY, HEAD, NOISE, REACH, Entry, Instance, Writer, entries
from tests.services.files.generated.expected import Row, list_expected, list_ids

STAMP = datetime(2024, 1, 1, tzinfo=UTC)
UNREADABLE = {"a line that somebody has broken", "X-FOO : bar", "RDATE:tomorrow"}
OWN = {"revision": 1, "created_at": STAMP, "updated_at": STAMP}


@st.composite
def whole_files(draw: st.DrawFn) -> tuple[list[Entry], bytes]:
    """Draw some entries, and a file with them whose lines are folded anywhere."""
    chance = draw(st.randoms(use_true_random=False))
    found = [_add_instances(draw(entries(f"{number}@x")), chance) for number in range(draw(st.integers(1, 3)))]
    text = file(*("\r\n".join([*Writer(entry, _toss(chance)).write(), ""]) for entry in found), head=HEAD)
    return found, _fold(text.encode(), chance)


def _toss(chance: random.Random) -> Iterator[bool]:
    while True:
        yield chance.random() < 0.3


def _add_instances(entry: Entry, chance: random.Random) -> Entry:
    """Give some occurrences of an entry an entry of their own, at another time."""
    ids = list_ids(entry)
    chosen = chance.sample(ids, min(len(ids), chance.choice([0, 0, 1, 2])))
    instances = [_draw_instance(entry, id, number, chance) for number, id in enumerate(chosen)]
    return replace(entry, instances=tuple(instances))


def _draw_instance(entry: Entry, id: date, number: int, chance: random.Random) -> Instance:
    shift = chance.choice([0, 1, -1, 2] if entry.is_all_day else [0, 0.5, -1, 1.25]) * DAY
    kind = chance.choice(["same", "same", "other", "following"])
    start = id + shift
    if kind == "other":
        start = start.date() if isinstance(start, datetime) else datetime(start.year, start.month, start.day, 6)
    # A period has a length of its own, of which the entry for all that follow says nothing.
    is_following = kind == "following" and not entry.periods
    return Instance(id, start, chance.randint(1, 3), f"Instance {number}", is_following)


def _fold(content: bytes, chance: random.Random) -> bytes:
    """Fold some lines between any two octets (RFC 5545 §3.1)."""
    folded = []
    for line in content.split(b"\r\n"):
        at = chance.randint(1, len(line) - 1) if len(line) > 60 else 0
        folded.append(line[:at] + b"\r\n " + line[at:] if at else line)
    return b"\r\n".join(folded)


def read(content: bytes) -> tuple[dict[str, ImportDraft], dict[str | None, str], dict[str | None, str]]:
    """Return the drafts, the failures and the warnings of a file by UID."""
    batches = list(read_batches(content, "utf-8", FloatingZone()))
    drafts = {draft.uid: draft for batch in batches for draft in batch.drafts}
    failures = {failure.uid: failure.reason for batch in batches for failure in batch.failures}
    return drafts, failures, {warning.uid: warning.reason for batch in batches for warning in batch.warnings}


def list_rows(draft: ImportDraft, start: date) -> list[Row]:
    """Return the occurrences of a draft in the time in which it is looked at."""
    stored = Event.from_stored(draft.content | OWN)
    series = series_from_event(stored)
    if not stored.repeats and not stored.all_day:
        assert stored.ends is not None
        ends = stored.begins if stored.end is None else stored.ends
        return [(stored.begins, ends, stored.title)]
    low = datetime(start.year, start.month, start.day, tzinfo=UTC) - 30 * DAY
    found = list_occurrences(series, low, low + REACH + 60 * DAY, 1_000).items
    rows: list[Row] = []
    for item in found:
        if item.recurrence_id <= start + REACH:
            override = series.find_override(item.recurrence_id)
            title = stored.title if override is None else override.fields.get("title", stored.title)
            rows.append((item.start, item.end, str(title)))
    return sorted(rows, key=str)


@given(whole_files())
def test_each_entry_of_a_generated_file_has_the_occurrences_of_the_standards(found: tuple[list[Entry], bytes]) -> None:
    written, content = found
    drafts, failures, _ = read(content)
    assert failures == {}
    for entry in written:
        assert list_rows(drafts[entry.uid], entry.start) == list_expected(entry)


@given(whole_files(), st.randoms(use_true_random=False), st.integers(1, 8))
def test_no_entry_of_a_generated_file_that_was_damaged_is_lost_without_its_name(
    found: tuple[list[Entry], bytes], chance: random.Random, count: int
) -> None:
    written, content = found
    for _ in range(count):
        at = chance.randrange(2, len(content))
        octets = chance.choice([b"\xe9", b"\r\n", b"\0", b":", b";", b'"', b" ", chance.choice(NOISE).encode()])
        line_start = content.rfind(b"\r\n", 0, at) + 2
        # What is damaged is not what divides entries, or names them; and no line becomes a part of such a line.
        is_name = content[line_start : at + 9].startswith((b"BEGIN", b"END", b"UID"))
        if line_start > 1 and not is_name and not (octets == b" " and at == line_start):
            content = content[:at] + octets + content[at:]
    drafts, failures, _ = read(content)
    lost = {entry.uid for entry in written} - drafts.keys() - failures.keys()
    assert not lost


@given(st.data())
def test_what_is_imported_otherwise_than_it_is_written_has_a_warning(data: st.DataObject) -> None:
    entry = data.draw(entries("a"))
    lines = Writer(entry, _toss(random.Random(1))).write()
    drafts, _, warnings = read(file("\r\n".join([*lines, ""]), head=HEAD).encode())
    has_wrong_end = entry.length is not None and entry.length.exact < timedelta(0)
    has_two_ends = any("COUNT" in rule and "UNTIL" in rule for rule in entry.rrules)
    if has_wrong_end or has_two_ends or entry.exrules or not UNREADABLE.isdisjoint(entry.noise):
        assert "a" in warnings
    assert drafts.keys() == {"a"}
