"""Deletion and its undo, and the history of an event."""

from tests.routes.pages.browsing import Browser, text_of
from tests.support.clients import Person, ok


async def test_an_event_is_deleted_and_restored_with_undo(browser: Browser, ada: Person) -> None:
    event = await ada.event(title="<Launch>")
    path = f"/events/{event['id']}"
    deleted = await browser.follow(await browser.submit(await browser.open(path), f"{path}/delete"))
    assert "“<Launch>” was deleted" in text_of(deleted)
    assert (await browser.open(path)).status_code == 404
    restored = await browser.follow(await browser.submit(deleted, f"{path}/undo"))
    assert "<Launch>" in text_of(restored)
    assert ok(await ada.get(path))["title"] == "<Launch>"


async def test_the_edit_page_deletes_as_well(browser: Browser, ada: Person) -> None:
    event = await ada.event()
    path = f"/events/{event['id']}"
    assert (await browser.submit(await browser.open(f"{path}/edit"), f"{path}/delete")).status_code == 303
    assert (await browser.open(path)).status_code == 404


async def test_a_page_that_is_out_of_date_deletes_nothing(browser: Browser, ada: Person) -> None:
    event = await ada.event()
    path = f"/events/{event['id']}"
    page = await browser.open(path)
    ok(await ada.patch(path, json={"title": "Changed"}))
    refused = await browser.submit(page, f"{path}/delete")
    assert refused.status_code == 412
    assert "Somebody else has changed this meanwhile" in text_of(refused)
    assert ok(await ada.get(path))["title"] == "Changed"


async def test_after_another_change_a_deletion_is_not_undone_with_one_press(browser: Browser, ada: Person) -> None:
    event = await ada.event(start="2026-12-01T18:00:00", recurrence={"rrule": "FREQ=DAILY"})
    path = f"/events/{event['id']}"
    ok(await ada.delete(f"{path}/occurrences/2026-12-02T18:00:00"), 204)
    deleted = await browser.open(f"{path}/deleted?revision=2")
    ok(await ada.patch(path, json={"title": "Changed"}))
    assert (await browser.submit(deleted, f"{path}/undo")).status_code == 412
    assert "/undo" not in (await browser.open(f"{path}/deleted?revision=2")).text
    assert (await browser.open(f"{path}/deleted?revision=x")).status_code in (404, 422)


async def test_the_history_says_what_changed_and_restores(browser: Browser, ada: Person) -> None:
    event = await ada.event(title="First", start="2026-12-01T18:00:00Z", tags=["a"])
    path = f"/events/{event['id']}"
    ok(await ada.patch(path, json={"title": "<b>Second</b>", "start": "2026-12-02T18:00:00Z"}))
    ok(await ada.patch(path, json={"recurrence": {"rrule": "FREQ=WEEKLY"}, "tags": None}))
    page = await browser.open(f"{path}/history")
    text = text_of(page)
    for said in (
        "First <b>Second</b>",
        "Tuesday, 1 December 2026, 18:00 Wednesday, 2 December 2026, 18:00",
        "Does not repeat every Wednesday",
        "a nothing",
        "Created",
        "by you",
        "This is how it is now.",
    ):
        assert said in text, said
    assert page.text.count(f'action="{path}/restore"') == 2
    restored = await browser.submit(page, f"{path}/restore", to="1")
    assert restored.status_code == 303
    after = ok(await ada.get(path))
    assert (after["title"], after["tags"], after["recurrence"]) == ("First", ["a"], None)
    assert (await browser.submit(page, f"{path}/restore", to="2")).status_code == 412


async def test_the_history_of_a_deleted_event_brings_it_back(browser: Browser, ada: Person) -> None:
    event = await ada.event(title="First")
    path = f"/events/{event['id']}"
    ok(await ada.patch(path, json={"title": "Second"}))
    ok(await ada.delete(path), 204)
    page = await browser.open(f"{path}/history")
    assert "Deleted" in text_of(page)
    assert (await browser.submit(page, f"{path}/restore", to="1")).status_code == 303
    assert ok(await ada.get(path))["title"] == "First"


async def test_a_long_history_has_pages(browser: Browser, ada: Person) -> None:
    event = await ada.event(title="0")
    path = f"/events/{event['id']}"
    for number in range(1, 24):
        ok(await ada.patch(path, json={"title": str(number)}))
    page = await browser.open(f"{path}/history")
    assert "3 4" in text_of(page)
    assert "Created" not in text_of(page)
    earlier = page.text.split('href="')[-1].split('"')[0].replace("&amp;", "&")
    rest = await browser.open(earlier)
    assert "0 1" in text_of(rest)
    assert f'action="{path}/restore"' in rest.text
    assert (await browser.submit(rest, f"{path}/restore", to="1")).status_code == 303


async def test_a_restore_of_nothing_is_an_error_in_words(browser: Browser, ada: Person) -> None:
    event = await ada.event()
    path = f"/events/{event['id']}"
    ok(await ada.patch(path, json={"title": "Second"}))
    page = await browser.open(f"{path}/history")
    for wanted in ("0", "-1", "x", "99", "9" * 30):
        refused = await browser.submit(page, f"{path}/restore", to=wanted)
        assert refused.status_code in (400, 422), wanted
        assert "<h1>" in refused.text
