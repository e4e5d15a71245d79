"""Search for events by words and by place. See docs/decisions/0022-folded-words.md and 0031-size.md."""

from datetime import datetime
from typing import Any, NamedTuple

from database.aggregations import aggregate
from database.bson_values import decode
from database.queries import Filter, Id, Pipeline, starts_with, within
from database.reads import Slice, find_raw_by_ids
from models.events.event import CREATOR_CELLS, WORD_INDEX, Event
from models.events.event_queries import (
    NO_ID,
    EventSelection,
    exclude_creators,
    is_in_scope,
    near_filter,
    time_filters,
)
from models.events.event_view import EventView, render_raw
from models.events.public_event_index import PublicEventIndex
from planner.domain.cursors import SearchRank
from planner.domain.search.cells import list_cells_of_circle, list_tag_cells
from planner.domain.search.query import (
    SearchQuery,
    format_phrase_pattern,
    format_prefix_pattern,
    list_index_prefixes,
    parse_search,
)
from planner.domain.times import build_order_key

# So many public events with a word are ranked, of those after and of those before the present day; with a phrase or
# an excluded word, so many are searched for it.
MAX_CANDIDATES = 500
MAX_SEARCHED_CANDIDATES = 2_000
# A larger circle excludes too few events.
MAX_LOCAL_KM = 500
# The names that the pipeline gives to the relevance of an event, to the best ones, and to how many were examined.
_SCORE, _FOUND, _EXAMINED = "score", "found", "examined"
_TEXT = within(Event.search, "text")
_WORDS = within(Event.search, "words")


class FoundEvents(NamedTuple):
    """Events that contain some words, by relevance; `last` is the rank of the last of them, if there are more.

    `is_truncated` says that there are too many with one of the words, and only some were ranked.
    """

    views: list[EventView]
    last: SearchRank | None
    is_truncated: bool


async def search_words(
    selection: EventSelection, text: str, after: SearchRank | None, limit: int, today: datetime
) -> FoundEvents:
    """Return the first selected events after a rank that a query finds, by relevance, then by key."""
    query = parse_search(text)
    if not query.terms:
        return FoundEvents([], None, is_truncated=False)
    pipeline = words_pipeline(selection, query, after, limit + 1, today)
    if selection.scope == "public":
        rows = await aggregate(PublicEventIndex, pipeline)
    else:
        rows = await aggregate(Event, pipeline, use_index=WORD_INDEX)
    parts = list(map(decode, rows))
    ranked = {row[Event.id]: SearchRank(float(row[_SCORE]), row[Event.key]) for part in parts for row in part[_FOUND]}
    best = sorted(ranked, key=lambda found: (-ranked[found].score, ranked[found].key))[: limit + 1]
    examined = [counted["n"] for part in parts for counted in part.get(_EXAMINED, ())]
    is_truncated = any(number > _count_candidates(query) for number in examined)
    views = await _read_visible(best[:limit], selection)
    return FoundEvents(views, ranked[best[limit - 1]] if len(best) > limit else None, is_truncated)


async def _read_visible(ids: list[Id], selection: EventSelection) -> list[EventView]:
    """Return the events with these ids; one that was public when it was found may have become private since."""
    stored = await find_raw_by_ids(Event, ids) if ids else {}
    views = [render_raw(stored[id]) for id in ids if id in stored]
    return [view for view in views if is_in_scope(selection.scope, selection.caller, view)]


async def search_place(selection: EventSelection, after: str | None, limit: int) -> Slice[EventView]:
    """Return the first selected events in a circle with a key after this one, in the order of their keys."""
    start = PublicEventIndex if selection.scope == "public" else Event
    # Without a window, the server sometimes chooses the index by account and key, and reads all events of the account.
    index = CREATOR_CELLS if start is Event and selection.window[0] is None else None
    while True:
        rows = await aggregate(start, place_pipeline(selection, after, limit + 1), use_index=index)
        found: list[Filter] = list(map(decode, rows))
        keys = {row[Event.id]: row[Event.key] for row in found[:limit]}
        views = [view for view in await _read_visible(list(keys), selection) if view.key == keys[Id(view.id)]]
        # If every event of the page was changed since it was found, the next page takes its place.
        if views or len(found) <= limit:
            return Slice(views, len(found) > limit)
        after = found[limit - 1][Event.key]


