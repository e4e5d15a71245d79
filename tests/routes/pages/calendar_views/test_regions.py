"""On which day a week begins."""

import pytest

from routes.pages.calendar_views.regions import find_first_weekday


@pytest.mark.parametrize(
    ("languages", "first"),
    [
        ("de-DE,de;q=0.9,en-US;q=0.8", 0),
        ("en-US", 6),
        ("en", 6),
        ("en-gb", 0),
        ("pt-PT", 6),
        ("pt-BR;q=0.5, fr;q=0.9", 0),
        ("ar-EG", 5),
        ("ar", 5),
        ("ar-AE", 0),
        ("dv-MV", 4),
        ("zh-Hant-TW", 6),
        ("zh-Hans-CN", 0),
        ("he", 6),
        ("fa-IR", 5),
        ("fil", 6),
        ("en-US;q=0", 0),
        ("*", 0),
        ("", 0),
        (";;,;q=x,-,é", 0),
        ("x" * 5000, 0),
    ],
)
def test_a_week_begins_as_in_the_region_of_the_preferred_language(languages: str, first: int) -> None:
    assert find_first_weekday(languages) == first
