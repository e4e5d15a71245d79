"""Search for events by words and by place. See docs/decisions/0022-folded-words.md."""

from typing import Any, NamedTuple

from database.aggregations import aggregate, decode_outer
from database.queries import Filter, Pipeline, starts_with, within
from database.reads import Slice
from models.events.event import WORD_INDEX, Event
from models.events.event_queries import NO_ID, EventSelection, exclude_creators, list_branches, near_filter
from models.events.event_view import EventView, render_raw
from models.events.public_event_index import PublicEventIndex
from planner.domain.cursors import SearchRank
from planner.domain.search.query import (
    SearchQuery,
    format_phrase_pattern,
    format_prefix_pattern,
    list_index_prefixes,
    parse_search,
)
from planner.domain.times import build_order_key

# The names that the pipeline gives to the relevance of an event, and to the event itself.
_SCORE, _EVENT = "score", "event"
_TEXT = within(Event.search, "text")


class FoundEvents(NamedTuple):
    """Events that contain some words, by relevance; `last` is the rank of the last of them, if there are more."""

    views: list[EventView]
    last: SearchRank | None


async def search_words(selection: EventSelection, text: str, after: SearchRank | None, limit: int) -> FoundEvents:
    """Return the first selected events after a rank that a query finds, by relevance, then by key."""
    query = parse_search(text)
    if not query.terms:
        return FoundEvents([], None)
    pipeline = words_pipeline(selection, query, after, limit + 1)
    if selection.scope == "public":
        rows = await aggregate(PublicEventIndex, pipeline)
    else:
        rows = await aggregate(Event, pipeline, use_index=WORD_INDEX)
    found = [decode_outer(row) for row in rows]
    views = [render_raw(row[_EVENT]) for row in found[:limit] if _EVENT in row]
    # An event that was public when it was found may have become private before it was read.
    visible = [view for view in views if view.creator == selection.caller or view.visibility == "public"]
    last = found[limit - 1] if len(found) > limit else None
    return FoundEvents(visible, SearchRank(float(last[_SCORE]), last[Event.key]) if last else None)


async def search_place(selection: EventSelection, after: str | None, limit: int) -> Slice[EventView]:
    """Return the first selected events in a circle with a key after this one, in the order of their keys."""
    found = await aggregate(Event, place_pipeline(selection, after, limit + 1))
    return Slice([render_raw(raw) for raw in found[:limit]], len(found) > limit)


def words_pipeline(selection: EventSelection, query: SearchQuery, after: SearchRank | None, limit: int) -> Pipeline:
    """Return the stages that find words, rank the events with them, and read these, in one round trip."""
    own = _score_stages({Event.creator: selection.caller}, selection, query, after)
    is_of_others = exclude_creators(selection.caller) if selection.scope == "all" else exclude_creators()
    public = _score_stages(is_of_others, selection, query, after)
    found = own if selection.scope == "mine" else public
    if selection.scope == "all":
        found = [*own, {"$unionWith": {"coll": PublicEventIndex.Settings.name, "pipeline": public}}]
    read: dict[str, Any] = {"from": Event.Settings.name, "localField": Event.id, "foreignField": Event.id, "as": _EVENT}
    read["pipeline"] = [{"$project": Event.fields_to_read}]
    return [
        *found,
        {"$sort": {_SCORE: -1, Event.key: 1}},
        {"$limit": limit},
        {"$lookup": read},
        {"$unwind": {"path": f"${_EVENT}", "preserveNullAndEmptyArrays": True}},
    ]


def _score_stages(owner: Filter, selection: EventSelection, query: SearchQuery, after: SearchRank | None) -> Pipeline:
    """Return the stages that find words; the public copies have the same names of fields as events."""
    since, until = selection.window
    match = owner | {within(Event.search, "words"): starts_with(list_index_prefixes(query))}
    match |= near_filter(selection.near)
    if selection.tag is not None:
        match[Event.tag_keys] = selection.tag
    if until is not None:
        match[Event.key] = {"$lt": build_order_key(until, NO_ID)}
    if since is not None:
        match[Event.ends] = {"$gt": since}
    required: list[Filter] = [{_TEXT: {"$regex": format_phrase_pattern(phrase)}} for phrase in query.phrases]
    required += [{_TEXT: {"$not": {"$regex": format_phrase_pattern(phrase)}}} for phrase in query.excluded]
    if required:
        match["$and"] = required
    # The index contains only the beginning of a long word: an event with another word has a score of 0.
    rank: Filter = {_SCORE: {"$gt": 0}}
    if after is not None:
        is_equally_relevant: Filter = {_SCORE: after.score, Event.key: {"$gt": after.key}}
        rank["$or"] = [{_SCORE: {"$lt": after.score}}, is_equally_relevant]
    score = {"$sum": [_score_term(term) for term in query.terms]}
    return [{"$match": match}, {"$project": {Event.key: 1, _SCORE: score}}, {"$match": rank}]


def _score_term(term: str) -> dict[str, Any]:
    """Return the expression of what a term counts: the weight of the best field with it, twice for a whole word."""
    whole = {"$multiply": [2, _find_weight(format_phrase_pattern(term))]}
    return {"$max": [whole, _find_weight(format_prefix_pattern(term))]}


def _find_weight(pattern: str) -> dict[str, Any]:
    """Return the expression of the weight at the start of the first line that matches; null if none does."""
    match: dict[str, Any] = {"$regexFind": {"input": f"${_TEXT}", "regex": rf"^(\d+)(?: .*)?{pattern}", "options": "m"}}
    return {"$let": {"vars": {"match": match}, "in": {"$toInt": {"$first": "$$match.captures"}}}}


def place_pipeline(selection: EventSelection, after: str | None, limit: int) -> Pipeline:
    """Return the stages that find the events in a circle, in the order of their keys.

    Each branch is a query of its own, so that the server chooses for each whether to look first at the
    place or at the time. For the branches of one `$or` it would use the plan of the first circle again.
    """
    first: Pipeline = [{"$sort": {Event.key: 1}}, {"$limit": limit}]
    branches = [[{"$match": match}, *first] for match in list_branches(selection, after)]
    unions = [{"$unionWith": {"coll": Event.Settings.name, "pipeline": branch}} for branch in branches[1:]]
    return [*branches[0], *unions, *(first if unions else []), {"$project": Event.fields_to_read}]
