"""A cache whose bound is a number of bytes."""

from collections.abc import Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
# What the two dictionaries and the tuple take for each entry, about.
ENTRY_BYTES = 250
# What the caches of a process take together, at most, unless `limit_caches` says otherwise.
DEFAULT_MEGABYTES = 80


class BoundedCache(Generic[K, V]):
    """Remembers values by their keys, in at most `limit` bytes by the sizes that it is given.

    The limit is this cache's part of `DEFAULT_MEGABYTES`.

    It has two halves. What is put or found is in the newer one; when that is full, it becomes the older one, and what
    was in the older one and has not been found since is forgotten. So what is used goes on to be remembered, and a
    value that is found costs little more than an access to a dictionary.
    """

    def __init__(self, limit: int) -> None:
        self._part = limit
        self.limit = limit
        self._new: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}
        self._new_size = 0
        self._old_size = 0
        _caches.add(self)

    def scale(self, factor: float) -> None:
        """Change the limit to this multiple of the first one. What is too much by then is forgotten soon."""
        self.limit = int(self._part * factor)

    @property
    def size(self) -> int:
        """The sizes of all that is remembered."""
        return self._new_size + self._old_size

    def __len__(self) -> int:
        """Return how many values are remembered; one in both halves counts twice."""
        return len(self._new) + len(self._old)

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None."""
        found = self._new.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self._add(key, found)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Remember a value, which takes so many bytes with its key; one that takes a quarter of `limit` is not."""
        if size < self.limit // 4:
            self._add(key, (value, size + ENTRY_BYTES))

    def clear(self) -> None:
        """Forget everything."""
        self._new, self._old = {}, {}
        self._new_size = self._old_size = 0

    def _add(self, key: K, entry: tuple[V, int]) -> None:
        # Of two that are computed for one key at the same time, the second one replaces the first one.
        known = self._new.get(key)
        size = self._new_size + entry[1] - (0 if known is None else known[1])
        if size > self.limit // 2:
            self._old, self._old_size = self._new, self._new_size
            self._new, size = {}, entry[1]
        self._new[key] = entry
        self._new_size = size


_caches: WeakSet[BoundedCache[Any, Any]] = WeakSet()


def limit_caches(megabytes: int) -> None:
    """Let all caches of this process take so many megabytes together, in the same proportions as before."""
    for cache in _caches:
        cache.scale(megabytes / DEFAULT_MEGABYTES)
