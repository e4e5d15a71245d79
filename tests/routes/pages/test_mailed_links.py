"""The two pages that mailed links open: nothing foreign runs on them, and no token gets into a log."""

import base64
import hashlib
import re

import httpx
import pytest
from fastapi import FastAPI

from tests.support.clients import Planner, headers_of, ok, sign_up
from tests.support.mailbox import Mailbox, text_of


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


PAGES = {"/verify-email": "/api/v1/auth/email/verify", "/reset-password": "/api/v1/auth/password/reset"}


async def page(api: Planner, path: str) -> httpx.Response:
    answer = await api.get(f"http://planner.test{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    """The Content-Security-Policy by directive."""
    directives = [directive.split() for directive in answer.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in directives}


@pytest.mark.parametrize("path", PAGES)
async def test_only_the_pages_own_script_may_run(api: Planner, path: str) -> None:
    answer = await page(api, path)
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy(answer)["script-src"] == [f"'sha256-{digest}'"]
    assert policy(answer)["default-src"] == ["'none'"]
    assert not re.search(r"\son\w+\s*=", answer.text)
    assert "src=" not in answer.text and "href=" not in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_the_page_connects_only_to_the_planner_and_cannot_be_framed(api: Planner, path: str) -> None:
    rules = policy(await page(api, path))
    assert rules["connect-src"] == ["'self'"]
    for closed in ("form-action", "frame-ancestors", "base-uri"):
        assert rules[closed] == ["'none'"]


@pytest.mark.parametrize("path", PAGES)
async def test_the_page_is_not_cached_and_sends_no_referrer(api: Planner, path: str) -> None:
    headers = (await page(api, path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("path", "target"), PAGES.items())
async def test_the_page_posts_the_token_to_a_route_that_takes_it(
    api: Planner, app: FastAPI, path: str, target: str
) -> None:
    text = (await page(api, path)).text
    # Relative, so that it keeps the path of PUBLIC_URL.
    assert f'data-target="{target[1:]}"' in text
    assert 'method="get"' not in text.lower()
    described = app.openapi()["paths"][target]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = app.openapi()["components"]["schemas"][described["$ref"].rpartition("/")[2]]["properties"].keys()
    # The script adds the token; every other field has an input of its name.
    assert {*re.findall(r'<input name="(\w+)"', text), "token"} == set(fields)


@pytest.mark.usefixtures("without_background_work")
async def test_a_mailed_link_has_its_token_in_the_fragment_and_opens_one_of_the_pages(
    api: Planner, mailbox: Mailbox
) -> None:
    ada = await sign_up(api, "ada@example.com")
    ok(await api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    mails = await mailbox.deliver_due()
    for path in PAGES:
        (mail,) = [mail for mail in mails if path in text_of(mail)]
        (link,) = re.findall(r"https?://\S+", text_of(mail))
        url = httpx.URL(link)
        assert (url.path, url.query) == (path, b"")
        assert url.fragment.startswith("token=") and len(url.fragment) > 40
        # What a browser asks the server for is the address without its fragment.
        assert url.fragment.removeprefix("token=") not in str(url.copy_with(fragment=None))
        await page(api, url.path)


@pytest.mark.parametrize("path", PAGES)
async def test_the_page_is_the_same_whatever_comes_with_the_address(api: Planner, path: str) -> None:
    plain = await page(api, path)
    tried = await page(api, f"{path}?token=abc&x=%3Cscript%3Ealert(1)%3C/script%3E")
    assert (tried.content, headers_of(tried)) == (plain.content, headers_of(plain))
