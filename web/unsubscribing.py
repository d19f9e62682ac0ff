"""/unsubscribe/<token>: no more e-mails of a kind, in one click (RFC 8058). The address is the credential."""

from html import escape
from string import Template

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resolvers.unsubscribing import Subscription, mute, subscription
from rules.terms import Language
from texts import mails, say
from texts import unsubscribing as texts
from texts.joining import PageText
from web.joining import HEADERS, LARGEST_FORM_BYTES, PAGE, STYLE

FORM = Template(
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    '<button type="submit">$label</button></form>'
)


async def unsubscribe(request: Request) -> Response:
    """Ask whoever opens it, which scanners do too; mute when the button is pressed, or a mail program's own."""
    subscribed = await subscription(request.path_params["token"])
    if subscribed is None:
        return _page(texts.UNKNOWN, _language_of(request), status=404)
    if request.method == "POST":
        if not await _is_one_click(request):
            return _about(texts.ASK, subscribed, status=400)
        await mute(subscribed)
        return _about(texts.DONE, subscribed)
    return _about(texts.DONE if subscribed.is_muted else texts.ASK, subscribed)


async def _is_one_click(request: Request) -> bool:
    """Whether the form says so, in either of its two encodings: nobody sends these words by chance."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM_BYTES:
            return False
    return b"List-Unsubscribe" in body and b"One-Click" in body


def _about(page: PageText, subscribed: Subscription, *, status: int = 200) -> Response:
    language = subscribed.person.language
    action = FORM.substitute(label=escape(say(texts.BUTTON, language))) if page is texts.ASK else ""
    return _page(page, language, status=status, action=action, kind=say(mails.KINDS[subscribed.kind], language))


def _page(page: PageText, language: Language, *, status: int = 200, action: str = "", **facts: str) -> Response:
    title, text = escape(say(page.title, language)), escape(say(page.text, language, **facts))
    content = PAGE.substitute(language=language.lower(), title=title, text=text, style=STYLE, head="", action=action)
    return Response(content, status, HEADERS, media_type="text/html")


def _language_of(request: Request) -> Language:
    wanted = request.headers.get("accept-language", "").strip().lower()
    return Language.DE if wanted.startswith("de") else Language.EN


UNSUBSCRIBE_ROUTES = [Route("/unsubscribe/{token}", unsubscribe, methods=["GET", "POST"])]
