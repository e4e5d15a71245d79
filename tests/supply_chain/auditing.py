"""`make audit`: asks the vulnerability service of pip-audit about every package in the requirements files.

The exit status is 0 when every package was looked up and none has a known vulnerability, 1 when one has, and 3 when the
service could not be reached or does not know some of the packages: then nothing is known about them. (`make` itself
ends with 2 for each of the last two, and prints the status.)
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.supply_chain.locks import BEANIE2_LOCK, LOCKS, locked

CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3
# Vulnerabilities that do not concern us, and why. docs/dependencies.md lists them too.
ACCEPTED = {
    "CVE-2024-23342": "ecdsa computes signatures in a time that depends on the key. python-jose requires it, and uses "
    "cryptography instead of it when both are there, as here; the planner signs with HS256 only",
}


class ServiceUnavailable(RuntimeError):
    """The vulnerability service gave no answer; the message is what pip-audit said last."""


def main(ask: Callable[[Path], list[dict[str, Any]]] | None = None) -> int:
    """Print what is known of the packages; return the exit status."""
    for id, reason in ACCEPTED.items():
        print(f"Not reported: {id}: {reason}.")
    try:
        with tempfile.TemporaryDirectory() as folder:
            reports = [(ask or ask_pip_audit)(file) for file in write_requirements(Path(folder))]
    except ServiceUnavailable as error:
        print(f"Not audited: the vulnerability service could not be asked. {error}")
        return NOT_AUDITED
    return _report([package for report in reports for package in report])


def _report(packages: list[dict[str, Any]]) -> int:
    vulnerable = [package for package in packages if package.get("vulns")]
    skipped = sorted(package["name"] for package in packages if "skip_reason" in package)
    for package in vulnerable:
        for vulnerability in package["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}")
    if skipped:
        print(f"Not audited: the vulnerability service does not know {len(skipped)} of {len(packages)} packages:")
        print(" ", ", ".join(skipped))
    print(f"{len(packages) - len(skipped)} packages were looked up; {len(vulnerable)} are vulnerable.")
    if vulnerable:
        return VULNERABLE
    return NOT_AUDITED if skipped else CLEAN


def write_requirements(folder: Path) -> Iterator[Path]:
    """Write files that name every package once at each version that is locked, for any platform; yield their paths."""
    ours = {name: version for file in LOCKS for name, version in locked(file).items()}
    others = locked(BEANIE2_LOCK).items() - ours.items()
    # In one file, pip-audit accepts no package twice.
    for number, packages in enumerate((ours.items(), others)):
        path = folder / f"packages-{number}.txt"
        path.write_text("".join(f"{name}=={version}\n" for name, version in sorted(packages)))
        yield path


def ask_pip_audit(file: Path) -> list[dict[str, Any]]:
    """Return what pip-audit reports of the packages in a file; it installs nothing. Raises `ServiceUnavailable`."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner=off"]
    command += ["--format=json", f"--requirement={file}", *(f"--ignore-vuln={id}" for id in ACCEPTED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        raise ServiceUnavailable("".join(done.stderr.strip().splitlines()[-1:])) from None
    return packages
