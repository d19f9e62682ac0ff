"""`python -m demo`: people play the main job against a running sandbox, and every push is printed."""

import asyncio
import os
import random
import sys
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import httpx2

from demo.player import PUSHES_WITHIN_SECONDS, Player
from demo.scenes import Scene


async def play(uma: Player, emil: Player, eva: Player, staff: Player) -> None:
    """All that two people can do to each other before a meeting, in eight scenes."""
    person = "{ me { id name services { id name price durationMinutes } skills { id } creditAccount { available } } }"
    user, expert, other = [(await each.ask(person))["me"] for each in (uma, emil, eva)]
    service, skill = expert["services"][0], expert["skills"][0]
    if float(user["creditAccount"]["available"]) < 4 * float(service["price"]):
        grant = 'mutation ($to: ID!) { grantCredits(input: {personId: $to, amount: "500.00"}) { __typename } }'
        await staff.ask(grant, to=user["id"])
    now = datetime.fromisoformat((await uma.http.get("/sandbox/clock")).json()["now"])
    wanted = {"expertId": expert["id"], "serviceId": service["id"], "skillId": skill["id"]}
    offered = {"serviceId": service["id"], "skillId": skill["id"], "durationMinutes": 20, "price": "12.50"}
    scene = Scene(uma, emil, eva, wanted)
    # Somewhere in the next two years, so that playing it again collides with nothing.
    start = now + timedelta(days=30, minutes=random.randrange(60 * 24 * 690))

    print(f"Uma wants “{service['name']}” of Emil, for {service['price']} credits.")
    meeting = await scene.agree_on(start)
    await scene.reschedule(meeting, start + timedelta(days=1))
    await scene.reject(meeting, offered | {"startsAt": (start + timedelta(days=2)).isoformat()})
    await scene.talk(meeting, offered | {"startsAt": (start + timedelta(days=4)).isoformat()})
    await scene.collide(start + timedelta(days=3))
    await scene.find_a_free_slot(other, start)
    await scene.cancel_late(now + timedelta(days=1))
    await scene.live_through(now + timedelta(days=2), timedelta(minutes=service["durationMinutes"]))


async def main(url: str) -> None:
    async with AsyncExitStack() as open_until_the_end:
        http = await open_until_the_end.enter_async_context(httpx2.AsyncClient(base_url=url))
        try:
            known = (await http.get("/sandbox/people")).raise_for_status().json()
        except httpx2.HTTPError as fault:
            sys.exit(f"No sandbox answers at {url} ({fault!r}): start one with `make run`.")
        tokens = {each["sub"]: each["token"] for each in known}

        async def player(sub: str, name: str) -> Player:
            headers = {"Authorization": f"Bearer {tokens[sub]}"}
            client = httpx2.AsyncClient(base_url=url, headers=headers, timeout=PUSHES_WITHIN_SECONDS)
            return Player(name, await open_until_the_end.enter_async_context(client))

        uma, emil, eva, stella = [await player(sub, sub.capitalize()) for sub in ("uma", "emil", "eva", "stella")]
        async with asyncio.TaskGroup() as watching:
            tasks = [watching.create_task(each.watch()) for each in (uma, emil, eva)]
            for each in (uma, emil, eva):
                await each.listens()
            await play(uma, emil, eva, stella)
            for task in tasks:
                task.cancel()
        pushed = (uma.seen + emil.seen + eva.seen).total()
        print(f"\nThat was the main job: {pushed} pushes, each the moment its cause was committed.")


if __name__ == "__main__":
    asyncio.run(main(os.environ.get("PUBLIC_URL") or f"http://localhost:{os.environ.get('PORT') or 8000}"))
