"""The limit: an ASGI handler of WebSockets that knows no GraphQL, sends what it is told to, and nothing else."""

import json
from typing import Any

sockets: list[Any] = []
"Each client's `send`, in the order they came."


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await _websocket(receive, send)
    elif scope["type"] == "http":
        await _push(receive, send)


async def _websocket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
    while (message := await receive())["type"] != "websocket.disconnect":
        # What the clients wait for, whatever they said.
        kind = json.loads(message["text"])["type"]
        if kind == "connection_init":
            await send({"type": "websocket.send", "text": '{"type": "connection_ack"}'})
        elif kind == "subscribe":
            sockets.append(send)
        elif kind == "ping":
            await send({"type": "websocket.send", "text": '{"type": "pong"}'})


async def _push(receive: Any, send: Any) -> None:
    """Send the text of a request to the clients with these numbers, or to all."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    asked = json.loads(body)
    to = sockets if asked["to"] is None else [sockets[each] for each in asked["to"]]
    for each in to:
        await each({"type": "websocket.send", "text": asked["text"]})
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
