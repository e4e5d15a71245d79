"""The API page works on a machine that reaches no other host."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from tests.support.clients import Planner
from tests.support.openapi.operations import ROOT

PAGE = f"{ROOT}/docs"
ANOTHER_HOST = re.compile(r"""(?:https?://|(?<=["'(])//)[\w.-]+""", re.IGNORECASE)
# Names of XML namespaces look like addresses; nobody requests them.
NAMESPACE = re.compile(r"https?://www\.w3\.org/\d{4}/\w+")


class PageParser(HTMLParser):
    """Collects what a page refers to, and what it has of inline code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.references: list[tuple[str, str]] = []
        self.inline: list[str] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        for name in ("src", "href"):
            if reference := found.get(name):
                self.references.append((reference, found.get("rel") or tag))
        if (tag == "script" and "src" not in found) or tag == "style":
            self.inline.append(tag)
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]] = data


@pytest.fixture
async def page(api: Planner) -> httpx.Response:
    response = await api.get(PAGE)
    assert response.status_code == 200
    return response


async def asset(api: Planner, page: httpx.Response, kind: str) -> httpx.Response:
    """The asset to which the page refers as a stylesheet, an icon and so on."""
    (reference,) = [name for name, found in PageParser(page.text).references if found == kind]
    return await api.get(urljoin(PAGE, reference))


async def test_the_page_is_html_with_a_title_of_its_own(page: httpx.Response) -> None:
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert PageParser(page.text).texts["title"] == "Planner API"


async def test_everything_that_the_page_refers_to_is_served_here(api: Planner, page: httpx.Response) -> None:
    references = PageParser(page.text).references
    kinds = {"icon": "image/svg+xml", "stylesheet": "text/css", "script": "text/javascript"}
    assert {kind for _, kind in references} == {*kinds, "service-desc", "a"}
    for reference, kind in references:
        response = await api.get(urljoin(PAGE, reference))
        assert response.status_code == 200 and response.content
        assert response.headers["content-type"].partition(";")[0] == kinds.get(kind, "application/json")


async def test_every_reference_is_relative_so_that_a_path_before_the_planner_does_not_matter(
    page: httpx.Response,
) -> None:
    for reference, _ in PageParser(page.text).references:
        parts = urlsplit(reference)
        assert not parts.scheme and not parts.netloc and not parts.path.startswith("/")


async def test_the_page_has_no_inline_script_or_style(page: httpx.Response) -> None:
    assert PageParser(page.text).inline == []


async def test_neither_page_nor_style_sheet_nor_our_script_names_another_host(
    api: Planner, page: httpx.Response
) -> None:
    css = (await asset(api, page, "stylesheet")).text
    script = (await api.get(f"{PAGE}/api_page.js")).text
    without_comments = re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)
    for text in (page.text, css, without_comments):
        assert ANOTHER_HOST.findall(NAMESPACE.sub("", text)) == []
    assert "@import" not in css
    assert all(url.lstrip("\"'").startswith("data:") for url in re.findall(r"url\(([^)]*)", css))


async def test_swagger_ui_is_forbidden_to_load_or_request_anything_from_another_host(
    api: Planner, page: httpx.Response
) -> None:
    directives = [part.split() for part in page.headers["content-security-policy"].split(";")]
    policy = {name: set(sources) for name, *sources in directives}
    assert policy["default-src"] == {"'none'"}
    assert policy["script-src"] == policy["connect-src"] == {"'self'"}
    assert set().union(*policy.values()) == {"'none'", "'self'", "data:"}
    bundle = (await api.get(f"{PAGE}/swagger-ui-bundle.js")).text
    assert "validatorUrl: null" in (await api.get(f"{PAGE}/api_page.js")).text
    assert "SwaggerUIBundle" in bundle and not re.search(r"(?:src|href)=\\?[\"']https?:", bundle)


async def test_the_icon_is_an_svg_image(api: Planner, page: httpx.Response) -> None:
    icon = await asset(api, page, "icon")
    assert ElementTree.fromstring(icon.content).tag == "{http://www.w3.org/2000/svg}svg"
    assert not {"href", "src", "style"} & {
        name for element in ElementTree.fromstring(icon.content).iter() for name in element.attrib
    }


async def test_a_browser_that_has_the_page_and_its_assets_gets_them_no_second_time(
    api: Planner, page: httpx.Response
) -> None:
    for address in (PAGE, f"{PAGE}/swagger-ui-bundle.js"):
        first = await api.get(address)
        second = await api.get(address, headers={"if-none-match": first.headers["etag"]})
        assert (second.status_code, second.content) == (304, b"")
        assert second.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("name", ["nothing.js", "api_page.html", "..%2fapi_page.py", "%00", "oauth2-redirect"])
async def test_nothing_else_is_served_beside_the_page(api: Planner, name: str) -> None:
    response = await api.get(f"{PAGE}/{name}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
