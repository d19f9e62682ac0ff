// The audit that ships with graphql-http: does a server speak GraphQL over HTTP?

import { auditServer } from 'graphql-http';
import { given, tell } from './lines.mjs';

const { url, headers } = given;

const results = await auditServer({
  url,
  fetchFn: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, ...headers } }),
});
tell('audited', { results: results.map(({ id, name, status, reason }) => ({ id, name, status, reason })) });
