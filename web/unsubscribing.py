"""/unsubscribe/<token>: no more e-mails of a kind, in one click (RFC 8058). The address is the credential."""

from string import Template

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resolvers.unsubscribing import Subscription, mute, subscription
from texts import mails, say
from texts import unsubscribing as texts
from texts.pages import PageText
from web.pages import filled, form_of, language_of, page

FORM = Template(
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    '<button type="submit">$label</button></form>'
)


async def unsubscribe(request: Request) -> Response:
    """Ask whoever opens it, which scanners do too; mute when the button is pressed, or a mail program's own."""
    subscribed = await subscription(request.path_params["token"])
    if subscribed is None:
        return page(texts.UNKNOWN, language_of(request), status=404)
    if request.method == "POST":
        if not await _is_one_click(request):
            return _about(texts.ASK, subscribed, status=400)
        await mute(subscribed)
        return _about(texts.DONE, subscribed)
    return _about(texts.DONE if subscribed.is_muted else texts.ASK, subscribed)


async def _is_one_click(request: Request) -> bool:
    """Whether the form says so, in either of its two encodings: nobody sends these words by chance."""
    body = await form_of(request)
    return b"List-Unsubscribe" in body and b"One-Click" in body


def _about(text: PageText, subscribed: Subscription, *, status: int = 200) -> Response:
    language = subscribed.person.language
    action = filled(FORM, label=say(texts.BUTTON, language)) if text is texts.ASK else ""
    return page(text, language, status=status, action=action, kind=say(mails.KINDS[subscribed.kind], language))


UNSUBSCRIBE_ROUTES = [Route("/unsubscribe/{token}", unsubscribe, methods=["GET", "POST"])]
