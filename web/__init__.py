"""What speaks HTTP and WebSocket: tokens, the GraphQL endpoint and its sockets, health, the sandbox."""
