"""What a browser complains of while it shows pages: errors on its console, also for all that a policy forbids."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError


class Watcher:
    """It watches all pages of a context. `complaints` are what went wrong, `assets` the bytes of what pages loaded."""

    def __init__(self, context: BrowserContext, root: str) -> None:
        self.complaints: list[str] = []
        self.assets: dict[str, int] = {}
        self._root = root
        self._documents: set[str] = set()
        context.on("console", self._hear)
        context.on("weberror", self._catch)
        context.on("request", self._see_request)
        context.on("response", self._see_response)

    def forget(self) -> None:
        """Forget what has been seen, before another page is opened."""
        self.complaints.clear()
        self.assets.clear()

    def _see_request(self, request: Request) -> None:
        if request.is_navigation_request():
            self._documents.add(str(request.url))
        elif urlsplit(request.url).scheme in ("http", "https") and not request.url.startswith(self._root):
            self.complaints.append(f"something of another host: {request.url}")

    def _see_response(self, response: Response) -> None:
        if response.request.resource_type in ("stylesheet", "script", "image", "font"):
            self.assets[urlsplit(response.url).path] = int(response.headers.get("content-length", 0))

    def _hear(self, message: ConsoleMessage) -> None:
        # A page with an error, such as 404 or 422, is one that a test has asked for.
        is_of_page = message.text.startswith("Failed to load resource") and message.location["url"] in self._documents
        if message.type in ("error", "warning") and not is_of_page:
            self.complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _catch(self, error: WebError) -> None:
        self.complaints.append(f"exception: {error.error}")
