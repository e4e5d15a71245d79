"""What is true of every page."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

from tests.browser.visits import Visit

# WCAG 2.2 AA, and what the authors of axe-core recommend beyond.
_RULES: dict[str, Any] = {"resultTypes": ["violations"]}
# Another theme changes colours and nothing else.
_RULES_OF_COLOUR = _RULES | {"runOnly": ["color-contrast", "link-in-text-block"]}
ASSETS_LIMIT = 60_000


def require_no_violations(visit: Visit) -> None:
    """Fail if axe-core finds something on the page that hinders somebody."""
    _run_axe(visit, _RULES)


def require_contrast(visit: Visit) -> None:
    """Fail if axe-core finds colours on the page that somebody cannot tell apart."""
    _run_axe(visit, _RULES_OF_COLOUR)


def _run_axe(visit: Visit, options: dict[str, Any]) -> None:
    results = Axe().run(visit.page, options=options)
    assert results.violations_count == 0, f"{visit.path} ({visit.look}): {results.generate_report()}"


def require_no_sideways_scrolling(visit: Visit) -> None:
    """Fail if the page is wider than the window."""
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= visit.look.width, f"{visit.path} is {width} px wide: {_wide_elements(visit)}"


def require_no_loss_when_enlarged(visit: Visit) -> None:
    """Fail if the page has to be scrolled sideways when it is enlarged to twice its size: all of it, or its letters."""
    large = visit.look
    visit.look_as(large._replace(width=large.width // 2, height=large.height // 2))
    require_no_sideways_scrolling(visit)
    visit.look_as(large)
    visit.page.evaluate("document.documentElement.style.fontSize = '200%'")
    require_no_sideways_scrolling(visit)
    visit.page.evaluate("document.documentElement.style.fontSize = ''")


def _wide_elements(visit: Visit) -> object:
    return visit.page.evaluate(
        """width => [...document.querySelectorAll('body *')]
        .filter(element => element.getBoundingClientRect().right > width)
        .slice(0, 10).map(element => element.outerHTML.slice(0, 120))""",
        visit.look.width,
    )


def require_light_assets(visit: Visit) -> None:
    """Fail if the page has loaded more of our own files than is good on a slow line."""
    assets = visit.watcher.assets
    assert 0 < sum(assets.values()) < ASSETS_LIMIT, f"{visit.path}: {assets}"
