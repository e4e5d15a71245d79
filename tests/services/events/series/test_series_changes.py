"""Changes of a whole series, or of an occurrence and all later ones: exceptions follow their occurrences."""

from typing import Any

import pytest

from tests.support.clients import Person, ok

# Berlin changes its clocks on 28 March 2027, New York on 14 March.
CHOIR: dict[str, Any] = {
    "title": "Choir",
    "start": "2026-11-02T18:00:00",
    "end": "2026-11-02T20:00:00",
    "time_zone": "Europe/Berlin",
    "recurrence": {
        "rrule": "FREQ=WEEKLY;COUNT=4",
        "rdates": ["2026-11-04T18:00:00"],
        "exdates": ["2026-11-09T18:00:00"],
    },
}
LONG = CHOIR | {
    "recurrence": {
        "rrule": "FREQ=WEEKLY",
        "rdates": ["2027-03-17T18:00:00", "2027-04-07T18:00:00"],
        "exdates": ["2026-11-09T18:00:00", "2027-03-15T18:00:00", "2027-04-05T18:00:00"],
    }
}


async def starts(person: Person, since: str = "2026-10-01", until: str = "2026-12-31") -> list[str]:
    page = ok(await person.get("/events/occurrences", params={"from": since, "to": until, "limit": 200}))
    return [item["start"] for item in page["items"]]


async def patch(person: Person, event: Any, id: str, scope: str = "this", **fields: Any) -> Any:
    return await person.patch(f"/events/{event['id']}/occurrences/{id}?scope={scope}", json=fields)


IN_NEW_YORK = ["2026-11-02T18:00:00-05:00", "2026-11-04T18:00:00-05:00"]
IN_NEW_YORK += ["2026-11-16T18:00:00-05:00", "2026-11-23T18:00:00-05:00"]


async def test_dates_and_deletions_keep_their_local_time_in_a_new_zone(ada: Person) -> None:
    event = await ada.event(**CHOIR)
    changes = {"time_zone": "America/New_York", "start": "2026-11-02T18:00:00", "end": "2026-11-02T20:00:00"}
    ok(await ada.patch(f"/events/{event['id']}", json=changes))
    assert await starts(ada) == IN_NEW_YORK


async def test_an_event_sent_back_whole_with_another_zone_keeps_its_deletions(ada: Person) -> None:
    event = await ada.event(**CHOIR)
    body = {name: event[name] for name in ("title", "recurrence")}
    changes = {"time_zone": "America/New_York", "start": "2026-11-02T18:00:00", "end": "2026-11-02T20:00:00"}
    ok(await ada.put(f"/events/{event['id']}", json=body | changes))
    assert await starts(ada) == IN_NEW_YORK


async def test_with_one_more_deletion_in_a_new_zone_those_that_were_there_follow(ada: Person) -> None:
    event = await ada.event(**CHOIR)
    exdates = [*event["recurrence"]["exdates"], "2026-11-16T18:00:00"]
    changes = {"time_zone": "America/New_York", "start": "2026-11-02T18:00:00", "end": "2026-11-02T20:00:00"}
    ok(await ada.patch(f"/events/{event['id']}", json=changes | {"recurrence": {"exdates": exdates}}))
    assert await starts(ada) == [IN_NEW_YORK[0], IN_NEW_YORK[1], IN_NEW_YORK[3]]


async def test_with_the_zone_alone_changed_exceptions_follow_although_the_clocks_change_on_other_dates(
    ada: Person,
) -> None:
    event = await ada.event(**LONG)
    ok(await patch(ada, event, "2027-03-22T18:00:00", title="Concert"))
    ok(await ada.patch(f"/events/{event['id']}", json={"time_zone": "America/New_York"}))
    assert await starts(ada, "2026-11-01", "2026-11-20") == ["2026-11-02T12:00:00-05:00", "2026-11-16T12:00:00-05:00"]
    page = ok(await ada.get("/events/occurrences?from=2027-03-14&to=2027-04-13"))["items"]
    assert [(item["title"], item["start"]) for item in page] == [
        ("Choir", "2027-03-17T12:00:00-04:00"),
        ("Concert", "2027-03-22T12:00:00-04:00"),
        ("Choir", "2027-03-29T12:00:00-04:00"),
        ("Choir", "2027-04-07T12:00:00-04:00"),
        ("Choir", "2027-04-12T12:00:00-04:00"),
    ]


