"""The program mongod: which one runs here, and what its log says."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OLDEST = 6
# What a new database takes, with the files that mongod creates in advance; and what one that exists must have left.
NEW_BYTES = 400 * 1024 * 1024
LEAST_BYTES = 32 * 1024 * 1024
ANSWER_SECONDS = 30.0

WAYS_ON = (
    "Either start the MongoDB container of compose.yaml (`docker compose up -d mongo`) and point DATABASE_URL at it, "
    "or set DATABASE_URL to any other MongoDB 6 or later."
)


class EmbeddedUnavailable(RuntimeError):
    """No mongod can be had on this machine; the message names the two ways on."""


def find_mongod() -> Path:
    """Return a mongod that runs here: the one on PATH, else the one that came with the requirements.

    Raises EmbeddedUnavailable when there is none, or when it lacks a shared library such as libcurl.
    """
    faults = []
    for binary in _candidates():
        fault = _fault(binary)
        if fault is None:
            return binary
        faults.append(f"{binary}: {fault}")
    found = "; ".join(faults) or "there is none on PATH, and no package with one for this platform"
    raise EmbeddedUnavailable(f"No mongod can run here ({found}). {WAYS_ON}")


def find_lack_of_room(data_dir: Path) -> str | None:
    """Return a sentence if the disk has no room for the database in this directory, which need not exist, or None."""
    needed = LEAST_BYTES if (data_dir / "mongo" / "WiredTiger").exists() else NEW_BYTES
    existing = next(path for path in (data_dir, *data_dir.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free >= needed:
        return None
    return (
        f"The disk of {data_dir} is full: the database needs {needed >> 20} MB, and {free >> 20} MB are free; "
        "free some space, or set DATA_DIR to a folder on another disk."
    )


def last_lines(path: Path, start: int) -> list[str]:
    """Return what mongod logged as errors after byte `start`, or else its last lines; at most eight either way."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start if start <= size else 0, size - 65536))
            raw = file.read().splitlines()
    except OSError:
        return []
    errors, all_lines = [], []
    for line in raw:
        try:
            entry = json.loads(line)
            details = entry.get("attr", {})
            inner = details.get("message")  # the storage engine's own report has the reason at its end
            said = f"{inner['msg']}: {inner['error_str']}" if isinstance(inner, dict) else json.dumps(details)
            text = f"  {entry['t']['$date']} {entry['msg'].strip()} {said}"[:400]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # cut off by the seek above, or by a full disk
        all_lines.append(text)
        if entry.get("s") in {"E", "F"}:
            errors.append(text)
    return (errors or all_lines)[-8:]


def _candidates() -> Iterator[Path]:
    if sys.platform == "win32":
        return  # no unix sockets to listen on, no locks to hold
    if on_path := shutil.which("mongod"):
        yield Path(on_path)
    # The package is found without importing it: beside its database part it may be a large library.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec and spec.submodule_search_locations) or ():
        binary = Path(folder, "db", "bin", "mongod")
        if binary.is_file():
            if not os.access(binary, os.X_OK):  # some installers drop the bit
                with suppress(OSError):
                    binary.chmod(binary.stat().st_mode | 0o111)
            yield binary


def _fault(binary: Path) -> str | None:
    """Return why this mongod cannot serve here, or None."""
    try:
        asked = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, errors="replace", timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if asked.returncode:
        library = re.search(r"lib[\w.+-]+\.(?:so|dylib)[\w.]*", asked.stderr)
        return f"the shared library {library[0]} is missing" if library else f"it fails: {asked.stderr.strip()}"
    version = re.search(r"db version v(\d+)", asked.stdout)
    return None if version and int(version[1]) >= OLDEST else f"it is older than MongoDB {OLDEST}"
