"""What a file may have at most, looked at while it arrives: what is too much costs no more than what has come of it."""

from planner.domain.ics.reading.components import MAX_COMPONENTS

MAX_LINES = 500_000
MAX_LINE_BYTES = 1024 * 1024
_STEP = 64 * 1024
_ENTRY = b"BEGIN:VEVENT"


class FileTooLarge(ValueError):
    """The file is larger than can be imported; the message says in what."""


class UploadLimits:
    """Counts the lines and entries of a file, and how long its lines are."""

    def __init__(self) -> None:
        self._lines = 0
        self._entries = 0
        self._line = 0
        self._tail = b""

    def take(self, chunk: bytes) -> None:
        """Look at the next part of the file; raises `FileTooLarge`."""
        for at in range(0, len(chunk), _STEP):
            self._look(chunk[at : at + _STEP])

    def _look(self, step: bytes) -> None:
        self._lines += step.count(b"\n")
        # With the end of the part before: it may hold the beginning of one.
        whole = self._tail + step
        self._entries += whole.count(_ENTRY)
        self._tail = whole[1 - len(_ENTRY) :]
        first = step.find(b"\n")
        longest = self._line + (len(step) if first < 0 else first)
        self._line = longest if first < 0 else len(step) - step.rfind(b"\n") - 1
        if longest > MAX_LINE_BYTES:
            raise FileTooLarge(f"A line of the file may have {MAX_LINE_BYTES} bytes at most.")
        if self._lines > MAX_LINES:
            raise FileTooLarge(f"The file may have {MAX_LINES} lines at most. Import it in parts.")
        if self._entries > MAX_COMPONENTS:
            raise FileTooLarge(f"The file may hold {MAX_COMPONENTS} entries at most. Import it in parts.")
