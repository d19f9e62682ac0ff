// urql as its documentation puts it together, with graphql-ws for subscriptions. Queries go by GET, its default.

import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { given, obey, tell } from './lines.mjs';

const { url, socketUrl, authorization, headers } = given;

const sockets = createClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: { authorization } });

const client = new Client({
  url,
  fetch: (input, init) => {
    tell('fetched', { method: init.method });
    return fetch(input, init);
  },
  fetchOptions: { headers: { authorization, ...headers } },
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});

function plain({ data, error }) {
  return {
    data,
    status: error?.response?.status,
    codes: error?.graphQLErrors.map(({ extensions }) => extensions.code),
  };
}

const stop = {};

obey({
  async query({ query, variables }) {
    tell('answered', plain(await client.query(query, variables ?? {})));
  },
  async mutate({ mutation, variables }) {
    tell('answered', plain(await client.mutation(mutation, variables ?? {})));
  },
  subscribe({ id, query, variables }) {
    const { unsubscribe } = client
      .subscription(query, variables ?? {})
      .subscribe((result) => tell('pushed', { id, ...plain(result) }));
    stop[id] = unsubscribe;
  },
  complete: ({ id }) => stop[id](),
});
