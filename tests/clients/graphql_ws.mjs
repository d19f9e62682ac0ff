// graphql-ws, the client whose protocol we speak.

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { ask, described, given, obey, tell } from './lines.mjs';

const { url, token, ...options } = given;
const stop = {};

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: token
    ? { authorization: `Bearer ${token}` }
    : async () => ({ authorization: `Bearer ${await ask('token')}` }),
  shouldRetry: () => true, // also after a connection that was refused
  retryWait: () => ask('retry'),
  ...options,
  on: {
    connecting: (isRetry) => tell('connecting', { isRetry }),
    opened: () => tell('opened'),
    connected: (_, payload, wasRetry) => tell('connected', { payload, wasRetry }),
    ping: (received) => tell('ping', { received }),
    pong: (received) => tell('pong', { received }),
    closed: ({ code, reason }) => tell('closed', { code, reason }),
  },
});

obey({
  subscribe({ id, ...payload }) {
    stop[id] = client.subscribe(payload, {
      next: (result) => tell('next', { id, result }),
      error: (fault) => tell('error', { id, ...described(fault) }),
      complete: () => tell('complete', { id }),
    });
  },
  complete: ({ id }) => stop[id](),
  dispose: () => client.dispose(),
  terminate: () => client.terminate(),
});
