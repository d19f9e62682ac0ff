// graphql-ws as docs/live.md has it: nobody tells it when to come back, or where to go on.

import WebSocket from 'ws';
import { liveClient, resume } from './live.mjs';
import { ask, described, given, obey, tell } from './lines.mjs';

const client = liveClient({
  url: given.url,
  token: given.token ? () => given.token : () => ask('token'),
  webSocketImpl: WebSocket,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)), // else the same, but seconds later
  on: { closed: ({ code }) => tell('closed', { code }) },
});

obey({
  terminate: () => client.terminate(),
  query: ({ id, query }) =>
    client.subscribe({ query }, { next: () => {}, error: () => {}, complete: () => tell('answered', { id }) }),
  resume({ id, ...payload }) {
    resume(client, payload, {
      next: (result) => tell('next', { id, result }),
      error: (fault) => tell('error', { id, ...described(fault) }),
      complete: () => tell('complete', { id }),
    });
  },
});
