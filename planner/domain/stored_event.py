"""What the rules on values need to know of an event as it is stored.

The document of an event (`models/events/event.py`) satisfies the protocol here, so that no rule
depends on the database. The nested values are described here, because rules make and read them.
"""

from datetime import datetime
from typing import Any, Final, NotRequired, Protocol

from typing_extensions import TypedDict


class StoredRecurrence(TypedDict):
    """When a recurring event takes place besides its start; dates and local times are in ISO 8601."""

    rrule: str | None
    rdates: list[str]
    exdates: list[str]


class StoredOverride(TypedDict):
    """What differs in one occurrence of a recurring event.

    `id` is its recurrence id, and `start` its own local start, both in ISO 8601; `time_zone` is that of a time
    in an all-day event. `seconds` is its duration, and `fields` has its other fields by their names.
    `excluded` means that it does not take place. With `following`, all this differs in the later occurrences
    as well, as far as they have no override: see `ranges` in `planner/domain/recurrence/series.py` (`Series`).
    """

    id: str
    start: NotRequired[str]
    seconds: NotRequired[int]
    excluded: NotRequired[bool]
    following: NotRequired[bool]
    time_zone: NotRequired[str]
    fields: NotRequired[dict[str, Any]]


class ImportedLines(TypedDict):
    """What a VEVENT had that no field of an event can express: unfolded lines, and those of each VALARM."""

    lines: list[str]
    alarms: list[list[str]]


NO_LINES: Final = ImportedLines(lines=[], alarms=[])


class StoredVersion(TypedDict):
    """The SEQUENCE and the DTSTAMP of an imported VEVENT; it `is_separate` if it came without that of its series."""

    sequence: int
    stamp: NotRequired[datetime]
    is_separate: NotRequired[bool]


class StoredSource(TypedDict):
    """What the organizer of an imported event wrote last.

    `series` is the version of the event itself; it is missing if only occurrences of it were imported. `instances`
    has those of occurrences with an entry of their own (`planner/domain/ics/versions.py` (`build_instance_key`)).
    Its content is that of the event at `revision`, except for the fields in `base`.
    """

    series: NotRequired[StoredVersion]
    instances: NotRequired[dict[str, StoredVersion]]
    revision: int
    base: NotRequired[dict[str, Any]]


class StoredExtent(TypedDict):
    """The first instant and the end of an event, of all its occurrences if it repeats, and the class of its length."""

    begins: datetime
    ends: datetime
    span: int


class StoredSeries(StoredExtent):
    """The fields of an event that follow from its series.

    `seconds` is there if occurrences have a duration,
    and `nominal_days` if so many days of it are days by the clock.
    """

    start: str
    end: str | None
    all_day: bool
    recurrence: StoredRecurrence
    overrides: list[StoredOverride]
    repeats: bool
    seconds: NotRequired[int]
    nominal_days: NotRequired[int]


class TimesOfEvent(Protocol):
    """The times of a stored event; see `models/events/event.py` for what each field means."""

    @property
    def start(self) -> str | None: ...  # noqa: D102

    @property
    def end(self) -> str | None: ...  # noqa: D102

    @property
    def all_day(self) -> bool: ...  # noqa: D102

    @property
    def time_zone(self) -> str | None: ...  # noqa: D102

    @property
    def repeats(self) -> bool: ...  # noqa: D102

    @property
    def recurrence(self) -> StoredRecurrence | None: ...  # noqa: D102

    @property
    def seconds(self) -> int | None: ...  # noqa: D102

    @property
    def nominal_days(self) -> int | None: ...  # noqa: D102

    @property
    def overrides(self) -> list[StoredOverride]: ...  # noqa: D102

    @property
    def begins(self) -> datetime: ...  # noqa: D102

    @property
    def ends(self) -> datetime | None: ...  # noqa: D102


class BusyEvent(TimesOfEvent, Protocol):
    """What decides when an event takes time of its creator."""

    @property
    def status(self) -> str: ...  # noqa: D102

    @property
    def transparency(self) -> str: ...  # noqa: D102

    @property
    def declined(self) -> bool: ...  # noqa: D102


class StoredEvent(BusyEvent, Protocol):
    """What a file of events needs to know of one, besides the fields in `planner/domain/fields.py`."""

    @property
    def title(self) -> str: ...  # noqa: D102

    @property
    def end_time_zone(self) -> str | None: ...  # noqa: D102

    @property
    def revision(self) -> int: ...  # noqa: D102

    @property
    def sequence(self) -> int | None: ...  # noqa: D102

    @property
    def source(self) -> StoredSource | None: ...  # noqa: D102

    @property
    def created_at(self) -> datetime: ...  # noqa: D102

    @property
    def updated_at(self) -> datetime: ...  # noqa: D102