async def test_following_occurrences_in_a_new_zone_keep_their_deletions(ada: Person) -> None:
    event = await ada.event(**LONG)
    body = {"start": "2027-03-01T18:00:00", "end": "2027-03-01T20:00:00", "time_zone": "America/New_York"}
    ok(await patch(ada, event, "2027-03-01T18:00:00", "following", **body, recurrence=event["recurrence"]))
    assert await starts(ada, "2027-03-01", "2027-04-01") == [
        "2027-03-01T18:00:00-05:00",
        "2027-03-08T18:00:00-05:00",
        "2027-03-17T18:00:00-04:00",
        "2027-03-22T18:00:00-04:00",
        "2027-03-29T18:00:00-04:00",
    ]


async def test_a_series_with_exceptions_can_become_an_all_day_one_and_back(ada: Person) -> None:
    event = await ada.event(**CHOIR)
    days = ok(await ada.patch(f"/events/{event['id']}", json={"start": "2026-11-02", "end": "2026-11-03"}))
    assert await starts(ada) == ["2026-11-02", "2026-11-04", "2026-11-16", "2026-11-23"]
    assert days["recurrence"]["exdates"] == ["2026-11-09"]
    back = {"start": "2026-11-02T18:00:00", "end": "2026-11-02T20:00:00"}
    ok(await ada.patch(f"/events/{event['id']}", json=back))
    assert [start[:16] for start in await starts(ada)] == [
        "2026-11-02T18:00",
        "2026-11-04T18:00",
        "2026-11-16T18:00",
        "2026-11-23T18:00",
    ]


async def test_a_series_moved_past_the_end_of_its_rule_takes_the_end_along(ada: Person) -> None:
    event = await ada.event(**CHOIR | {"recurrence": {"rrule": "FREQ=WEEKLY;UNTIL=20261116T170000Z"}})
    changes = {"start": "2026-12-07T18:00:00", "end": "2026-12-07T20:00:00"}
    ok(await ada.patch(f"/events/{event['id']}", json=changes))
    assert [start[:10] for start in await starts(ada)] == ["2026-12-07", "2026-12-14", "2026-12-21"]


async def test_a_patch_of_the_title_leaves_a_series_that_starts_at_a_skipped_time(ada: Person) -> None:
    event = await ada.event(
        start="2026-03-29T02:30:00",
        time_zone="Europe/Berlin",
        recurrence={"rrule": "FREQ=DAILY;COUNT=3", "exdates": ["2026-03-29T02:30:00"]},
    )
    before = await starts(ada, "2026-03-01", "2026-05-01")
    assert before == ["2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"]
    ok(await ada.patch(f"/events/{event['id']}", json={"title": "Another"}))
    assert await starts(ada, "2026-03-01", "2026-05-01") == before


@pytest.mark.parametrize(
    ("changes", "rescheduled"),
    [
        ({"start": "2026-11-03T09:00:00", "end": "2026-11-03T11:00:00"}, "2026-11-17T20:30:00+01:00"),
        ({"start": "2026-11-02", "end": "2026-11-03"}, "2026-11-17T20:30:00+01:00"),
        ({"time_zone": "America/New_York"}, "2026-11-17T14:30:00-05:00"),
    ],
    ids=["another day and time", "all day", "another zone"],
)
async def test_moving_a_series_leaves_what_was_rescheduled_where_it_was_put(
    ada: Person, changes: dict[str, Any], rescheduled: str
) -> None:
    event = await ada.event(**CHOIR)
    ok(await patch(ada, event, "2026-11-16T18:00:00", start="2026-11-17T20:30:00", end="2026-11-17T21:00:00"))
    ok(await ada.patch(f"/events/{event['id']}", json=changes))
    page = ok(await ada.get("/events/occurrences?from=2026-11-17&to=2026-11-18"))["items"]
    ours = [item for item in page if item["end"] not in (None, "2026-11-18")]
    assert [item["start"] for item in ours if "20:30" in item["start"] or "14:30" in item["start"]] == [rescheduled]
    assert len(await starts(ada)) == 4


async def test_an_occurrence_whose_length_alone_was_changed_moves_with_its_series(ada: Person) -> None:
    event = await ada.event(**CHOIR)
    ok(await patch(ada, event, "2026-11-16T18:00:00", end="2026-11-16T23:00:00"))
    ok(await ada.patch(f"/events/{event['id']}", json={"start": "2026-11-02T17:00:00", "end": "2026-11-02T19:00:00"}))
    page = ok(await ada.get("/events/occurrences?from=2026-11-16&to=2026-11-17"))["items"]
    assert [(item["start"][11:16], item["end"][11:16]) for item in page] == [("17:00", "22:00")]


