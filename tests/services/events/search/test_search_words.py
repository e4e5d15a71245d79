"""Finding events as people type into a box: the beginnings of words, in any language, also of single occurrences."""

import pytest

from planner.domain.search.searchable_text import MAX_INDEXED_WORDS
from tests.services.events.search.test_search import found
from tests.support.clients import Person, ok

pytestmark = pytest.mark.real_server("the mock has no regular expressions in aggregations")


@pytest.mark.parametrize("scope", ["mine", "public", "all"])
@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Lunch", ("lun", "LUNCH", "l", "lunch dinner", "dinner lun")),
        ("Straße", ("strasse", "STRASSE", "straße", "stras", "straß")),
        ("İstanbul", ("istanbul", "ISTANBUL", "İstanbul", "ıstanbul", "ista")),
        ("Diyarbakır", ("diyarbakir", "DIYARBAKIR", "Diyarbakı")),
        ("定例会議", ("会議", "定例会議", "例", "定例会", "例会議")),
        ("第３回 ﾐｰﾃｨﾝｸﾞ", ("ミーティング", "ティング", "第3回")),
        ("การประชุมประจำเดือน", ("ประชุม", "เดือน")),
        ("정기회의", ("회의", "정기")),
        ("Python勉強会", ("python", "勉強会", "pyt")),
        ("Crème brûlée", ("creme", "BRULEE", "brûl", "bru")),
        ("हिन्दी दिवस", ("हिन्दी", "दिव")),
        ("Ёлка", ("елка", "ёл")),
        ("Łódź", ("lodz", "łódź")),
        ("O'Brien", ("brien", "o'brien")),
    ],
)
async def test_a_word_is_found_by_its_beginning_whatever_its_case_and_accents(
    ada: Person, scope: str, title: str, words: tuple[str, ...]
) -> None:
    await ada.event(title=title, visibility="public")
    await ada.event(title="Something else", visibility="public")
    for query in words:
        assert await found(ada, q=query, scope=scope) == [title], query


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Lunch", "unch"),
        ("Lunch", "lunches"),
        ("定例会議", "会議室"),
        ("定例会議", "定会"),
        ("が", "か"),
        ("x" * 60, "x" * 50 + "y"),
    ],
)
async def test_other_words_are_not_found(ada: Person, title: str, query: str) -> None:
    await ada.event(title=title)
    assert await found(ada, q=query) == []


async def test_whole_words_rank_before_beginnings_and_more_words_before_fewer(ada: Person) -> None:
    for title in ("Luncheon", "Lunch", "Lunch meeting", "Lunchtime meetings"):
        await ada.event(title=title)
    assert await found(ada, q="lunch meeting") == ["Lunch meeting", "Lunch", "Lunchtime meetings", "Luncheon"]
    assert await found(ada, q="lunch") == ["Lunch", "Lunch meeting", "Luncheon", "Lunchtime meetings"]


async def test_a_beginning_in_the_title_ranks_before_one_in_the_description(ada: Person) -> None:
    await ada.event(title="One", description="Lunch, then lunch, and lunch again")
    await ada.event(title="Two", location="Luncheonette")
    await ada.event(title="Lunchtime")
    assert await found(ada, q="lun") == ["Lunchtime", "Two", "One"]


async def test_words_of_single_occurrences_are_found_as_long_as_they_take_place(ada: Person, ben: Person) -> None:
    event = await ada.event(
        title="Rehearsal", start="2026-05-04", recurrence={"rrule": "FREQ=DAILY;COUNT=9"}, visibility="public"
    )
    occurrence = f"/events/{event['id']}/occurrences/2026-05-06"
    ok(await ada.patch(occurrence, json={"title": "Dress rehearsal", "location": "Straßentheater"}))
    for person, scope in ((ada, "mine"), (ben, "public"), (ben, "all")):
        for query in ("dress", "strassen", '"dress rehearsal"', "reh"):
            assert await found(person, q=query, scope=scope) == ["Rehearsal"]
    ok(await ada.delete(occurrence), 204)
    assert await found(ada, q="dress") == []
    assert await found(ada, q="rehearsal") == ["Rehearsal"]


async def test_phrases_and_exclusions_are_of_whole_words_in_one_field(ada: Person) -> None:
    for fields in (
        {"title": "Book launch"},
        {"title": "Book launches"},
        {"title": "Launch", "tags": ["book"]},
        {"title": "定例会議の準備"},
        {"title": "Straßenfest am Fluß"},
    ):
        await ada.event(**fields)
    assert await found(ada, q='"book launch"') == ["Book launch"]
    assert await found(ada, q='"book launch') == ["Book launch", "Book launches", "Launch"]
    assert await found(ada, q="launch -book") == []
    assert await found(ada, q="launch -launches") == ["Book launch", "Launch"]
    assert await found(ada, q='launch -"book launch"') == ["Launch", "Book launches"]
    assert await found(ada, q='"会議の準備"') == ["定例会議の準備"]
    assert await found(ada, q="定例 -会議") == []
    assert await found(ada, q='"STRASSENFEST AM FLUSS"') == ["Straßenfest am Fluß"]


async def test_a_word_at_the_end_of_the_longest_description_is_found(ada: Person) -> None:
    description = "a word and " * 1800
    await ada.event(title="Long", description=f"{description[: 20_000 - 7]} needle", location="Haystack")
    for query in ("needle", "need", "haystack", '"a word"'):
        assert await found(ada, q=query) == ["Long"]


async def test_of_very_many_different_words_the_first_are_found(ada: Person) -> None:
    words = [f"w{number}" for number in range(3000)]
    event = await ada.event(title="Many", description=" ".join(words), location="Haystack", tags=["tagged"])
    assert await found(ada, q="haystack tagged") == ["Many"]
    assert await found(ada, q=words[MAX_INDEXED_WORDS - 10]) == ["Many"]
    assert ok(await ada.get(f"/events/{event['id']}"))["description"] == " ".join(words)
