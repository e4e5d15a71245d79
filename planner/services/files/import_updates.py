"""What an entry of a file changes in an event that is stored already."""

from typing import NamedTuple

from database.queries import Changes
from models.events.event import Event
from models.events.revision import Revision
from planner.domain.fields import COMPARED_FIELDS, TIME_FIELDS
from planner.domain.ics.versions import Version
from planner.domain.ics.writing.vevent import format_utc
from planner.domain.stored_event import StoredSource, StoredVersion
from planner.services.files.import_changes import Instance, OrganizerState, apply_draft
from planner.services.files.import_compare import has_same_content, has_same_export, means_the_same
from planner.services.files.import_declined import unmark_declined
from planner.services.files.import_drafts import ImportDraft
from planner.services.files.import_merge import Merge

# What a file says of an event.
_WRITTEN_FIELDS = tuple(dict.fromkeys((*COMPARED_FIELDS, *TIME_FIELDS)))


class EventUpdate(NamedTuple):
    """What an entry changes: the content, if it is not None, and what is known of its organizer, if it is not None.

    It `is_revision` if it makes a new revision of the event; otherwise at most the `source` is stored. `notes` say
    which changes of the organizer, or of the event's user, are not in the content.
    """

    content: Changes | None = None
    source: StoredSource | None = None
    is_revision: bool = False
    notes: tuple[str, ...] = ()


NOTHING = EventUpdate()


def sequence_of(event: Event) -> int:
    """Return the SEQUENCE of a stored event that has no `source`, which counts its revisions."""
    return (event.sequence or 0) + event.revision - 1


def build_source(state: OrganizerState, content: Changes, revision: int) -> StoredSource:
    """Return what is stored of an organizer's state beside the content of an event at a revision."""
    source = StoredSource(revision=revision)
    if state.version is not None:
        source["series"] = _store_version(state.version)
    if state.instances:
        source["instances"] = {key: _store_instance(instance) for key, instance in state.instances.items()}
    written = state.content
    if written is not content:
        names = (name for name in _WRITTEN_FIELDS if written.get(name) != content.get(name))
        if base := {name: written.get(name) for name in names}:
            source["base"] = base
    return source


async def compute_update(draft: ImportDraft, stored: Event) -> EventUpdate:
    """Return what a draft changes in a stored event.

    Raises `NotRecurring` and `RecurrenceError` for occurrences that cannot be part of it.
    """
    source = stored.source
    if source is None:
        return _replace_content(draft, stored)
    created, modified = format_utc(stored.created_at), format_utc(stored.updated_at)
    if draft.record_times == (created, modified):
        return await _compare_own_export(draft, stored)
    if draft.record_times.created == created and "" < draft.record_times.modified < modified:
        # It is our own export of an earlier revision.
        return NOTHING
    state = _read_state(source, await _find_base(stored, source))
    return _merge(draft, stored, state, apply_draft(draft, state))


async def _compare_own_export(draft: ImportDraft, stored: Event) -> EventUpdate:
    """Return what somebody has changed in our own export of the event: it counts as a change of the user.

    Nothing else can be in it that is new. It may also be the export of a revision that was made a moment before.
    """
    new = apply_draft(draft, OrganizerState(unmark_declined(stored.content), None, {}))
    if _is_unchanged(draft, stored, new):
        return NOTHING
    for revision in await Revision.find_in_second(stored.id, stored.updated_at):
        if revision.event_then is not None and has_same_export(revision.event_then, draft.content):
            return NOTHING
    return EventUpdate(new.content, is_revision=True)


def _replace_content(draft: ImportDraft, stored: Event) -> EventUpdate:
    """Return the update of an event of which nothing is known but its own content."""
    sequence = sequence_of(stored)
    if draft.version.sequence < sequence and not draft.occurrences:
        return NOTHING
    new = apply_draft(draft, OrganizerState(unmark_declined(stored.content), Version(sequence), {}))
    is_unchanged = _is_unchanged(draft, stored, new)
    if is_unchanged and (draft.kind != "event" or draft.version.sequence == sequence):
        return NOTHING
    content = None if is_unchanged else new.content
    return EventUpdate(content, build_source(new, content or stored.content, stored.revision + 1), is_revision=True)


def _is_unchanged(draft: ImportDraft, stored: Event, new: OrganizerState) -> bool:
    if has_same_content(unmark_declined(stored.content), new.content):
        return True
    return draft.kind == "event" and has_same_export(stored, draft.content)


def _merge(draft: ImportDraft, stored: Event, state: OrganizerState, new: OrganizerState) -> EventUpdate:
    """Return the update that the change from one state of the organizer to the next makes."""
    present, content = unmark_declined(stored.content), None
    notes: list[str] = []
    if means_the_same(state.content, new.content):
        new = OrganizerState(state.content, new.version, new.instances)
    else:
        is_same_version = new.version == state.version or draft.version.sequence == _get_sequence(state)
        if draft.kind == "event" and is_same_version and has_same_export(stored, draft.content):
            return NOTHING
        merge = Merge(state.content, present, new.content)
        content, notes = merge.build_content(), merge.notes
        if has_same_content(present, content):
            content = None
    is_revision = content is not None or _get_sequence(state) != _get_sequence(new)
    revision = stored.revision + 1 if is_revision else stored.revision
    if not is_revision and new == state:
        return NOTHING
    source = build_source(new, present if content is None else content, revision)
    return EventUpdate(content, source, is_revision, tuple(notes))


def _get_sequence(state: OrganizerState) -> int | None:
    return None if state.version is None else state.version.sequence


async def _find_base(stored: Event, source: StoredSource) -> Changes:
    """Return the content of an event as its organizer wrote it last."""
    content = stored.content
    if source["revision"] != stored.revision:
        found = await Revision.find_revision(stored.id, source["revision"])
        if found is not None and found.event_then is not None:
            content = found.event_then.content
    content = unmark_declined(content) | source.get("base", {})
    return {name: value for name in _WRITTEN_FIELDS if (value := content.get(name)) is not None}


def _read_state(source: StoredSource, content: Changes) -> OrganizerState:
    series, instances = source.get("series"), source.get("instances", {})
    return OrganizerState(
        content,
        None if series is None else _read_version(series),
        {key: Instance(_read_version(stored), stored.get("is_separate", False)) for key, stored in instances.items()},
    )


def _read_version(stored: StoredVersion) -> Version:
    return Version(stored["sequence"], stored.get("stamp"))


def _store_version(version: Version) -> StoredVersion:
    stored = StoredVersion(sequence=version.sequence)
    if version.stamp is not None:
        stored["stamp"] = version.stamp
    return stored


def _store_instance(instance: Instance) -> StoredVersion:
    stored = _store_version(instance.version)
    if instance.is_separate:
        stored["is_separate"] = True
    return stored
