"""What 64 people have and ask for: any event, a page of their own, and the mix of a day."""

import http.client
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from database.queries import Id
from models.events.event import Event
from models.events.event_draft import build_content
from models.events.event_schema import EventCreate
from planner.domain.recurrence.documents import build_series
from planner.domain.times import resolve_times
from tests.bench import floor
from tests.bench.load import request
from tests.bench.sides import BODY, CONNECTIONS, DATABASE, EACH, EVENT, Api, PlannerSide

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
# Of a hundred dated events these repeat every week, without an end.
REPEATING = 5
WORDS = ("harbour", "rowing", "lighthouse", "boathouse")
# How often each of these is asked for in the mix, of two hundred requests.
DAY = {"own": 52, "month": 32, "get": 36, "changes": 28, "feed": 16, "search": 12, "create": 10, "patch": 8, "undo": 3}
# So many of the accounts write; the calendar programs of the others ask for their feeds.
WRITERS = 32
Requests = list[list[bytes]]


def build_event(creator: ObjectId, start: datetime | None = None, rule: str | None = None) -> dict[str, Any]:
    """Return an event as the planner stores it."""
    dates = {} if start is None else {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    draft = EventCreate.model_validate(EVENT | dates)
    times = resolve_times(draft.start, draft.end, None, draft.time_zone)
    series = None if rule is None else build_series(times, rule, (), ())
    return Event.new(Id(creator), build_content(draft, times, series), now=NOW).to_stored()


def seed_planner(mongo: str, creators: Sequence[ObjectId]) -> list[list[ObjectId]]:
    """Give each account EACH events without a date; returns their ids."""
    events = [[build_event(creator) for _ in range(EACH)] for creator in creators]
    with MongoClient[dict[str, Any]](mongo) as client:
        for each in events:
            client[DATABASE].events.insert_many(each)
    return [[event["_id"] for event in each] for each in events]


def seed_floor(mongo: str, creators: Sequence[ObjectId]) -> list[list[ObjectId]]:
    """Give each account of the floor as many events; returns their ids."""
    ids = [[ObjectId() for _ in range(EACH)] for _ in creators]
    with MongoClient[dict[str, Any]](mongo) as client:
        for creator, each in zip(creators, ids, strict=True):
            client[floor.DATABASE].events.insert_many(EVENT | {"_id": id, "creator": creator} for id in each)
    return ids


def ask_any(path: str, tokens: Sequence[str], ids: Sequence[Sequence[ObjectId]]) -> Requests:
    """Return requests for one of all events at random, each by its creator, for each connection."""
    asked = [request("GET", f"{path}/{id}", token) for token, each in zip(tokens, ids, strict=True) for id in each]
    chance = random.Random(1)
    return [chance.sample(asked, len(asked) // 4) for _ in range(CONNECTIONS)]


def ask_own(path: str, tokens: Sequence[str]) -> Requests:
    """Return requests of each account for a page of its own events, for each connection."""
    asked = [request("GET", path, token) for token in tokens]
    return [asked[n::CONNECTIONS] for n in range(CONNECTIONS)]


class Day:
    """A day's mix: what each of the 64 accounts asks for, in the proportions of `DAY`."""

    def __init__(self, planner: PlannerSide, mongo: str) -> None:
        self._port = planner.port
        self._accounts = [self._prepare(n, token) for n, token in enumerate(planner.tokens)]
        self._seed(mongo)
        for n, account in enumerate(self._accounts):
            account["changes"] = [self._changes(planner.tokens[n])]
            account["feed"] = [] if n < WRITERS else [self._feed(planner.tokens[n])]

    def clients(self) -> Requests:
        """Return what each connection asks, for its accounts in turn."""
        return [self._client(n) for n in range(CONNECTIONS)]

    def _client(self, number: int) -> list[bytes]:
        chance = random.Random(number)
        accounts = self._accounts[number::CONNECTIONS]
        writers, readers = accounts[: len(accounts) // 2], accounts[len(accounts) // 2 :]
        groups = []
        for kind, share in DAY.items():
            some = readers if kind == "feed" else writers if kind in ("create", "patch", "undo") else accounts
            for turn in range(share):
                asked = some[turn % len(some)][kind]
                groups.append(asked if kind == "undo" else [chance.choice(asked)])
        chance.shuffle(groups)
        return [each for group in groups for each in group]

    def _prepare(self, number: int, token: str) -> dict[str, list[bytes]]:
        """Return the requests of an account; two events of a writer are changed again and again."""
        api = Api(self._port, token)
        changed, deleted = (api.ask("POST", "/events", EVENT)["id"] for _ in range(2))
        api.close()
        months = (f"from=2026-{month}-01T00:00:00Z&to=2026-{month + 1}-01T00:00:00Z" for month in (10, 11))
        patches = (json.dumps({"title": f"Harbour walk {turn}"}).encode() for turn in range(8))
        return {
            "own": [request("GET", "/api/v1/events?limit=50", token)],
            "month": [request("GET", f"/api/v1/events/occurrences?limit=200&{month}", token) for month in months],
            "search": [request("GET", f"/api/v1/events?q={word}", token) for word in WORDS],
            "create": [request("POST", "/api/v1/events", token, BODY)],
            "patch": [request("PATCH", f"/api/v1/events/{changed}", token, patch) for patch in patches],
            # Deleting an event, and restoring it.
            "undo": [
                request("DELETE", f"/api/v1/events/{deleted}", token),
                request("POST", f"/api/v1/events/{deleted}/restore", token, b"{}"),
            ],
            "get": [request("GET", f"/api/v1/events/{changed}", token)],
        }

    def _seed(self, mongo: str) -> None:
        """Give each account EACH events in two months around NOW, of which some repeat."""
        with MongoClient[dict[str, Any]](mongo) as client:
            database = client[DATABASE]
            names = [f"author{n}@example.com" for n in range(len(self._accounts))]
            creators = {user["email"]: user["_id"] for user in database.users.find({"email": {"$in": names}})}
            for name in names:
                starts = (NOW + timedelta(hours=12 * (n - EACH // 2)) for n in range(EACH))
                rules = ("FREQ=WEEKLY" if n % 100 < REPEATING else None for n in range(EACH))
                events = map(build_event, [creators[name]] * EACH, starts, rules)
                database.events.insert_many(events)

    def _changes(self, token: str) -> bytes:
        """Return the request for what has changed since now."""
        api, since = Api(self._port, token), ""
        while True:
            page = api.ask("GET", f"/events/changes?limit=200{since and f'&since={since}'}")
            since = page["next"]
            if not page["items"]:
                break
        api.close()
        return request("GET", f"/api/v1/events/changes?since={since}", token)

    def _feed(self, token: str) -> bytes:
        """Return the request of a calendar program that has the current version of a feed."""
        api = Api(self._port, token)
        path = "/api/v1/feeds/" + str(api.ask("POST", "/feeds", {"name": "Bench"})["url"]).rpartition("/")[2]
        api.close()
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return request("GET", path).replace(
            b"\r\n\r\n", f"\r\nif-none-match: {answer.headers['etag']}\r\n\r\n".encode()
        )
