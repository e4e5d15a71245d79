"""Generated files through the API: each import answers, and says of each entry what became of it."""

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.files.generated.entries import DAY, REACH, Entry
from tests.services.files.generated.expected import list_expected
from tests.services.files.generated.test_generated_files import whole_files
from tests.services.files.test_importer import events, send
from tests.support.clients import Person, ok

FILES = 12


def draw_files() -> list[tuple[list[Entry], bytes]]:
    """Return some generated files, each with UIDs of its own."""
    found: list[tuple[list[Entry], bytes]] = []

    @settings(max_examples=FILES, database=None, suppress_health_check=list(HealthCheck))
    @given(whole_files(), st.booleans())
    def draw(drawn: tuple[list[Entry], bytes], has_stray_octet: bool) -> None:
        entries, content = drawn
        content = content.replace(b"@x", f"@{len(found)}".encode())
        found.append((entries, content.replace(b"SUMMARY:", b"SUMMARY:\xe9") if has_stray_octet else content))

    draw()
    return found


async def test_every_entry_of_a_file_is_imported_or_named_and_its_export_changes_nothing(ada: Person) -> None:
    files = draw_files()
    for number, (entries, content) in enumerate(files):
        result = ok(await send(ada, content))
        assert result["created"] + result["updated"] + result["unchanged"] == len(entries)
        assert result["failed"] == []
        uids = {event["uid"] for event in await events(ada)}
        assert {entry.uid.replace("@x", f"@{number}") for entry in entries} <= uids
    exported = (await ada.get("/events.ics")).content
    again = ok(await send(ada, exported))
    assert (again["created"], again["updated"], again["failed"]) == (0, 0, [])


async def test_the_occurrences_that_are_listed_are_those_of_the_standards(ada: Person) -> None:
    for number, (entries, content) in enumerate(draw_files()[:4]):
        ok(await send(ada, content.replace(b"SUMMARY:\xe9", b"SUMMARY:")))
        for entry in entries:
            low, high = entry.start - DAY, entry.start + REACH / 2
            window = f"from={low.isoformat()[:10]}&to={high.isoformat()[:10]}"
            uid = entry.uid.replace("@x", f"@{number}")
            listed = [item for item in await list_all(ada, window) if item["uid"] == uid]
            found = {(_parse(item["start"]), item["title"]) for item in listed}
            expected = {(start, title) for start, _, title in list_expected(entry)}
            assert _select(found, low, high) == _select(expected, low, high)


async def list_all(person: Person, window: str) -> list[Any]:
    """Return all pages of occurrences."""
    items, cursor = [], ""
    while True:
        page = ok(await person.get(f"/events/occurrences?{window}&limit=200{cursor}"))
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&cursor={page['next']}"


def _parse(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _select(found: set[tuple[date, str]], low: date, high: date) -> set[tuple[date, str]]:
    """Return what starts in the window, and not near its ends, where that depends on the time zone."""
    first, last = (low + DAY).toordinal(), (high - 2 * DAY).toordinal()
    return {pair for pair in found if first <= _to_utc_day(pair[0]).toordinal() < last}


def _to_utc_day(start: date) -> date:
    return start.astimezone(UTC) if isinstance(start, datetime) else start
