"""/join/<token>: a side opens its link, and goes on to the video platform (L2, L3). The link is the credential."""

from datetime import datetime
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from resolvers.joining import Invitation, invitation, is_recent, new_opening, open_link, was_opened, way_in
from rules.joining import Standing
from texts import joining as texts
from texts import say
from texts.pages import PageText
from texts.times import instant_text
from web.origins import Origins
from web.pages import HEADERS, filled, form_of, language_of, page

OPENING = "opening"
LOOK_AGAIN_AFTER_SECONDS = 3

# Browsers send `Origin: null` with the form of a page that allows no referrer at all, also to ourselves.
FORM_HEAD = Template('<meta name="referrer" content="same-origin">')
FORM = Template(
    '<form method="post"><input type="hidden" name="$name" value="$value"><button type="submit">$label</button></form>'
)
WAITING_HEAD = Template('<meta http-equiv="refresh" content="$seconds; url=?$name=$value">')
WAITING = Template('<p><a href="?$name=$value">$label</a></p>')

STATUS = {Standing.TOO_EARLY: 403, Standing.OVER: 410, Standing.REPLACED: 410, Standing.NOT_AGREED: 410}


async def join(request: Request) -> Response:
    """Let the side in whose link it is, or say why not."""
    token = request.path_params["token"]
    invited = await invitation(token)
    if invited is None:
        return page(texts.UNKNOWN, language_of(request), status=404)
    if invited.standing is not Standing.OPEN:
        return _closed(invited)
    if request.method == "GET":
        opening, by_hand = request.query_params.get(OPENING, ""), _is_navigation(request)
        # Whoever comes back by hand to the page on which they once waited comes anew.
        waits = not by_hand or await is_recent(invited.link, opening)
        if waits and await was_opened(invited.link, opening):
            return await _let_in(invited, opening)
        if not by_hand:
            return await _with_button(invited, texts.JOIN)
        opening = await new_opening(invited.link)
    elif request.method == "POST":
        opening = await _opening_in_form(request)
    else:
        return await _with_button(invited, texts.JOIN)
    if await open_link(invited.link, opening):
        return await _let_in(invited, opening)
    again = await invitation(token)  # its standing may have changed just now
    if again is not None and again.standing is not Standing.OPEN:
        return _closed(again)
    return await _with_button(invited, texts.JOIN_AGAIN, status=403)


def _is_navigation(request: Request) -> bool:
    """Whether a browser says that its user opened this themselves, and does not look ahead for them (L2)."""
    told = request.headers
    return (
        told.get("sec-fetch-mode") == "navigate"
        and told.get("sec-fetch-user") == "?1"
        and "sec-purpose" not in told
        and "purpose" not in told
    )


async def _opening_in_form(request: Request) -> str:
    """The one-time value that a page of ours sends; nothing if it is not one of ours (L2)."""
    origins: Origins = request.app.state.origins
    given = parse_qs((await form_of(request)).decode("ascii", "replace")).get(OPENING, [])
    return given[0] if len(given) == 1 and origins.is_own(request) else ""


async def _let_in(invited: Invitation, opening: str) -> Response:
    """To the platform, or to wait for it; that they came has been recorded."""
    url = await way_in(invited)
    if url is not None:
        return RedirectResponse(url, 303, HEADERS)
    language, given = invited.person.language, {"name": OPENING, "value": opening}
    return page(
        texts.WAITING,
        language,
        head=filled(WAITING_HEAD, seconds=str(LOOK_AGAIN_AFTER_SECONDS), **given),
        action=filled(WAITING, label=say(texts.GO_ON, language), **given),
    )


async def _with_button(invited: Invitation, text: PageText, *, status: int = 200) -> Response:
    form = filled(
        FORM,
        name=OPENING,
        value=await new_opening(invited.link),
        label=say(texts.JOIN_BUTTON, invited.person.language),
    )
    return page(text, invited.person.language, status=status, head=filled(FORM_HEAD), action=form, **_instants(invited))


def _closed(invited: Invitation) -> Response:
    standing = invited.standing
    return page(texts.CLOSED[standing], invited.person.language, status=STATUS[standing], **_instants(invited))


def _instants(invited: Invitation) -> dict[str, str]:
    """When the link's date is, in the person's own language and zone (L3)."""

    def told(instant: datetime) -> str:
        return instant_text(instant, invited.person.language, invited.person.time_zone)

    return {
        "starts_at": told(invited.link.starts_at),
        "opens_at": told(invited.window.opens_at),
        "closes_at": told(invited.window.closes_at),
    }


JOIN_ROUTES = [Route("/join/{token}", join, methods=["GET", "POST"])]
