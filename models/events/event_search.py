"""Search for events by words and by place. See docs/decisions/0013-search.md."""

from typing import NamedTuple

from database.aggregations import aggregate, decode_outer
from database.queries import Filter, Pipeline
from database.reads import Slice
from models.events.event import Event
from models.events.event_queries import NO_ID, EventSelection, list_branches, near_filter
from models.events.event_view import EventView, render_raw
from models.events.public_event_index import PublicEventIndex
from planner.domain.cursors import SearchRank
from planner.domain.times import build_order_key

# The names that the pipeline gives to the relevance of an event, and to the event itself.
_SCORE, _EVENT = "score", "event"


class FoundEvents(NamedTuple):
    """Events that contain some words, by relevance; `last` is the rank of the last of them, if there are more."""

    views: list[EventView]
    last: SearchRank | None


async def search_words(selection: EventSelection, words: str, after: SearchRank | None, limit: int) -> FoundEvents:
    """Return the first selected events after a rank that contain any of the words, by relevance, then by key."""
    document = PublicEventIndex if selection.scope == "public" else Event
    pipeline = words_pipeline(selection, words, after, limit + 1)
    found = [decode_outer(raw) for raw in await aggregate(document, pipeline)]
    rows = found[:limit]
    views = [render_raw(row[_EVENT]) for row in rows if _EVENT in row]
    # An event that was public when it was found may have become private before it was read.
    visible = [view for view in views if view.creator == selection.caller or view.visibility == "public"]
    return FoundEvents(visible, SearchRank(rows[-1][_SCORE], rows[-1][Event.key]) if len(found) > limit else None)


async def search_place(selection: EventSelection, after: str | None, limit: int) -> Slice[EventView]:
    """Return the first selected events in a circle with a key after this one, in the order of their keys."""
    found = await aggregate(Event, place_pipeline(selection, after, limit + 1))
    return Slice([render_raw(raw) for raw in found[:limit]], len(found) > limit)


def words_pipeline(selection: EventSelection, words: str, after: SearchRank | None, limit: int) -> Pipeline:
    """Return the stages that find words, rank the events with them, and read these, in one round trip."""
    own = _score_stages({Event.creator: selection.caller}, selection, words, after)
    is_of_others: Filter = {Event.creator: {"$ne": selection.caller}} if selection.scope == "all" else {}
    public = _score_stages(is_of_others, selection, words, after)
    found = own if selection.scope == "mine" else public
    if selection.scope == "all":
        found = [*own, {"$unionWith": {"coll": PublicEventIndex.Settings.name, "pipeline": public}}]
    read = {"from": Event.Settings.name, "localField": Event.id, "foreignField": Event.id, "as": _EVENT}
    return [
        *found,
        {"$sort": {_SCORE: -1, Event.key: 1}},
        {"$limit": limit},
        {"$lookup": read},
        {"$unwind": {"path": f"${_EVENT}", "preserveNullAndEmptyArrays": True}},
    ]


def _score_stages(owner: Filter, selection: EventSelection, words: str, after: SearchRank | None) -> Pipeline:
    """Return the stages that find words; the public copies have the same names of fields as events."""
    since, until = selection.window
    match = owner | {"$text": {"$search": words}} | near_filter(selection.near)
    if selection.tag is not None:
        match[Event.tags] = selection.tag
    if until is not None:
        match[Event.key] = {"$lt": build_order_key(until, NO_ID)}
    if since is not None:
        match[Event.ends] = {"$gt": since}
    stages: Pipeline = [{"$match": match}, {"$project": {Event.key: 1, _SCORE: {"$meta": "textScore"}}}]
    if after is not None:
        is_equally_relevant: Filter = {_SCORE: after.score, Event.key: {"$gt": after.key}}
        stages.append({"$match": {"$or": [{_SCORE: {"$lt": after.score}}, is_equally_relevant]}})
    return stages


def place_pipeline(selection: EventSelection, after: str | None, limit: int) -> Pipeline:
    """Return the stages that find the events in a circle, in the order of their keys.

    Each branch is a query of its own, so that the server chooses for each whether to look first at the
    place or at the time. For the branches of one `$or` it would use the plan of the first circle again.
    """
    first: Pipeline = [{"$sort": {Event.key: 1}}, {"$limit": limit}]
    branches = [[{"$match": match}, *first] for match in list_branches(selection, after)]
    unions = [{"$unionWith": {"coll": Event.Settings.name, "pipeline": branch}} for branch in branches[1:]]
    return [*branches[0], *unions, *(first if unions else [])]
