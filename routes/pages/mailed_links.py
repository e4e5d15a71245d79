"""The two pages that links in e-mails open: they send the token after the # to the API."""

import base64
import hashlib

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from routes.http.route import PlannerRoute

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)

SCRIPT = """
const form = document.querySelector("form"), out = document.querySelector("output");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = Object.fromEntries(new FormData(form));
  body.token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
  const response = await fetch(form.dataset.target, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  if (response.ok) { form.hidden = true; out.textContent = form.dataset.done; return; }
  const problem = await response.json();
  const reasons = (problem.errors || []).map((error) => error.pointer.slice(1) + " " + error.message);
  out.textContent = reasons.join("; ") || problem.detail;
});
"""
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()

# The token must not leave the page in a referrer, and no other script may run on it.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'sha256-" + _HASH + "'; connect-src 'self'; "
    "style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}


def _page(title: str, target: str, fields: str, button: str, done: str) -> Response:
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>body{{font:16px/1.5 system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}}"
        f"input,button{{font:inherit;padding:.4rem;width:100%;margin:.4rem 0}}</style><h1>{title}</h1>"
        f'<form data-target="{target}" data-done="{done}">{fields}<button>{button}</button></form>'
        f'<output role="status"></output><script>{SCRIPT}</script></html>'
    )
    return HTMLResponse(html, headers=HEADERS)


@router.get("/verify-email")
async def verify_email_page() -> Response:
    """Return the page to which a verification e-mail links."""
    return _page(
        "Confirm your e-mail address",
        "api/v1/auth/email/verify",
        "<p>Enter the password of your account. Only who has the account can confirm its address.</p>"
        '<label>Password <input name="password" type="password" maxlength="1024" autocomplete="current-password" '
        "required></label>",
        "Confirm",
        "Thank you: your address is confirmed.",
    )


@router.get("/reset-password")
async def reset_password_page() -> Response:
    """Return the page to which a recovery e-mail links."""
    return _page(
        "Set a new password",
        "api/v1/auth/password/reset",
        '<label>New password <input name="password" type="password" minlength="8" maxlength="128" '
        'autocomplete="new-password" required></label>',
        "Set it",
        "Your password is set. Sign in with it.",
    )
