"""The limits of a file, checked while it is uploaded, so that a file that is too large costs only what was received."""

from planner.domain.ics.reading.components import MAX_COMPONENTS

MAX_LINES = 500_000
MAX_LINE_BYTES = 1024 * 1024
_STEP_BYTES = 64 * 1024
_ENTRY_START = b"BEGIN:VEVENT"


class FileTooLarge(ValueError):
    """A file that is too large to be imported; the message says which limit it exceeds."""


class UploadLimits:
    """A counter of the lines and entries of a file, and of the length of its lines."""

    def __init__(self) -> None:
        self._line_count = 0
        self._entry_count = 0
        self._open_line_bytes = 0
        self._tail = b""

    def add_chunk(self, chunk: bytes) -> None:
        """Count the next part of the file. Raises `FileTooLarge`."""
        for start in range(0, len(chunk), _STEP_BYTES):
            self._add_step(chunk[start : start + _STEP_BYTES])

    def _add_step(self, step: bytes) -> None:
        self._line_count += step.count(b"\n")
        # BEGIN:VEVENT may be divided between two steps, so the end of the one before is searched again.
        searched = self._tail + step
        self._entry_count += searched.count(_ENTRY_START)
        self._tail = searched[1 - len(_ENTRY_START) :]
        first_break = step.find(b"\n")
        longest = self._open_line_bytes + (len(step) if first_break < 0 else first_break)
        self._open_line_bytes = longest if first_break < 0 else len(step) - step.rfind(b"\n") - 1
        if longest > MAX_LINE_BYTES:
            raise FileTooLarge(f"The file must have at most {MAX_LINE_BYTES} bytes in a line.")
        if self._line_count > MAX_LINES:
            raise FileTooLarge(f"The file must have at most {MAX_LINES} lines. Import it in parts.")
        if self._entry_count > MAX_COMPONENTS:
            raise FileTooLarge(f"The file must have at most {MAX_COMPONENTS} entries. Import it in parts.")
