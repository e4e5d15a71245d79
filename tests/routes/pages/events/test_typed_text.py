"""Whatever is typed comes out as text, on every page of an event."""

from html.parser import HTMLParser

import httpx
import pytest

from tests.routes.pages.browsing import Browser, FormFields, fields_of, text_of
from tests.support.clients import Person, ok

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "{title} {0} %s",
    "**bold** [link](javascript:alert(1))",
    "\u202eevil\u202c \u2067rtl\u2069",
    "👩‍👩‍👧‍👦 🇪🇺 e\u0301",
    "</textarea></title><h1>x",
    "&lt;b&gt; &amp; &#x3c;",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_is_typed_is_text_on_every_page(browser: Browser, ada: Person, text: str) -> None:
    event = await ada.event(
        title=text,
        description=text,
        location=text,
        tags=[text[:32].replace(",", "")],
        start="2026-12-01T18:00:00",
        recurrence={"rrule": "FREQ=DAILY"},
    )
    path = f"/events/{event['id']}"
    ok(await ada.patch(path, json={"description": "other"}))
    ok(await ada.patch(path, json={"description": text}))
    action = f"{path}/edit"
    edit = await browser.open(action)
    assert (fields_of(edit, action)["title"], fields_of(edit, action)["description"]) == (text, text)
    one = await browser.open(f"{path}?occurrence=2026-12-02T18:00:00")
    question = await browser.submit(one, f"{path}/delete")
    pages = [await browser.open(path), one, edit, question, await browser.open(f"{path}/history")]
    pages.append(await browser.submit(edit, action, title=text, color="none", location=text))
    pages.append(await browser.follow(await browser.submit(question, f"{path}/delete", scope="all")))
    for page in pages:
        assert " ".join(text.split()) in text_of(page) or text in str(FormFields(page.text).forms)
        assert find_active_content(page) == []


def find_active_content(page: httpx.Response) -> list[str]:
    """Return the tags and attributes of a page that could run something, besides its own scripts."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            is_own = tag == "script" and (dict(attrs).get("src") or "").startswith("/assets/")
            found.extend([tag] if tag in ("script", "style", "img", "iframe") and not is_own else [])
            found.extend(name for name, _ in attrs if name.startswith("on") or name == "style")
            found.extend(value for name, value in attrs if name == "href" and value and value.startswith("javascript"))

    Reader().feed(page.text)
    return found


async def test_a_description_of_20_000_characters_is_kept_to_the_last(browser: Browser, ada: Person) -> None:
    text = ("é<" * 10_000)[:19_999] + "."
    page = await browser.submit(await browser.open("/events/new"), "/events/new", title="Long", description=text)
    shown = await browser.follow(page)
    assert text in text_of(shown)
    (event,) = ok(await ada.get("/events"))["items"]
    assert event["description"] == text


async def test_only_addresses_of_the_web_become_links(browser: Browser, ada: Person) -> None:
    file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261201T000000Z\r\n"
    file += "DTSTART:20261201T180000Z\r\nSUMMARY:Imported\r\nURL:javascript:alert(1)\r\n"
    file += "CONFERENCE;VALUE=URI:tel:+123\r\nORGANIZER;CN=<i>Eve</i>:mailto:eve@example.com\r\n"
    file += "ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@example.com\r\n"
    file += "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER;RELATED=END:-PT5M\r\nDESCRIPTION:Go <b>\r\nEND:VALARM\r\n"
    file += "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ok(await ada.post("/events/import", content=file, headers={"Content-Type": "text/calendar"}))
    (event,) = ok(await ada.get("/events"))["items"]
    page = await browser.open(f"/events/{event['id']}")
    text = text_of(page)
    for shown in ("tel:+123", "<i>Eve</i> (eve@example.com)", "Bob (bob@example.com): comes", "Go <b>"):
        assert shown in text, shown
    assert "javascript:" not in page.text
    assert 'href="tel:' not in page.text


async def test_an_event_is_downloaded_as_a_file(browser: Browser, ada: Person) -> None:
    event = await ada.event(title="Launch", start="2026-12-01T18:00:00Z")
    file = await browser.open(f"/events/{event['id']}.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    assert 'filename="launch.ics"' in file.headers["content-disposition"]
    assert "SUMMARY:Launch" in file.text
    assert file.headers["cache-control"] == "no-store"
