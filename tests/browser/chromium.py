"""Where Chromium is, and how it looks at the planner."""

import os
import shutil
from typing import Any, Literal, NamedTuple

ADVICE = (
    "The browser tests need Chromium, which is not here. Install it, for example with `sudo apt-get install chromium`, "
    "or set CHROMIUM to the path of a Chromium or Chrome."
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of Chromium: CHROMIUM in the environment, or else what is on the PATH; None if there is none."""
    return shutil.which(os.environ.get("CHROMIUM", "")) or next(filter(None, map(shutil.which, _NAMES)), None)


class Look(NamedTuple):
    """How somebody looks at the planner. `has_scripts` is False in a browser that runs none."""

    width: int = 1280
    height: int = 800
    theme: Literal["light", "dark"] = "light"
    has_scripts: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """The options of Playwright's `new_context`."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "has_touch": self.width < 600,
            "color_scheme": self.theme,
            "java_script_enabled": self.has_scripts,
            "timezone_id": "Europe/Berlin",
            "locale": "en-GB",
            "reduced_motion": "reduce",
        }

    def __str__(self) -> str:
        size = "phone" if self.width < 600 else "desktop"
        return f"{size}-{self.theme}{'' if self.has_scripts else '-without-scripts'}"


DESKTOP = Look()
DARK_DESKTOP = Look(theme="dark")
PHONE = Look(width=360, height=740)
NARROWEST = Look(width=320, height=640, theme="dark")
# Every journey is made with each of these: both sizes, both themes, and both with and without scripts.
LOOKS = (
    DESKTOP,
    Look(theme="dark", has_scripts=False),
    Look(width=360, height=740, theme="dark"),
    Look(width=360, height=740, has_scripts=False),
)


if __name__ == "__main__" and find_chromium() is None:
    raise SystemExit(ADVICE)
