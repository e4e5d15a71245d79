"""The migration after which transparency is a field, and alarms after the start are reminders."""

from database.connection import Database
from database.migrate import migrate, names
from tests.database.test_migrate import ORPHAN, PICNIC, READING, database, everything, fill, pytestmark

__all__ = ["database", "pytestmark"]


async def test_transparency_and_late_alarms_become_fields_and_on_the_way_back_lines(
    database: Database,
) -> None:
    await fill(database)
    await migrate(database)
    events, revisions = database.handle["events"], database.handle["revisions"]
    late = ["BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:PT9H", "END:VALARM"]
    free = {"lines": ["X-A:1", 'transp;X-B="a:b":transparent'], "alarms": [late]}
    overrides = [
        {"id": "2026-05-02T18:00:00", "fields": {"ics": {"lines": ["X-A:2"], "alarms": []}}},
        {"id": "2026-05-03T18:00:00", "fields": {"ics": {"lines": ["TRANSP:OPAQUE", "X-A:1"], "alarms": []}}},
        {"id": "2026-05-04T18:00:00", "fields": {"title": "Same ics"}},
    ]
    old = {"ics": free, "reminders": [10], "overrides": overrides}
    await migrate(database, back=len(names()) - 4)
    await events.update_one({"_id": READING}, {"$set": old})
    await events.update_one({"_id": PICNIC}, {"$set": {"ics": {"lines": ["TRANSP:TRANSPARENT"], "alarms": []}}})
    await revisions.insert_one({"_id": ORPHAN, "event": READING, "state": old})
    await migrate(database)
    reading, picnic = await events.find({}).sort("_id", 1).to_list(None)
    assert (reading["transparency"], reading["reminders"]) == ("transparent", [-540, 10])
    assert reading["ics"] == {"lines": ["X-A:1"], "alarms": [late]}
    assert [override["fields"] for override in reading["overrides"]] == [
        {"ics": {"lines": ["X-A:2"], "alarms": []}, "transparency": "opaque", "reminders": [10]},
        {"ics": {"lines": ["X-A:1"], "alarms": []}, "transparency": "opaque", "reminders": [10]},
        {"title": "Same ics"},
    ]
    assert picnic["transparency"] == "transparent" and "ics" not in picnic
    (revision,) = await revisions.find({}).to_list(None)
    state = revision["state"]
    assert {name: state[name] for name in old} == {name: reading[name] for name in old}
    before = await everything(database)
    await migrate(database, back=len(names()) - 4)
    reading, picnic = await events.find({}).sort("_id", 1).to_list(None)
    assert reading["ics"] == {"lines": ["X-A:1", "TRANSP:TRANSPARENT"], "alarms": [late]}
    assert (reading["reminders"], "transparency" in reading) == ([10], False)
    assert [override["fields"].get("ics", {}).get("lines") for override in reading["overrides"]] == [
        ["X-A:2", "TRANSP:OPAQUE"],
        ["X-A:1", "TRANSP:OPAQUE"],
        None,
    ]
    assert picnic["ics"] == {"lines": ["TRANSP:TRANSPARENT"], "alarms": []}
    await migrate(database)
    assert await everything(database) == before
