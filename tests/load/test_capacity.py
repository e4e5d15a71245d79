"""Twice as much as can be answered: what is accepted is answered, the rest is refused, and nothing is left."""

from tests.load.capacity import measure


async def test_every_request_is_answered_or_refused() -> None:
    # 1,200 requests are sent within the time in which 600 can be answered, and at most 512 more wait for an answer.
    found = await measure(seconds=3)
    assert set(found.answers.count()) == {"200", "503"}
