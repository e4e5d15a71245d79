"""Finding events by what is said in them and where they are: `q` and `near`, by themselves and with all else."""

from typing import Any

import pytest

from tests.support.clients import Person, ok

pytestmark = pytest.mark.real_server("the mock has neither regular expressions in aggregations nor places")
BERLIN, POTSDAM, PARIS = (
    {"lat": lat, "lon": lon} for lat, lon in ((52.52, 13.405), (52.3906, 13.0645), (48.8566, 2.3522))
)


async def found(person: Person, **query: Any) -> list[str]:
    """The titles of what is found, in order; all pages of it, two at a time."""
    titles: list[str] = []
    query |= {"limit": 2}
    while True:
        body = ok(await person.get("/events", params=query))
        titles += [event["title"] for event in body["items"]]
        if body["next"] is None:
            return titles
        query["cursor"] = body["next"]


async def test_title_tags_location_and_description_are_searched_and_rank_in_this_order(ada: Person) -> None:
    await ada.event(title="In the description", description="A jazz evening", start="2026-01-01")
    await ada.event(title="In the location", location="Jazz cellar", start="2026-01-02")
    await ada.event(title="In the tags", tags=["jazz", "late"], start="2026-01-03")
    await ada.event(title="Jazz evening", start="2026-01-04")
    await ada.event(title="Blues evening", description="No such thing", start="2026-01-05")
    assert await found(ada, q="jazz") == ["Jazz evening", "In the tags", "In the location", "In the description"]


async def test_equal_ranks_are_ordered_by_start_then_id_and_undated_last(ada: Person) -> None:
    for title, start in (("d", None), ("b", "2026-05-02"), ("a", "2026-05-01"), ("c", "2026-05-02"), ("e", None)):
        await ada.event(title=f"Choir {title}", start=start)
    assert await found(ada, q="choir") == ["Choir a", "Choir b", "Choir c", "Choir d", "Choir e"]


async def test_events_with_more_of_the_words_rank_higher(ada: Person) -> None:
    await ada.event(title="Flowers", description="for a garden")
    await ada.event(title="Party", description="in the park")
    await ada.event(title="Garden party", description="Come!")
    assert await found(ada, q="garden party") == ["Garden party", "Party", "Flowers"]


@pytest.mark.parametrize("words", ["café", "CAFE", "Cafe\u0301", "CAFÉ"])
async def test_neither_letter_case_nor_accents_matter(ada: Person, words: str) -> None:
    await ada.event(title="Treffen im Café")
    await ada.event(title="Cafe at noon")
    assert sorted(await found(ada, q=words)) == ["Cafe at noon", "Treffen im Café"]


@pytest.mark.parametrize(
    ("title", "word"), [("Прогулка в парке", "ПРОГУЛКА"), ("Straßenfest", "strassenfest straßenfest")]
)
async def test_words_of_any_language_are_found(ada: Person, title: str, word: str) -> None:
    await ada.event(title=title)
    assert await found(ada, q=word) == [title]


async def test_there_are_no_stop_words_and_no_stemming(ada: Person) -> None:
    await ada.event(title="The Who")
    await ada.event(title="A meeting")
    assert await found(ada, q="the") == ["The Who"]
    assert await found(ada, q="meetings") == []
    assert await found(ada, q="meeting") == ["A meeting"]


async def test_phrases_must_occur_and_negated_words_must_not(ada: Person) -> None:
    for title in ("Book launch", "Launch of a book", "Rocket launch", "Book launch in the park"):
        await ada.event(title=title)
    assert sorted(await found(ada, q='"book launch"')) == ["Book launch", "Book launch in the park"]
    assert sorted(await found(ada, q="launch -book")) == ["Rocket launch"]
    assert await found(ada, q='"book launch" -park') == ["Book launch"]
    assert sorted(await found(ada, q='"BOOK LAUNCH"')) == ["Book launch", "Book launch in the park"]


