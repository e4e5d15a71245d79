"""Every field that the API lets an author write is in the form of an event, and on its page."""

import pytest
from fastapi import FastAPI

from models.events.event_fields import EventContent
from planner.domain.fields import PLAIN_FIELDS
from routes.pages.events.form_changes import GROUPS
from routes.pages.words import WORDS
from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import Person

EXAMPLES = {name: field.examples[-1] for name, field in EventContent.model_fields.items() if field.examples}
EXAMPLES |= {"title": "Another title"}


@pytest.mark.parametrize("name", PLAIN_FIELDS)
async def test_a_field_is_in_the_form_and_on_the_page(browser: Browser, ada: Person, name: str) -> None:
    event = await ada.event(
        **({"start": "2026-12-01T18:00:00", "end": "2026-12-03T20:00:00"} | {name: EXAMPLES[name]}),
    )
    plain = await ada.event(start="2026-12-01T18:00:00", end="2026-12-03T20:00:00")
    action = f"/events/{event['id']}/edit"
    filled = fields_of(await browser.open(action), action)
    others = fields_of(await browser.open(f"/events/{plain['id']}/edit"), f"/events/{plain['id']}/edit")
    changed = {key for key in filled.keys() | others.keys() if filled.get(key) != others.get(key)}
    assert changed - {"seen", "revision"}, f"the form does not show {name}"
    shown, without = [text_of(await browser.open(f"/events/{one['id']}")) for one in (event, plain)]
    # A colour is drawn, and not written.
    assert shown != without or name == "color", f"the page does not show {name}"


def test_every_field_has_a_name_for_people() -> None:
    assert set(PLAIN_FIELDS) <= WORDS.event.labels.keys()
    assert GROUPS.keys() <= WORDS.event.labels.keys()


async def test_addresses_keep_the_path_of_the_planner(app: FastAPI, browser: Browser, ada: Person) -> None:
    event = await ada.event(start="2026-12-01T18:00:00", recurrence={"rrule": "FREQ=DAILY"})
    object.__setattr__(app.state.services, "base_url", "http://planner.test/plan")
    path = f"/events/{event['id']}"
    for address in (path, f"{path}?occurrence=2026-12-02T18:00:00", f"{path}/edit", f"{path}/history", "/events/new"):
        page = await browser.open(address)
        assert page.status_code == 200
        links = [part.split('"')[0] for part in page.text.replace('action="', 'href="').split('href="')[1:]]
        assert [link for link in links if not link.startswith(("/plan/", "#"))] == [], address