def words_pipeline(
    selection: EventSelection, query: SearchQuery, after: SearchRank | None, limit: int, today: datetime
) -> Pipeline:
    """Return the stages that find words and rank the events with them, in one round trip.

    They yield a document for each part of the search: the best events; and of public ones, how many were examined.
    """
    rank = _rank_stages(query, after, limit)
    parts = [_own_part(selection, query, rank)] if selection.scope != "public" else []
    if selection.scope != "mine":
        checks = _list_checks(query)
        checked: Pipeline = [{"$match": checks}] if checks else []
        for match in _list_candidates(selection, query, today):
            order: Pipeline = [{"$sort": {Event.key: 1}}] if _is_local(selection) else []
            candidates: Pipeline = [{"$match": match}, *order, {"$limit": _count_candidates(query) + 1}]
            ranking: dict[str, Any] = {_FOUND: [*checked, *rank], _EXAMINED: [{"$count": "n"}]}
            parts.append([*candidates, {"$facet": ranking}])
    unions = [{"$unionWith": {"coll": PublicEventIndex.Settings.name, "pipeline": part}} for part in parts[1:]]
    return [*parts[0], *unions]


def _own_part(selection: EventSelection, query: SearchQuery, rank: Pipeline) -> Pipeline:
    """Return the stages that rank one's own events with the words, however many there are."""
    since, until = selection.window
    match = {Event.creator: selection.caller, _WORDS: starts_with(list_index_prefixes(query))}
    match |= _list_conditions(selection) | _list_checks(query)
    if until is not None:
        match[Event.key] = {"$lt": build_order_key(until, NO_ID)}
    if since is not None:
        match[Event.ends] = {"$gt": since}
    return [{"$match": match}, {"$facet": {_FOUND: rank}}]


def _list_candidates(selection: EventSelection, query: SearchQuery, today: datetime) -> list[Filter]:
    """Return the filters of the public events that are ranked; an index has each in the order of words and keys.

    Without a window these are, for each word, the events that begin today or later, and those before. With one
    that has a start, they are those that begin about then, and those that began long before and go on. In a small
    circle, they are in the order of keys alone, and the server chooses whether to look first for the word or the place.
    """
    since, until = selection.window
    if since is not None:
        first, *others = (_without_repeats(times) for times in time_filters(selection, None))
        groups: list[list[Filter]] = [[first], others]
    else:
        pivot = build_order_key(today if until is None else min(today, until), NO_ID)
        later: Filter = {"$gte": pivot} if until is None else {"$gte": pivot, "$lt": build_order_key(until, NO_ID)}
        groups = [[{Event.key: later}], [{Event.key: {"$lt": pivot}}]]
    conditions = _list_placed_conditions(selection) if _is_local(selection) else _list_wanted_conditions(selection)
    found: list[Filter] = []
    for prefix in list_index_prefixes(query):
        word = {_WORDS: starts_with([prefix])}
        for group in groups:
            # Everything is inside the branches: the server plans each by itself only if nothing is beside the `$or`.
            branches = [word | times | conditions for times in group]
            found.append(branches[0] if len(branches) == 1 else {"$or": branches})
    return found


def _without_repeats(times: Filter) -> Filter:
    """Return the filter as the copies of public events know it, in which the span alone tells what recurs."""
    return {name: condition for name, condition in times.items() if name != Event.repeats}


def _count_candidates(query: SearchQuery) -> int:
    """Return how many of the public events with a word are examined."""
    return MAX_SEARCHED_CANDIDATES if _list_checks(query) else MAX_CANDIDATES


def _list_conditions(selection: EventSelection) -> Filter:
    """Return the filter of the tag and the circle."""
    tagged: Filter = {} if selection.tag is None else {Event.tag_keys: selection.tag}
    return tagged | near_filter(selection.near)


