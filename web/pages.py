"""Plain pages for people who follow a link: they work without script, and tell nobody where they were opened from."""

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import Response

from rules.terms import Language
from texts import say
from texts.pages import PageText

FILES = Path(__file__).with_suffix("")
PAGE = Template((FILES / "page.html").read_text())
STYLE = (FILES / "page.css").read_text()
LARGEST_FORM_BYTES = 4_000

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # No form-action: browsers would hold the platform, to which a form's answer leads on, to it as well.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
}


def page(
    text: PageText, language: Language, *, status: int = 200, head: str = "", action: str = "", **facts: str
) -> Response:
    """A page of this text; `head` and `action` are HTML already."""
    content = PAGE.substitute(
        language=language.lower(),
        title=escape(say(text.title, language)),
        text=escape(say(text.text, language, **facts)),
        style=STYLE,
        head=head,
        action=action,
    )
    return Response(content, status, HEADERS, media_type="text/html")


def filled(template: Template, **texts: str) -> str:
    """HTML with these texts in place."""
    return template.substitute({name: escape(text) for name, text in texts.items()})


def language_of(request: Request) -> Language:
    """Of somebody of whom we know nothing else."""
    wanted = request.headers.get("accept-language", "").strip().lower()
    return Language.DE if wanted.startswith("de") else Language.EN


async def form_of(request: Request) -> bytes:
    """What was sent; nothing if it is more than any form of ours is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM_BYTES:
            return b""
    return bytes(body)
