"""Twice as much as can be answered: what is accepted is answered, the rest is refused, and nothing is left."""

from tests.load.capacity import measure


async def test_every_request_is_answered_or_refused() -> None:
    found = await measure(seconds=1)
    counts = found.answers.count()
    assert set(counts) == {"200", "503"}
    assert min(counts.values()) > 100
