"""A cache whose bound is a number of bytes."""

import random
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bson import encode

from database.queries import new_id
from models.events import event_times, event_view
from models.events.event import Event
from models.events.event_view import prepare_occurrences, render_raw
from models.files import event_export
from models.shared.json_rendering import to_cacheable_json, to_json
from planner.memory.cache import DEFAULT_MEGABYTES, ENTRY_BYTES, BoundedCache, limit_caches
from tests.support.documents import NOW, build_event


def test_what_was_put_is_found() -> None:
    cache: BoundedCache[str, int] = BoundedCache(100_000)
    assert cache.get("a") is None
    cache.put("a", 1, 10)
    assert cache.get("a") == 1
    cache.put("a", 2, 10)
    assert cache.get("a") == 2


def test_the_sizes_never_exceed_the_limit() -> None:
    chance = random.Random(1)
    cache: BoundedCache[int, int] = BoundedCache(100_000)
    for _ in range(10_000):
        key = chance.randrange(500)
        if cache.get(key) is None:
            cache.put(key, key, chance.randrange(5_000))
        assert cache.size <= 100_000
        assert cache.size >= len(cache) * ENTRY_BYTES


def test_what_is_used_is_kept_while_others_come_and_go() -> None:
    cache: BoundedCache[int, str] = BoundedCache(100_000)
    cache.put(-1, "used", 100)
    for number in range(10_000):
        cache.put(number, "once", 100)
        assert cache.get(-1) == "used"
    assert cache.get(0) is None


def test_what_is_too_large_is_not_kept() -> None:
    cache: BoundedCache[str, str] = BoundedCache(1_000)
    cache.put("a", "value", 250)
    assert cache.get("a") is None


def test_a_cache_can_be_cleared() -> None:
    cache: BoundedCache[str, int] = BoundedCache(100_000)
    cache.put("a", 1, 10)
    cache.clear()
    assert (cache.get("a"), cache.size, len(cache)) == (None, 0, 0)


def test_the_caches_of_a_process_share_what_the_setting_allows() -> None:
    caches = [cache for cache, _ in CACHES]
    assert sum(cache.limit for cache in caches) == DEFAULT_MEGABYTES * 2**20
    try:
        limit_caches(20)
        assert sum(cache.limit for cache in caches) == 20 * 2**20
        for raw in stored_events(300, None) * 2:
            render_raw(raw)
        assert event_view._views.size <= event_view._views.limit
    finally:
        limit_caches(DEFAULT_MEGABYTES)


def test_a_cache_without_memory_remembers_nothing() -> None:
    cache: BoundedCache[str, int] = BoundedCache(1_000)
    cache.scale(0)
    cache.put("a", 1, 10)
    assert (cache.get("a"), cache.size) == (None, 0)


def test_cacheable_json_takes_no_more_memory_than_it_needs() -> None:
    value = {"title": "x" * 500}
    assert to_cacheable_json(value) == to_json(value)
    with measured() as taken:
        kept = [to_cacheable_json(value) for _ in range(100)]
    assert taken() / len(kept) < 2 * len(kept[0])


@contextmanager
def measured() -> Iterator[Callable[[], int]]:
    """Yield a function that returns how many bytes Python has allocated since."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield lambda: tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def stored_events(words: int, rule: str | None) -> list[bytes]:
    """Return the bytes of events as they are read, without what is searched."""
    fields: dict[str, Any] = {"start": NOW.isoformat(), "description": "harbour " * words, "tags": ["outdoors"]}
    if rule is not None:
        fields["recurrence"] = {"rrule": rule}
    events = [build_event(new_id(), **fields) for _ in range(300)]
    return [encode({name: value for name, value in event.items() if name != str(Event.search)}) for event in events]


CACHES: list[tuple[BoundedCache[Any, Any], Callable[[bytes], Any]]] = [
    (event_view._views, render_raw),
    (event_view._occurring, prepare_occurrences),
    (event_export._vevents, lambda raw: list(event_export.render_cached_vevents(raw, for_editors=True))),
    (event_export._creators, event_export._read_creator),
    (event_times._scheduled, lambda raw: event_times._schedule_raw(raw, "UTC")),
]


@pytest.mark.parametrize("rule", [None, "FREQ=WEEKLY;COUNT=5"])
@pytest.mark.parametrize("words", [1, 40, 120])
def test_cached_events_take_no_more_memory_than_is_counted(words: int, rule: str | None) -> None:
    for cache, fill in CACHES:
        cache.clear()
        raws = stored_events(words, rule)
        fill(raws.pop())
        counted = cache.size
        with measured() as taken:
            for raw in raws:
                fill(bytes(bytearray(raw)))
            ratio = taken() / (cache.size - counted)
        cache.clear()
        assert 0.3 < ratio < 1.1, cache
