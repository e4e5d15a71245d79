"""The commands about packages say what is known of them, and also when nothing is known."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tests.supply_chain import auditing, outdated
from tests.supply_chain.locks import BEANIE2_LOCK, LOCKS, ROOT, locked

HEADS = "# Dependencies\n\n" + outdated.TITLE
VULNERABILITY = {"id": "CVE-2026-1", "fix_versions": ["9.9"]}


def clean(name: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": []}


def test_an_audit_asks_about_every_package_of_every_lock(tmp_path: Path) -> None:
    asked = "".join(file.read_text() for file in auditing.write_requirements(tmp_path)).splitlines()
    pinned = {f"{name}=={version}" for file in (*LOCKS, BEANIE2_LOCK) for name, version in locked(file).items()}
    assert sorted(asked) == sorted(pinned)


@pytest.mark.parametrize(
    ("packages", "status", "said"),
    [
        ([clean("bson"), clean("jose")], 0, "2 packages were looked up; 0 are vulnerable."),
        ([clean("bson"), clean("jose") | {"vulns": [VULNERABILITY]}], 1, "jose 1.0: CVE-2026-1, fixed in 9.9"),
        ([clean("bson"), {"name": "jose", "skip_reason": "not found"}], 3, "does not know 1 of 2 packages:\n  jose"),
    ],
)
def test_the_status_of_an_audit_says_whether_packages_are_vulnerable_or_unknown(
    packages: list[dict[str, Any]], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([packages, []])
    assert auditing.main(lambda _: next(answers)) == status
    assert said in capsys.readouterr().out


def test_an_audit_without_an_answer_says_so_and_has_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = tmp_path / "pip_audit.py"
    fake.write_text("import sys\nsys.exit('ERROR: the service is down')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert auditing.main() == 3
    assert "could not be asked. ERROR: the service is down" in capsys.readouterr().out


def test_an_accepted_vulnerability_is_documented() -> None:
    page = outdated.PAGE.read_text()
    assert [id for id in auditing.ACCEPTED if id not in page] == []


def test_a_package_stays_outdated_for_a_reason_that_somebody_wrote(tmp_path: Path) -> None:
    page, versions = tmp_path / "dependencies.md", locked("requirements.txt")
    page.write_text(f"{HEADS}| beanie | 0.1 | 0.2 | a reason |\n| zxcvbn | 1 | 2 | gone |\n\n## More\n")
    assert outdated.main(lambda: {"beanie": "9.9", "motor": "8.8", "not-ours": "2"}, page) == 1
    rows = f"| beanie | {versions['beanie']} | 9.9 | a reason |\n| motor | {versions['motor']} | 8.8 | ? |\n"
    assert page.read_text() == f"{HEADS}{rows}\n## More\n"
    page.write_text(page.read_text().replace("?", "another reason"))
    assert outdated.main(lambda: {"beanie": "9.9", "motor": "8.8"}, page) == 0


def test_the_table_of_outdated_packages_has_the_locked_versions_and_a_reason_for_each() -> None:
    versions = {name: version for file in LOCKS for name, version in locked(file).items()}
    rows = outdated.read_rows(outdated.PAGE.read_text())
    assert rows
    wrong = [row for row in rows if versions.get(canonicalize_name(row.package)) != row.locked]
    assert wrong == [], "run `make outdated`"
    assert [row.package for row in rows if len(row.reason) < 10] == []


def test_the_product_does_not_install_the_tools_of_the_supply_chain() -> None:
    for file in ("requirements.txt", "requirements-tracing.txt", "tests/requirements.txt"):
        assert {"pip-audit", "cyclonedx-bom"} & locked(file).keys() == set()


def test_the_container_has_a_mongodb_that_is_maintained() -> None:
    assert "image: mongo:8." in (ROOT / "compose.yaml").read_text()


def test_json_is_what_the_audit_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip_audit.py").write_text(f"print({json.dumps(json.dumps({'dependencies': [clean('bson')]}))})\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert auditing.ask_pip_audit(tmp_path / "none.txt") == [clean("bson")]