@pytest.mark.parametrize(
    "words",
    [
        "-launch",
        "-",
        "...",
        '"',
        '""',
        "\\",
        " ",
        '"unfinished',
        '{"$gt": ""}',
        ".*",
        "^k",
        "$where",
        "a" * 200,
        "🦉",
        "'",
    ],
)
async def test_a_query_without_a_word_finds_nothing(ada: Person, words: str) -> None:
    await ada.event(title="Book launch")
    for scope in ("mine", "public", "all"):
        assert await found(ada, q=words, scope=scope) == []


async def test_an_operator_in_a_query_is_plain_text(ada: Person) -> None:
    await ada.event(title="How to use $gt")
    await ada.event(title="Something else")
    assert await found(ada, q='{"$gt": ""}') == ["How to use $gt"]


@pytest.mark.parametrize("words", ["", "a" * 201, "a\0b"])
async def test_words_must_be_1_to_200_characters_without_nul(ada: Person, words: str) -> None:
    response = await ada.get("/events", params={"q": words})
    assert [problem["pointer"] for problem in ok(response, 422)["errors"]] == ["/q"]


async def test_a_search_finds_only_visible_events_in_each_scope(ada: Person, ben: Person) -> None:
    for person, name in ((ada, "ada"), (ben, "ben")):
        for visibility in ("private", "unlisted", "public"):
            await person.event(
                title=f"Festival {name} {visibility}", visibility=visibility, start="2026-05-01", geo=BERLIN
            )
    mine = {f"Festival ada {visibility}" for visibility in ("private", "unlisted", "public")}
    public = {f"Festival {name} public" for name in ("ada", "ben")}
    for query in ({"q": "festival"}, {"near": "52.52,13.405,5"}, {"q": "festival", "near": "52.52,13.405,5"}):
        for window in ({}, {"from": "2026-05-01"}, {"from": "2026-04-30", "to": "2026-05-03"}):
            for scope, expected in (("mine", mine), ("public", public), ("all", mine | public)):
                titles = await found(ada, scope=scope, **query, **window)
                assert len(titles) == len(set(titles))
                assert set(titles) == expected


async def test_a_public_event_is_found_by_its_current_words_and_only_while_it_is_public(
    ada: Person, ben: Person
) -> None:
    event = await ada.event(title="Sunrise", visibility="private")
    path = f"/events/{event['id']}"

    async def finds(word: str) -> bool:
        alone, both = [await found(ben, q=word, scope=scope) for scope in ("public", "all")]
        assert alone == both
        return bool(alone)

    assert not await finds("sunrise")
    ok(await ada.patch(path, json={"visibility": "public", "location": "Harbour"}))
    assert await finds("sunrise") and await finds("harbour")
    ok(await ada.patch(path, json={"title": "Sunset", "location": None}))
    assert await finds("sunset") and not await finds("sunrise") and not await finds("harbour")
    ok(await ada.patch(path, json={"visibility": "unlisted"}))
    assert not await finds("sunset")
    ok(await ada.patch(path, json={"visibility": "public"}))
    assert await finds("sunset")
    ok(await ada.delete(path), 204)
    assert not await finds("sunset")
    ok(await ada.post(f"{path}/restore", json={}))
    assert await finds("sunset")


async def test_both_parts_of_a_series_that_was_split_are_found(ada: Person, ben: Person) -> None:
    event = await ada.event(
        title="Rehearsal", start="2026-05-04", recurrence={"rrule": "FREQ=DAILY"}, visibility="public", geo=BERLIN
    )
    change = {"title": "Rehearsal in Paris", "geo": PARIS}
    ok(await ada.patch(f"/events/{event['id']}/occurrences/2026-05-10?scope=following", json=change))
    assert await found(ben, q="rehearsal", scope="public") == ["Rehearsal", "Rehearsal in Paris"]
    assert await found(ben, q="rehearsal", near="48.86,2.35,9", scope="public") == ["Rehearsal in Paris"]
    assert await found(ben, near="52.52,13.405,1", scope="public") == ["Rehearsal"]


