"""Events by what is said in them, and by where they are."""

from typing import Any, NamedTuple

from database.aggregations import aggregate, decode_outer
from database.queries import Filter, Id, Stored
from models.events.event import Event
from models.events.event_queries import NO_ID, Window, near_by, parts
from models.events.event_schema import Scope
from models.events.event_view import rendered
from models.events.public_event_index import PublicEventIndex
from models.shared.views import Page
from planner.domain.cursors import SearchRank, encode_cursor, encode_search_cursor
from planner.domain.geo import Circle
from planner.domain.times import build_order_key


class SearchScope(NamedTuple):
    """Which events are looked for: those of a scope that a window, a tag and a circle leave."""

    scope: Scope
    caller: Id
    window: Window = (None, None)
    tag: str | None = None
    near: Circle | None = None


async def search(sought: SearchScope, words: str, after: SearchRank | None, limit: int) -> Page:
    """A page of the events in which any of the words is found, by how well, then start, then id."""
    document = PublicEventIndex if sought.scope == "public" else Event
    found = [decode_outer(raw) for raw in await aggregate(document, ranked(sought, words, after, limit + 1))]
    rows = found[:limit]
    views = [rendered(row["event"]) for row in rows if "event" in row]
    # One that was public when it was found may have become private before it was read.
    seen = [view.json for view in views if view.creator == sought.caller or view.visibility == "public"]
    last = SearchRank(rows[-1]["score"], rows[-1]["key"]) if len(found) > limit else None
    return Page(seen, encode_search_cursor(last, words) if last else None)


async def nearby(sought: SearchScope, after: str | None, limit: int) -> Page:
    """A page of the events in the circle, in the order of `key`."""
    found = [rendered(raw) for raw in await aggregate(Event, in_order(sought, after, limit + 1))]
    more = len(found) > limit
    return Page([view.json for view in found[:limit]], encode_cursor(found[limit - 1].key) if more else None)


def ranked(sought: SearchScope, words: str, after: SearchRank | None, limit: int) -> list[Stored]:
    """The stages that find words, rank what they are found in, and fetch it, in one round trip."""
    own = _scored({"creator": sought.caller}, sought, words, after)
    others = _scored({"creator": {"$ne": sought.caller}} if sought.scope == "all" else {}, sought, words, after)
    found = own if sought.scope == "mine" else others
    if sought.scope == "all":
        found = [*own, {"$unionWith": {"coll": PublicEventIndex.Settings.name, "pipeline": others}}]
    return [
        *found,
        {"$sort": {"score": -1, "key": 1}},
        {"$limit": limit},
        {"$lookup": {"from": Event.Settings.name, "localField": "_id", "foreignField": "_id", "as": "event"}},
        {"$unwind": {"path": "$event", "preserveNullAndEmptyArrays": True}},
    ]


def _scored(whose: Filter, sought: SearchScope, words: str, after: SearchRank | None) -> list[Stored]:
    since, until = sought.window
    match: dict[str, Any] = whose | {"$text": {"$search": words}} | near_by(sought.near)
    if sought.tag is not None:
        match["tags"] = sought.tag
    if until is not None:
        match["key"] = {"$lt": build_order_key(until, NO_ID)}
    if since is not None:
        match["ends"] = {"$gt": since}
    stages: list[Stored] = [{"$match": match}, {"$project": {"key": 1, "score": {"$meta": "textScore"}}}]
    if after is not None:
        same = {"score": after.score, "key": {"$gt": after.key}}
        stages.append({"$match": {"$or": [{"score": {"$lt": after.score}}, same]}})
    return stages


def in_order(sought: SearchScope, after: str | None, limit: int) -> list[Stored]:
    """The stages that find what lies in the circle, in the order of `key`.

    Each branch is a query by itself: whether few lie in the circle, or many and those that come
    first are wanted, is found out anew for each. Branches of one `$or` would be answered as they
    were for the first circle that somebody asked for.
    """
    first: list[Stored] = [{"$sort": {"key": 1}}, {"$limit": limit}]
    branches = [
        [{"$match": match}, *first]
        for match in parts(sought.scope, sought.caller, sought.window, sought.tag, after, sought.near)
    ]
    unions = [{"$unionWith": {"coll": Event.Settings.name, "pipeline": branch}} for branch in branches[1:]]
    return [*branches[0], *unions, *(first if unions else [])]
