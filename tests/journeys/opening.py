"""The ways in which a link is opened: by the person whose it is, and by all that opens links unasked (L2)."""

from collections.abc import Awaitable, Callable

import httpx2

from tests.driving import Service
from tests.joining import BY_A_PERSON, Form, opened, pressed

Open = Callable[[Service, str], Awaitable[httpx2.Response]]
"What is answered to who opens the link of this path."


async def by_the_button(world: Service, path: str) -> httpx2.Response:
    """A browser that says nothing of its user, who then presses the button of the page, if it has one."""
    page = await by_a_scanner(world, path)
    return await pressed(world, path, Form.of(page)) if page.status_code == 200 else page


async def by_a_scanner(world: Service, path: str) -> httpx2.Response:
    return await world.http.get(path)


async def by_a_prefetch(world: Service, path: str) -> httpx2.Response:
    return await opened(world, path, **{"Sec-Purpose": "prefetch"})


async def by_a_head(world: Service, path: str) -> httpx2.Response:
    return await world.http.head(path, headers=BY_A_PERSON)


async def altered(world: Service, path: str) -> httpx2.Response:
    return await opened(world, path[:-1] + ("A" if path[-1] != "A" else "Q"))


THEIR_OWN: dict[str, Open] = {"clicking it": opened, "pressing the button": by_the_button}
UNASKED: dict[str, Open] = {"a scanner": by_a_scanner, "a prefetch": by_a_prefetch, "a HEAD": by_a_head}
ALTERED: dict[str, Open] = {"altering it": altered}
OPENINGS = THEIR_OWN | UNASKED | ALTERED