async def test_near_finds_events_within_the_radius_in_the_order_of_lists(ada: Person) -> None:
    for title, geo, start in (
        ("Paris", PARIS, "2026-05-01"),
        ("Potsdam", POTSDAM, "2026-05-03"),
        ("Berlin", BERLIN, "2026-05-02"),
        ("Berlin undated", BERLIN, None),
        ("Nowhere", None, "2026-05-02"),
    ):
        await ada.event(title=title, geo=geo, start=start)
    assert await found(ada, near="52.52,13.405,5") == ["Berlin", "Berlin undated"]
    # From the one middle to the other it is 27.2 km.
    assert await found(ada, near="52.52,13.405,27") == ["Berlin", "Berlin undated"]
    assert await found(ada, near="52.52,13.405,27.5") == ["Berlin", "Potsdam", "Berlin undated"]
    assert await found(ada, near="+52.52,13.405,1000") == ["Paris", "Berlin", "Potsdam", "Berlin undated"]
    assert await found(ada, near="-90,0,20037") == ["Paris", "Berlin", "Potsdam", "Berlin undated"]


async def test_a_circle_may_cross_a_pole_and_the_date_line(ada: Person) -> None:
    await ada.event(title="West", geo={"lat": 0, "lon": -179.9})
    await ada.event(title="North", geo={"lat": 89.9, "lon": 10})
    assert await found(ada, near="0,179.9,30") == ["West"]
    assert await found(ada, near="89.9,-170,30") == ["North"]


@pytest.mark.parametrize("middle", ["0,0", "90,0", "-52.52,-166.595"])
async def test_the_largest_circle_is_the_whole_earth(ada: Person, middle: str) -> None:
    for title, geo in (("A", {"lat": 0, "lon": 180}), ("B", {"lat": -90, "lon": 0}), ("C", BERLIN)):
        await ada.event(title=title, geo=geo, start=f"2026-05-0{ord(title) - 64}")
    assert await found(ada, near=f"{middle},20037") == ["A", "B", "C"]


async def test_a_changed_or_removed_place_is_found_as_it_is_now(ada: Person) -> None:
    event = await ada.event(title="Picnic", geo=BERLIN)
    path = f"/events/{event['id']}"
    ok(await ada.patch(path, json={"geo": PARIS}))
    assert (await found(ada, near="52.52,13.405,5"), await found(ada, near="48.86,2.35,5")) == ([], ["Picnic"])
    ok(await ada.patch(path, json={"title": "Picnic in the park"}))
    assert await found(ada, near="48.86,2.35,5") == ["Picnic in the park"]
    changed = ok(await ada.patch(path, json={"geo": None}))
    assert changed["geo"] is None and "place" not in changed
    assert await found(ada, near="48.86,2.35,5") == []
    ok(await ada.put(path, json={"title": "Picnic", "geo": BERLIN}))
    assert await found(ada, near="52.52,13.405,5") == ["Picnic"]


@pytest.mark.parametrize(
    "circle",
    [
        "",
        "52.52",
        "52.52,13.405",
        "52.52,13.405,5,6",
        "90.1,0,5",
        "-91,0,5",
        "0,180.1,5",
        "0,-181,5",
        "0,0,0",
        "0,0,-5",
        "0,0,20037.1",
        "0,0,999999",
        "NaN,0,5",
        "0,inf,5",
        "0,0,Infinity",
        "1e1,0,5",
        "0x1,0,5",
        "5 2,0,5",
        "٥,0,5",
        "a,b,c",
        "0;0;5",
        "0,0,5\0",
        "0" * 100 + ",0,5",
    ],
)
async def test_an_invalid_circle_is_refused(ada: Person, circle: str) -> None:
    response = await ada.get("/events", params={"near": circle})
    assert [problem["pointer"] for problem in ok(response, 422)["errors"]] == ["/near"]


