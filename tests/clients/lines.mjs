// How a script speaks with its test: both send a JSON object a line.

import { createInterface } from 'node:readline';

export const given = JSON.parse(process.argv[2]);

const answers = {};

export function tell(event, details = {}) {
  process.stdout.write(JSON.stringify({ event, ...details }) + '\n');
}

/** Asks the test for something and waits until it is given. */
export function ask(what) {
  tell('asked', { what });
  return new Promise((resolve) => (answers[what] = resolve));
}

/** Does what the test says, several things at once if it says so, until it has no more to say. */
export async function obey(actions) {
  actions.give = ({ what, value }) => answers[what](value);
  for await (const line of createInterface({ input: process.stdin })) {
    const { action, ...details } = JSON.parse(line);
    Promise.resolve(actions[action](details)).catch((fault) => tell('failed', { action, ...described(fault) }));
  }
  process.exit();
}

/** What a test wants to know of an error, of whichever client. */
export function described(fault) {
  if (Array.isArray(fault)) return { errors: fault };
  const { name, message, code, reason, statusCode, errors } = fault;
  return { name, message, code, reason, statusCode, errors };
}
