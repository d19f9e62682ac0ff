"""uvicorn's side of a WebSocket, with what ASGI has no words for: sending without waiting, and hanging up."""

from typing import TYPE_CHECKING, Any, cast

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

if TYPE_CHECKING:
    from websockets.http11 import Request

EXTENSION = "expertim.connection"


class Connection(WebSocketsSansIOProtocol):
    """One socket."""

    @classmethod
    def of(cls, websocket: WebSocket) -> "Connection":
        """The one that a WebSocket came by."""
        connection = websocket.scope.get("extensions", {}).get(EXTENSION)
        if not isinstance(connection, cls):
            raise RuntimeError(f"sockets are served by uvicorn --ws {cls.__module__}:{cls.__name__} (Procfile) only")
        return connection

    def handle_connect(self, event: "Request") -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self

    def forget_handshake(self) -> None:
        """Let go of what only opening the socket took, 5 kB of it."""
        del self.request, self.response
        self.scope["headers"] = []

    @property
    def keeps_up(self) -> bool:
        """Whether the client has read so much that more may be sent; `writable` is the event to wait for."""
        return self.writable.is_set()

    @property
    def has_more(self) -> bool:
        """Whether the client has sent something that nobody has looked at yet."""
        return not self.queue.empty()

    def write(self, text: bytes) -> None:
        """Send a text, unless the socket is closed. What the client does not read takes memory until it does."""
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            return
        if self.conn.extensions:
            self.conn.send_text(text)
            self.transport.write(b"".join(self.conn.data_to_send()))
        else:
            self.transport.write(_head_of(len(text)) + text)

    def hang_up(self) -> None:
        """End the connection now. Nothing more is sent, not even that it ends: the client does not read."""
        self.transport.abort()

    def shutdown(self) -> None:
        """The process is about to end: clients are told so (1012), and those that don't read are not waited for."""
        reads = self.keeps_up
        super().shutdown()
        if not reads:
            self.hang_up()


def _head_of(length: int) -> bytes:
    """What stands before a text of so many bytes (RFC 6455, 5.2); websockets takes four times as long to write it."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2)
    return b"\x81\x7f" + length.to_bytes(8)