SATURDAYS = {"title": "Market", "start": "2026-11-07T09:00:00", "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=SA"}}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=SU", ["07", "14", "22", "29"]),
        ("FREQ=WEEKLY;BYDAY=SU;COUNT=1", ["07", "14", "22"]),
        ("FREQ=WEEKLY;BYDAY=TU,TH", ["07", "14", "24", "26"]),
        ("FREQ=MONTHLY;BYMONTHDAY=28", ["07", "14", "28"]),
        ("FREQ=WEEKLY", ["07", "14", "21", "28"]),
        ("FREQ=DAILY;COUNT=2", ["07", "14", "21", "22"]),
    ],
)
@pytest.mark.parametrize("start", [{}, {"start": "2026-11-21T09:00:00Z"}], ids=["without start", "with the same start"])
async def test_a_new_rule_for_following_occurrences_leaves_none_that_only_the_old_rule_had(
    ada: Person, rule: str, expected: list[str], start: dict[str, str]
) -> None:
    event = await ada.event(**SATURDAYS)
    first = ok(await patch(ada, event, "2026-11-21T09:00:00", "following", recurrence={"rrule": rule}, **start))
    found = [start[8:10] for start in await starts(ada, "2026-11-01", "2026-12-01")]
    assert found == expected
    assert first["start"] == f"2026-11-{expected[2]}T09:00:00Z"


async def test_with_a_new_rule_for_following_occurrences_a_deletion_follows_its_occurrence(ada: Person) -> None:
    event = await ada.event(**SATURDAYS)
    ok(await ada.delete(f"/events/{event['id']}/occurrences/2026-11-28T09:00:00"), 204)
    ok(await patch(ada, event, "2026-12-05T09:00:00", title="Christmas market"))
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=SU"}
    ok(await patch(ada, event, "2026-11-21T09:00:00", "following", recurrence=rule))
    page = ok(await ada.get("/events/occurrences?from=2026-11-20&to=2026-12-15"))["items"]
    assert [(item["title"], item["start"][:10]) for item in page] == [
        ("Market", "2026-11-22"),
        ("Christmas market", "2026-12-06"),
        ("Market", "2026-12-13"),
    ]


async def test_a_new_rule_without_an_occurrence_for_following_ones_is_refused(ada: Person) -> None:
    event = await ada.event(**SATURDAYS)
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=MO;UNTIL=20261122T000000Z"}
    refused = ok(await patch(ada, event, "2026-11-21T09:00:00", "following", recurrence=rule), 422)
    assert refused["errors"][0]["pointer"] == "/recurrence/rrule"


@pytest.mark.parametrize("start", ["2026-11-02T21:00:00", "2026-11-02", None])
async def test_a_start_that_does_not_go_with_the_end_is_refused_where_it_was_sent(
    ada: Person, start: str | None
) -> None:
    event = await ada.event(**CHOIR)
    single = await ada.event(**CHOIR | {"recurrence": None})
    for path in (f"/events/{event['id']}", f"/events/{single['id']}"):
        (error,) = ok(await ada.patch(path, json={"start": start}), 422)["errors"]
        assert error["pointer"] == "/start"
        assert "send end too" in error["message"]


async def test_a_start_past_the_end_of_an_occurrence_is_refused_where_it_was_sent(ada: Person) -> None:
    event = await ada.event(**CHOIR)
    for scope in ("this", "following"):
        response = await patch(ada, event, "2026-11-16T18:00:00", scope, start="2026-11-16T20:00:00")
        (error,) = ok(response, 422)["errors"]
        assert error["pointer"] == "/start"
        assert "send end too" in error["message"]


async def test_a_recurring_event_cannot_become_undated_without_its_recurrence(ada: Person) -> None:
    event = await ada.event(**CHOIR)
    (error,) = ok(await ada.patch(f"/events/{event['id']}", json={"start": None, "end": None}), 422)["errors"]
    assert error["pointer"] == "/start"
    ok(await ada.patch(f"/events/{event['id']}", json={"start": None, "end": None, "recurrence": None}))


async def test_one_occurrence_has_reminders_of_its_own(ada: Person) -> None:
    event = await ada.event(**CHOIR, reminders=[10])
    changed = ok(await patch(ada, event, "2026-11-16T18:00:00", reminders=[60, 5]))
    assert changed["reminders"] == [5, 60]
    ok(await patch(ada, event, "2026-11-23T18:00:00", reminders=[]))
    page = ok(await ada.get("/events/occurrences?from=2026-11-03&to=2026-12-01"))["items"]
    assert [item["reminders"] for item in page] == [[10], [5, 60], []]
    text = (await ada.get(f"/events/{event['id']}.ics")).text
    assert text.count("BEGIN:VALARM") == 3
