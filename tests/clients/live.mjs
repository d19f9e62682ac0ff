import { createClient } from 'graphql-ws';

/** A client that comes back by itself, whatever becomes of the connection. */
export function liveClient({ url, token, ...options }) {
  return createClient({
    url,
    connectionParams: async () => ({ authorization: `Bearer ${await token()}` }), // a fresh one for each connection
    shouldRetry: () => true, // also when it is refused, as during a restart
    retryAttempts: Infinity,
    ...options,
  });
}

/** Subscribes, and goes on behind the last update on each new connection; returns what ends it. */
export function resume(client, { query, variables }, sink) {
  const payload = { query, variables: { ...variables } }; // sent again as it then is
  let stop, timer;
  const next = (result) => {
    sink.next(result); // first: what was not taken is not behind us
    payload.variables.after = Object.values(result.data ?? {})[0]?.cursor ?? payload.variables.after;
  };
  const error = (fault) => {
    if (fault[0]?.extensions?.code === 'SERVICE_UNAVAILABLE') timer = setTimeout(start, 1000);
    else sink.error(fault);
  };
  const start = () => (stop = client.subscribe(payload, { ...sink, next, error }));
  start();
  return () => (clearTimeout(timer), stop());
}
