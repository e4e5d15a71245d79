"""What the organizer of an event says, after an entry of theirs has arrived.

Only versions decide here: nothing of what the account's user has changed is known. See `import_merge.py` for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from database.queries import Changes, assign
from models.events.event import Event
from planner.domain.fields import IMPORTED_OCCURRENCE_FIELDS
from planner.domain.ics.versions import Version, build_instance_key
from planner.domain.recurrence.documents import parse_stored_local, series_from_event, series_to_stored
from planner.domain.recurrence.series import Override, Series, validate_series
from planner.domain.stored_event import StoredOverride
from planner.domain.times import format_local_instant
from planner.domain.zones import to_local, to_utc
from planner.services.files.import_drafts import (
    ImportDraft,
    OccurrenceDraft,
    add_occurrence,
    differs,
    is_same_local,
    sort_occurrences,
)


class NotRecurring(ValueError):
    """An occurrence of an event that has none; the message says which."""


class Instance(NamedTuple):
    """The version of an instance; it `is_separate` if its organizer sent it without the series."""

    version: Version
    is_separate: bool = False


@dataclass(frozen=True)
class OrganizerState:
    """The content of an event as its organizer wrote it, with the versions of the series and of its instances.

    `version` is None as long as only instances have been sent. The instances have the keys of
    `build_instance_key`.
    """

    content: Changes
    version: Version | None
    instances: Mapping[str, Instance]

    @classmethod
    def from_draft(cls, draft: ImportDraft) -> "OrganizerState":
        """Return the state of which a draft is all that is known."""
        is_separate = draft.kind == "occurrences"
        instances = {key: Instance(version, is_separate) for key, version in draft.instances.items()}
        return cls(draft.content, None if is_separate else draft.version, instances)


def apply_draft(draft: ImportDraft, state: OrganizerState) -> OrganizerState:
    """Return the state after a draft: what is outdated in it changes nothing.

    Raises `NotRecurring` for occurrences of an event that has none, and `RecurrenceError` for those of another
    kind, such as dates for an event with times.
    """
    match draft.kind:
        case "event":
            return _apply_event(draft, state)
        case "cancel" if not draft.occurrences:
            return _cancel_event(draft, state)
        case _:
            return _apply_occurrences(draft, state)


def _cancel_event(draft: ImportDraft, state: OrganizerState) -> OrganizerState:
    if state.version is not None and draft.version.is_older_than(state.version):
        return state
    overrides = [_without_status(override) for override in state.content.get(Event.overrides) or ()]
    content = state.content | assign(Event.status, "cancelled")
    if overrides:
        content |= assign(Event.overrides, overrides)
    return replace(state, content=content, version=draft.version)


def _without_status(override: StoredOverride) -> StoredOverride:
    fields = {name: value for name, value in override.get("fields", {}).items() if name != Event.status}
    return {**override, "fields": fields}


def _apply_occurrences(draft: ImportDraft, state: OrganizerState) -> OrganizerState:
    """Return the state with new overrides for these occurrences."""
    if not state.content.get(Event.repeats):
        raise NotRecurring("it is an occurrence of a recurring event, but the event that you have is not one")
    series, instances = series_from_event(Event.from_stored(state.content)), dict(state.instances)
    for occurrence in sort_occurrences(_convert_to_series(each, series) for each in draft.occurrences):
        recurrence_id = occurrence.recurrence_id
        known = instances.get(occurrence.key)
        if known is not None and occurrence.version.is_older_than(known.version):
            continue
        if occurrence.following:
            series = _add_range(series, state.content, occurrence)
        elif occurrence.content:
            series = add_occurrence(series, state.content, occurrence)
            series = replace(series, exdates=series.exdates - {recurrence_id})
        elif not series.has_occurrence(recurrence_id):
            raise NotRecurring(
                f"it cancels the occurrence of {recurrence_id.isoformat()}, which the event does not have"
            )
        else:
            before = series.overrides.get(recurrence_id, Override())
            cancelled = replace(before, fields={**before.fields, **assign(Event.status, "cancelled")})
            series = replace(series, overrides={**series.overrides, recurrence_id: cancelled})
        instances[occurrence.key] = Instance(occurrence.version, is_separate=True)
    return replace(state, content={**state.content, **series_to_stored(validate_series(series))}, instances=instances)


def _add_range(series: Series, content: Changes, occurrence: OccurrenceDraft) -> Series:
    """Return a series whose occurrences differ from this one on, except those that have an override of their own."""
    changed = add_occurrence(series, content, occurrence)
    rebased = {
        recurrence_id: _rebase(recurrence_id, override, (series, content), (changed, content))
        for recurrence_id, override in series.overrides.items()
        if occurrence.content and not override.excluded
    }
    return replace(changed, overrides={**series.overrides, **rebased})


def _convert_to_series(occurrence: OccurrenceDraft, series: Series) -> OccurrenceDraft:
    """Return an occurrence with its recurrence id and its times in the time zone of a series, and an id of its kind."""
    recurrence_id, content, start = occurrence.recurrence_id, occurrence.content, series.start
    if not content:
        # Nothing else tells which kind the event has.
        if not isinstance(start, datetime) and isinstance(recurrence_id, datetime):
            return occurrence._replace(recurrence_id=recurrence_id.date())
        if isinstance(start, datetime) and not isinstance(recurrence_id, datetime):
            return occurrence._replace(recurrence_id=datetime.combine(recurrence_id, start.time()))
    if series.all_day or occurrence.time_zone == series.time_zone or not isinstance(recurrence_id, datetime):
        return occurrence
    converted_id = to_local(to_utc(recurrence_id, occurrence.time_zone), series.time_zone)
    if content and not content[Event.all_day]:
        local = format_local_instant(content[Event.begins], series.time_zone)
        content = content | assign(Event.start, local)
    return occurrence._replace(recurrence_id=converted_id, time_zone=series.time_zone, content=content)


def _apply_event(draft: ImportDraft, state: OrganizerState) -> OrganizerState:
    """Return the state with the series of a draft, unless that is outdated, and the newer one of each instance."""
    is_outdated = state.version is not None and draft.version.is_older_than(state.version)
    master = state.content if is_outdated else draft.content
    sent, held = _overrides_by_key(draft.content), _overrides_by_key(state.content)
    overrides: dict[str, tuple[Changes, StoredOverride]] = {}
    instances: dict[str, Instance] = {}
    for key in {**held, **sent}:
        new, known = draft.instances.get(key, draft.version), state.instances.get(key)
        if key in sent and (known is None or not new.is_older_than(known.version)):
            overrides[key], instances[key] = (draft.content, sent[key]), Instance(new)
        elif key in held and known is not None and (key in sent or _is_kept(known, draft, state, is_outdated)):
            overrides[key], instances[key] = (state.content, held[key]), known
        elif key in held and is_outdated:
            overrides[key] = state.content, held[key]
    version = state.version if is_outdated else draft.version
    return OrganizerState(_build_content(master, overrides, instances, version), version, instances)


def _is_kept(known: Instance, draft: ImportDraft, state: OrganizerState, is_outdated: bool) -> bool:
    """Return whether an instance stays that the file of its series does not have."""
    if is_outdated or state.version is None or known.version.sequence > draft.version.sequence:
        return True
    if not state.version.is_older_than(draft.version):
        # The file is the same as before.
        return True
    is_same_series = state.version.sequence == draft.version.sequence or _has_same_times(draft.content, state.content)
    return known.is_separate and is_same_series


def _has_same_times(one: Changes, other: Changes) -> bool:
    def select(content: Changes) -> list[Any]:
        rule = (content.get(Event.recurrence) or {}).get("rrule")
        return [rule, *(content.get(name) for name in (Event.start, Event.end, Event.all_day, Event.time_zone))]

    return select(one) == select(other)


def _overrides_by_key(content: Changes) -> dict[str, StoredOverride]:
    time_zone = content.get(Event.time_zone) or "UTC"
    overrides: list[StoredOverride] = content.get(Event.overrides) or []
    return {
        build_instance_key(
            parse_stored_local(override["id"]), time_zone, following=override.get("following", False)
        ): override
        for override in overrides
    }


def _build_content(
    master: Changes,
    overrides: Mapping[str, tuple[Changes, StoredOverride]],
    instances: Mapping[str, Instance],
    version: Version | None,
) -> Changes:
    """Return the content of a series with these overrides, each of which differs from the series in its content."""
    is_unchanged = _overrides_by_key(master).keys() == overrides.keys()
    if is_unchanged and all(content is master for content, _ in overrides.values()):
        return master
    series = series_from_event(Event.from_stored(master))
    exdates, built = set(series.exdates), replace(series, overrides={}, ranges={})
    # Those that others follow come first, because the others differ from them.
    for key, (content, stored) in sorted(overrides.items(), key=lambda item: not item[1][1].get("following")):
        # An instance of an event with dates cannot be one of an event with times.
        if content is not master and bool(content.get(Event.all_day)) is not series.all_day:
            continue
        original = series_from_event(Event.from_stored(content))
        following, recurrence_id = stored.get("following", False), parse_stored_local(stored["id"])
        override = (original.ranges if following else original.overrides)[recurrence_id]
        if content is not master:
            moved_id = _move_to_zone(recurrence_id, original, series)
            if following:
                original = replace(original, ranges={})
            target = replace(built, ranges={}) if following else built
            override = _rebase(recurrence_id, override, (original, content), (target, master))
            recurrence_id = moved_id
        if following:
            built = replace(built, ranges={**built.ranges, recurrence_id: override})
        else:
            built = replace(built, overrides={**built.overrides, recurrence_id: override})
        known = instances.get(key)
        if known is not None and version is not None and known.version.sequence > version.sequence and not following:
            exdates.discard(recurrence_id)
    changed = validate_series(replace(built, exdates=frozenset(exdates)))
    return {**master, **series_to_stored(changed)}


def _rebase(
    recurrence_id: date, override: Override, old: tuple[Series, Changes], new: tuple[Series, Changes]
) -> Override:
    """Return an override of an old series as one of a new series, so that the occurrence says the same as before."""
    (old_series, old_content), (new_series, new_content) = old, new
    new_id = _move_to_zone(recurrence_id, old_series, new_series)
    before = old_series.layer_override(old_series.find_range(recurrence_id) or Override(), override)
    inherited = new_series.find_range(new_id) or Override()
    old_fields, new_fields = {**old_content, **before.fields}, {**new_content, **inherited.fields}
    fields: dict[str, object] = {}
    for name in IMPORTED_OCCURRENCE_FIELDS:
        if differs(old_fields.get(name), new_fields.get(name)):
            fields[name] = old_fields.get(name)
    start = before.start or recurrence_id
    if before.time_zone is None:
        start = _move_to_zone(start, old_series, new_series)
    rebased = Override(start, excluded=override.excluded, fields=fields, time_zone=before.time_zone)
    if before.time_zone == inherited.time_zone and is_same_local(start, inherited.start or new_id):
        rebased = replace(rebased, start=None, time_zone=None)
    duration = old_series.measure_occurrence(recurrence_id, before)
    is_same = duration == new_series.measure_occurrence(new_id, new_series.layer_override(inherited, rebased))
    return rebased if is_same else replace(rebased, duration=duration)


def _move_to_zone(local: date, old: Series, new: Series) -> date:
    if not isinstance(local, datetime) or old.time_zone == new.time_zone:
        return local
    return to_local(to_utc(local, old.time_zone), new.time_zone)
