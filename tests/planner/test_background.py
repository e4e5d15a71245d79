"""The loop of queued and scheduled work."""

import asyncio

import pytest
from fastapi import FastAPI

from planner import background
from tests.support.services import services_of


@pytest.mark.usefixtures("without_background_work")
async def test_it_ends_although_some_of_the_work_loses_the_first_cancellation(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    services, asked, cancelled = services_of(app), asyncio.Event(), []

    async def lose_a_cancellation() -> int:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            if len(cancelled) > 1:
                raise
        return 0

    monkeypatch.setattr(services.mail_delivery, "send_due", lose_a_cancellation)
    monkeypatch.setattr(background, "POLL_SECONDS", 0.0)
    loop = asyncio.create_task(background.run_due_work(services))
    await asked.wait()
    await background.stop(loop)
    assert cancelled == [True, True]
