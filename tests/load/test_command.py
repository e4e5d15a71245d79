"""The command that measures refuses what it cannot measure before it starts anything."""

import sys

import pytest

from tests.load.__main__ import main


def test_a_kind_that_does_not_exist_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tests.load", "--kinds", "reads,foo"])
    monkeypatch.setattr("tests.load.__main__.EmbeddedMongo", None)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "there is no foo; there are connections, reads" in capsys.readouterr().err