def _list_wanted_conditions(selection: EventSelection) -> Filter:
    """Return the same filter for public events, without those of accounts that are not wanted."""
    excluded = [selection.caller] if selection.scope == "all" else []
    return _list_conditions(selection) | exclude_creators(*excluded)


def _list_placed_conditions(selection: EventSelection) -> Filter:
    """Return the same filter with the cells that cover the circle, by which an index finds the events."""
    assert selection.near is not None
    cells = list_cells_of_circle(selection.near)
    tagged = cells if selection.tag is None else list_tag_cells(cells, [selection.tag])
    return _list_wanted_conditions(selection) | {Event.cells: {"$in": tagged}}


def _is_local(selection: EventSelection) -> bool:
    """Return whether the events are in a circle so small that looking first for the place can be best."""
    return selection.near is not None and selection.near.km <= MAX_LOCAL_KM


def _list_checks(query: SearchQuery) -> Filter:
    """Return the filter of what is searched in the texts of the events that have one of the words."""
    required: list[Filter] = [{_TEXT: {"$regex": format_phrase_pattern(phrase)}} for phrase in query.phrases]
    required += [{_TEXT: {"$not": {"$regex": format_phrase_pattern(phrase)}}} for phrase in query.excluded]
    return {"$and": required} if required else {}


def _rank_stages(query: SearchQuery, after: SearchRank | None, limit: int) -> Pipeline:
    """Return the stages that rank events and keep the best; the public copies have the same names of fields."""
    # The index contains only the beginning of a long word: an event with another word has a score of 0.
    rank: Filter = {_SCORE: {"$gt": 0}}
    if after is not None:
        is_equally_relevant: Filter = {_SCORE: after.score, Event.key: {"$gt": after.key}}
        rank["$or"] = [{_SCORE: {"$lt": after.score}}, is_equally_relevant]
    score = {"$sum": [_score_term(term) for term in query.terms]}
    return [
        {"$project": {Event.key: 1, _SCORE: score}},
        {"$match": rank},
        {"$sort": {_SCORE: -1, Event.key: 1}},
        {"$limit": limit},
    ]


def _score_term(term: str) -> dict[str, Any]:
    """Return the expression of what a term counts: the weight of the best field with it, twice for a whole word."""
    whole = {"$multiply": [2, _find_weight(format_phrase_pattern(term))]}
    return {"$max": [whole, _find_weight(format_prefix_pattern(term))]}


def _find_weight(pattern: str) -> dict[str, Any]:
    """Return the expression of the weight at the start of the first line that matches; null if none does."""
    match: dict[str, Any] = {"$regexFind": {"input": f"${_TEXT}", "regex": rf"^(\d+)(?: .*)?{pattern}", "options": "m"}}
    return {"$let": {"vars": {"match": match}, "in": {"$toInt": {"$first": "$$match.captures"}}}}


def place_pipeline(selection: EventSelection, after: str | None, limit: int) -> Pipeline:
    """Return the stages that find the ids and keys of the events in a circle, in the order of their keys.

    An index has the events of each cell in this order, and the server merges those of the cells that cover the circle.
    Each branch is a query of its own: of one `$or`, the server would merge at most 200 cells.
    """
    assert selection.near is not None
    times = list(time_filters(selection, after))
    first: Pipeline = [{"$sort": {Event.key: 1}}, {"$limit": limit}]
    branches: list[tuple[str, Filter]] = []
    if selection.scope != "public":
        own: Filter = {Event.creator: selection.caller, Event.cells: {"$in": list_cells_of_circle(selection.near)}}
        branches += [(Event.Settings.name, own | _list_conditions(selection) | each) for each in times]
    if selection.scope != "mine":
        public = _list_placed_conditions(selection)
        branches += [(PublicEventIndex.Settings.name, public | _without_repeats(each)) for each in times]
    parts = [(name, [{"$match": match}, *first, {"$project": {Event.key: 1}}]) for name, match in branches]
    unions = [{"$unionWith": {"coll": name, "pipeline": part}} for name, part in parts[1:]]
    return [*parts[0][1], *unions, *(first if unions else [])]
