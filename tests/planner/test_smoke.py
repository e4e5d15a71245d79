from tests.support.clients import Person, ok


async def test_an_event_is_stored_together_with_its_id_in_its_creators_account(ada: Person) -> None:
    event = await ada.event(title="Reading")
    assert (await ada.me())["events"] == [event["id"]]
    assert ok(await ada.get(f"/events/{event['id']}")) == event
