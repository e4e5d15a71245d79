"""What a page of a month costs, beside the JSON of the occurrences on it."""

import http.client
import re
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any
from urllib.parse import quote, urlencode

from bson import ObjectId
from pymongo import MongoClient

from tests.bench import cores
from tests.bench.months import stored
from tests.bench.sides import DATABASE, PASSWORD, Api, PlannerSide

EVENTS = 10_000
# The year around the middle of the events.
MONTHS = [date(2026 + n // 12, n % 12 + 1, 1) for n in range(5, 17)]
DAY = timedelta(days=1)


@dataclass
class MonthPages:
    """Milliseconds for the pages of twelve months, and for the JSON of the occurrences on each; how many these are.

    `processor` is the processor time of the server for each page, in milliseconds.
    """

    pages: list[list[float]] = field(default_factory=lambda: [[] for _ in MONTHS])
    json: list[list[float]] = field(default_factory=lambda: [[] for _ in MONTHS])
    processor: list[float] = field(default_factory=list)
    occurrences: list[int] = field(default_factory=lambda: [0 for _ in MONTHS])

    @property
    def slowest(self) -> float:
        """The page of the slowest month."""
        return max(median(taken) for taken in self.pages)

    @property
    def ratios(self) -> list[float]:
        """Page to JSON, for each month."""
        return [median(page) / median(json) for page, json in zip(self.pages, self.json, strict=True)]


def month_pages(planner: PlannerSide, mongo: str, rounds: int) -> MonthPages:
    """The page of each month, and the whole list of the occurrences on it, one request at a time and by turns."""
    result = MonthPages()
    token = planner.sign_up("months")
    api = Api(planner.port, token)
    creator = ObjectId(api.ask("GET", "/users/me")["id"])
    with MongoClient[dict[str, Any]](mongo) as client:
        client[DATABASE].events.insert_many(stored(creator, EVENTS))
    browser = _Browser(planner.port, "months@example.com")
    # The first round only warms up.
    for number in range(1 + rounds):
        for month, first in enumerate(MONTHS):
            used, begun = cores.processor_seconds(planner.pid), time.perf_counter()
            page = browser.get(f"/calendar/month/{first:%Y-%m}")
            took = (time.perf_counter() - begun) * 1000
            spent = (cores.processor_seconds(planner.pid) - used) * 1000
            begun = time.perf_counter()
            result.occurrences[month] = _count(api, *_days_on(page))
            listed = (time.perf_counter() - begun) * 1000
            if number:
                result.processor.append(spent)
                result.pages[month].append(took)
                result.json[month].append(listed)
    api.close()
    browser.close()
    return result


def _days_on(page: str) -> tuple[date, date]:
    """Return the first day on a page, and the day after the last one."""
    days = re.findall(r'data-date="([^"]+)"', page)
    return date.fromisoformat(days[0]), date.fromisoformat(days[-1]) + DAY


def _count(api: Api, first: date, after: date) -> int:
    """Read all occurrences in a window, and return how many there are."""
    count, cursor = 0, ""
    while True:
        answer = api.ask("GET", f"/events/occurrences?limit=200&from={first}&to={after}{cursor}")
        count += len(answer["items"])
        if answer["next"] is None:
            return count
        cursor = f"&cursor={quote(answer['next'])}"


class _Browser:
    """A browser that is signed in."""

    def __init__(self, port: int, email: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"Accept": "text/html"}
        page = self.get("/signin")
        token = re.search(r'name="form_token" value="([^"]+)"', page)
        assert token, page
        form = urlencode({"form_token": token[1], "email": email, "password": PASSWORD})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/signin", form, self._headers | kind)
        self._read()

    def get(self, path: str) -> str:
        self._connection.request("GET", path, headers=self._headers)
        return self._read()

    def _read(self) -> str:
        answer = self._connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 400, f"{answer.status}: {text[:300]}"
        if cookie := answer.getheader("set-cookie"):
            self._headers["Cookie"] = f"{self._headers.get('Cookie', '')}; {cookie.partition(';')[0]}".strip("; ")
        return text

    def close(self) -> None:
        self._connection.close()
