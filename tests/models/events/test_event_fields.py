"""The fields of events: their types, and that all forms of an event have the fields that they should."""

from typing import Any

import pytest

from database.queries import new_id
from models.events.event import Event
from models.events.event_fields import EventContent, HttpsAddress, Tags, Title, WebAddress
from models.events.event_schema import EventCreate, EventPatch, EventRead, OccurrencePatch
from models.events.event_view import build_body, hide_from_others
from planner.domain.fields import (
    AUTHOR_FIELDS,
    EDITORS_FIELDS,
    FIELDS,
    OCCURRENCE_FIELDS,
    PLAIN_FIELDS,
    SEARCH_WEIGHTS,
    SENT_FIELDS,
)
from tests.models.shared.test_fields import refused, taken
from tests.support.documents import build_event_document

# What the server, a moderator or an import decides about an event, and no earlier revision brings back.
NOT_RESTORED = {
    *("id", "uid", "creator", "created_at", "updated_at", "revision", "editor", "act"),
    *("sequence", "source", "place", "cells", "tag_keys", "hours", "search", "takedown", "split_from"),
}


def test_every_field_of_an_event_is_in_the_table_of_fields() -> None:
    stored = {name for name, field in FIELDS.items() if field.is_stored}
    assert stored == set(Event.model_fields) - {"revision_id"}


def test_the_plain_fields_are_those_that_all_forms_of_an_event_share() -> None:
    assert set(PLAIN_FIELDS) == set(EventContent.model_fields)


def test_an_author_can_write_the_fields_that_the_table_says() -> None:
    assert set(AUTHOR_FIELDS) == set(EventCreate.model_fields) == set(EventPatch.model_fields)


def test_an_occurrence_can_be_changed_in_the_fields_that_the_table_says_its_times_and_alarms() -> None:
    times = {"start", "end", "time_zone", "recurrence", "alarms"}
    assert set(OccurrencePatch.model_fields) == times | set(OCCURRENCE_FIELDS)


def test_a_response_has_the_fields_that_the_table_says() -> None:
    assert set(SENT_FIELDS) == set(EventRead.model_fields)
    of_entry = {name for name, field in FIELDS.items() if not field.is_stored}
    native = build_event_document(new_id())
    assert set(build_body(native)) == set(SENT_FIELDS) - of_entry - {"takedown"}
    imported = native.with_stored({Event.ics: {"lines": [], "alarms": []}})
    assert set(build_body(imported)) == set(SENT_FIELDS) - {"takedown"}


def test_others_get_what_the_table_says_is_for_everyone() -> None:
    imported = build_event_document(new_id()).with_stored({Event.ics: {"lines": [], "alarms": []}, "reminders": [10]})
    body = hide_from_others(build_body(imported))
    assert set(body) == set(SENT_FIELDS) - set(EDITORS_FIELDS) - {"takedown"} | {"reminders"}
    assert body["reminders"] == []


def test_a_field_that_is_searched_is_one_that_everybody_sees() -> None:
    assert set(SEARCH_WEIGHTS) <= (set(SENT_FIELDS) & set(PLAIN_FIELDS)) - set(EDITORS_FIELDS)


def test_an_earlier_revision_brings_back_all_but_what_the_server_decides() -> None:
    assert {name for name, field in FIELDS.items() if field.is_stored and not field.is_content} == NOT_RESTORED


@pytest.mark.parametrize("name", EventContent.model_fields)
def test_every_plain_field_has_a_description_and_an_example_other_than_its_default(name: str) -> None:
    field = EventContent.model_fields[name]
    assert field.description
    assert field.examples
    assert field.examples[-1] != field.get_default(call_default_factory=True)


def test_tags_keep_their_letters_and_those_that_differ_in_case_only_are_one() -> None:
    assert taken(Tags, ["Books", " books ", "BOOKS", "Straße", "STRASSE", "art"]) == ["Books", "Straße", "art"]
    assert taken(Tags, ["İstanbul", "istanbul", "ISTANBUL", "ıstanbul"]) == ["İstanbul"]
    assert taken(Tags, ["cafe", "café", "Cafe\u0301"]) == ["cafe", "café"]


def test_at_most_20_tags_are_accepted_counted_without_duplicates() -> None:
    many = [f"tag{n}" for n in range(20)]
    assert taken(Tags, [*many, "TAG1"]) == many
    refused(Tags, [*many, "one more"])


@pytest.mark.parametrize("tag", ["", "  ", "x" * 33, "a\x00b", 7, None])
def test_a_tag_has_1_to_32_characters_counted_as_it_is_written(tag: Any) -> None:
    assert taken(Tags, ["ß" * 32]) == ["ß" * 32]
    assert taken(Tags, ["x" * 32]) == ["x" * 32]
    assert taken(Tags, [" " + "x" * 32 + " "]) == ["x" * 32]
    refused(Tags, [tag])


@pytest.mark.parametrize("title", ["", " ", "\t\n", "\u3000", "x" * 201, "a\x00b"])
def test_a_title_has_1_to_200_characters_and_a_visible_one(title: str) -> None:
    assert taken(Title, "x" * 200) == "x" * 200
    refused(Title, title)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "//example.com/a.png",
        "example.com/a.png",
        "https://",
        "https:///a.png",
        "https://:443/",
        "https://exa mple.com/",
        "https://example.com/\n",
        "https://example.com:99999/",
        "https://example.com:x/",
        "https://[::1/",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "HTTPS://example.com/\u202egnp.a",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_an_image_must_be_an_https_address(url: str) -> None:
    refused(HttpsAddress, url)


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:8443/a.png?b=c#d", "https://[::1]/"])
def test_an_address_is_stored_as_it_was_written(url: str) -> None:
    assert taken(HttpsAddress, url) == url
    assert taken(WebAddress, url.replace("https", "http")) == url.replace("https", "http")