async def test_words_tag_window_and_circle_can_be_combined(ada: Person, ben: Person) -> None:
    good = {"title": "Jazz", "tags": ["music"], "geo": BERLIN, "start": "2026-05-10", "visibility": "public"}
    await ada.event(**good | {"title": "Jazz all right"})
    await ada.event(**good | {"title": "Blues"})
    await ada.event(**good | {"title": "Jazz otherwise", "tags": ["film"]})
    await ada.event(**good | {"title": "Jazz elsewhere", "geo": PARIS})
    await ada.event(**good | {"title": "Jazz without a place", "geo": None})
    await ada.event(**good | {"title": "Jazz before", "start": "2026-05-01"})
    await ada.event(**good | {"title": "Jazz after", "start": "2026-06-01"})
    await ada.event(**good | {"title": "Jazz some time", "start": None})
    await ada.event(**good | {"title": "Jazz in private", "visibility": "private"})
    await ada.event(
        **good | {"title": "Jazz every week", "start": "2026-01-04", "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=30"}}
    )
    await ada.event(
        **good | {"title": "Jazz no more", "start": "2026-01-04", "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3"}}
    )
    query = {"q": "jazz", "tag": "Music", "from": "2026-05-08", "to": "2026-05-15", "near": "52.52,13.405,10"}
    seen = ["Jazz all right", "Jazz every week"]
    assert sorted(await found(ben, scope="public", **query)) == seen
    assert sorted(await found(ben, scope="all", **query)) == seen
    assert await found(ben, scope="mine", **query) == []
    for scope in ("mine", "all"):
        assert sorted(await found(ada, scope=scope, **query)) == [*seen, "Jazz in private"]


@pytest.mark.parametrize("scope", ["mine", "public", "all"])
@pytest.mark.parametrize("query", [{"q": "choir town"}, {"near": "0,0,500"}, {"near": "0,0,500", "from": "2020-01-01"}])
async def test_paging_a_search_skips_and_repeats_nothing_while_others_write(
    ada: Person, ben: Person, scope: str, query: dict[str, Any]
) -> None:
    async def made(number: int, **fields: Any) -> str:
        person, start = (ada, ben)[number % 2], f"2026-05-{1 + number % 5:02}"
        tags = ["town"] * (number % 3)
        fields = {"title": "Choir", "tags": tags, "start": start, "geo": {"lat": 1, "lon": 1}} | fields
        return str((await person.event(visibility="public", **fields))["id"])

    there = [await made(number) for number in range(24)]
    if scope == "mine":
        there = there[::2]
    seen: list[str] = []
    params: dict[str, Any] = query | {"scope": scope, "limit": 3}
    while True:
        response = await ada.get("/events", params=params)
        body = ok(response)
        assert ("next" in response.links) == (body["next"] is not None)
        seen += [event["id"] for event in body["items"]]
        if body["next"] is None:
            break
        params["cursor"] = body["next"]
        if len(seen) > 60:
            continue
        # One that ranks before everything, one that ties with the last one, one that comes at the end.
        for number in range(2):
            await made(number, title="Choir choir choir", start="2026-04-01")
            await made(number, title=body["items"][-1]["title"], start=body["items"][-1]["start"])
            await made(number, title="No singing", description="The choir stays at home", start=None)
        gone = body["items"][-1]
        if gone["id"] in there and gone["creator"] == ada.id:
            ok(await ada.delete(f"/events/{gone['id']}"), 204)
    assert len(seen) == len(set(seen)), "something was repeated"
    assert set(there) <= set(seen), "something was skipped"


async def test_a_cursor_is_refused_with_another_kind_of_list_or_other_words(ada: Person) -> None:
    for number in range(3):
        await ada.event(title=f"Choir {number}")

    async def cursor(**query: Any) -> str:
        return str(ok(await ada.get("/events", params=query | {"limit": 1}))["next"])

    plain, ranked = await cursor(), await cursor(q="choir")
    for query in ({"q": "choir", "cursor": plain}, {"cursor": ranked}, {"q": "choirs", "cursor": ranked}):
        response = await ada.get("/events", params=query)
        assert [problem["pointer"] for problem in ok(response, 422)["errors"]] == ["/cursor"]
    assert len(ok(await ada.get("/events", params={"q": "choir", "cursor": ranked}))["items"]) == 2


async def test_the_link_to_the_next_page_has_the_same_query(ada: Person) -> None:
    for number in range(3):
        await ada.event(title=f"Choir {number}", geo=BERLIN)
    query = {"q": 'choir "choir"', "near": "52.5,13.4,50", "limit": 2}
    first = await ada.get("/events", params=query)
    rest = ok(await ada.get(first.links["next"]["url"]))
    assert [event["title"] for event in ok(first)["items"] + rest["items"]] == ["Choir 0", "Choir 1", "Choir 2"]
