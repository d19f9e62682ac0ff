// Apollo Client as its documentation puts it together: HTTP for queries and mutations, a socket for subscriptions.

import { readFileSync } from 'node:fs';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition, relayStylePagination } from '@apollo/client/utilities';
import { buildSchema, isAbstractType } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { described, given, obey, tell } from './lines.mjs';

const { url, socketUrl, authorization, schema } = given;

/** What code generators make of a schema: which types an interface or a union may turn out to be. */
function possibleTypes(text) {
  const built = buildSchema(text);
  const abstract = Object.values(built.getTypeMap()).filter(isAbstractType);
  return Object.fromEntries(abstract.map((type) => [type.name, built.getPossibleTypes(type).map(({ name }) => name)]));
}

const sockets = createClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: { authorization } });

const client = new ApolloClient({
  link: ApolloLink.split(
    ({ query }) => getMainDefinition(query).operation === 'subscription',
    new GraphQLWsLink(sockets),
    new HttpLink({ uri: url, headers: { authorization } }),
  ),
  cache: new InMemoryCache({
    possibleTypes: possibleTypes(readFileSync(schema, 'utf8')),
    typePolicies: { Query: { fields: { meetings: relayStylePagination() } }, CreditAccount: { merge: true } },
  }),
});

const watched = {};

obey({
  async query({ query, ...options }) {
    tell('answered', await client.query({ query: gql(query), ...options }));
  },
  async mutate({ mutation, ...options }) {
    tell('answered', await client.mutate({ mutation: gql(mutation), ...options }));
  },
  watch({ id, query, ...options }) {
    watched[id] = client.watchQuery({ query: gql(query), ...options });
    watched[id].subscribe(({ loading, data, error }) => {
      if (!loading) tell('emitted', { id, data, error: error && described(error) });
    });
  },
  async fetchMore({ id, ...options }) {
    await watched[id].fetchMore(options);
    tell('fetched', { id });
  },
  subscribe({ id, query, ...options }) {
    client.subscribe({ query: gql(query), ...options }).subscribe({
      next: ({ data, error }) => tell('pushed', { id, data, error: error && described(error) }),
      error: (fault) => tell('failed', { id, ...described(fault) }),
    });
  },
  // Sockets are read in order, so when this is answered, what was subscribed to before is listening.
  listen() {
    const complete = () => tell('listening');
    sockets.subscribe({ query: '{ __typename }' }, { next() {}, error: complete, complete });
  },
  async cached({ id }) {
    tell('cached', { value: client.cache.extract()[id] });
  },
});
