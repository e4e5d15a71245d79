"""The data of an account as a file, and its deletion, with a browser."""

from tests.routes.pages.browsing import Browser, text_of
from tests.support.clients import Person, sign_in


async def test_everything_that_is_stored_is_downloaded(browser: Browser, ada: Person) -> None:
    await ada.event(title="Book launch")
    file = await browser.open("/account/export")
    assert "attachment" in file.headers["content-disposition"]
    assert file.headers["cache-control"] == "no-store"
    assert "Book launch" in file.text


async def test_an_account_is_deleted_with_its_password(browser: Browser, ada: Person) -> None:
    page = await browser.open("/account/delete")
    refused = await browser.submit(page, "/account/delete", password="wrong")
    assert refused.status_code == 403
    assert "Password is wrong" in text_of(refused)
    gone = await browser.submit(page, "/account/delete", password=ada.password)
    assert "was deleted" in text_of(await browser.follow(gone))
    assert (await sign_in(ada.api, ada.email)).status_code == 401
    assert (await browser.open("/account")).status_code == 303
