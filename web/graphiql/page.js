// GraphiQL, signed in as one of the sandbox's people by one click.
"use strict";

const QUERY = `# Ctrl-Space completes, Ctrl-Enter runs; the schema is behind the book.
query Mine {
  me { name }
  creditAccount { available blocked }
  meetings {
    edges { node { id status startsAt user { name } expert { name } } }
  }
}
`;

const SUBSCRIPTION = `# Run this, then act on a meeting: in a tab, or in a window as somebody else.
subscription Live {
  myMeetingUpdates {
    event { label }
    meeting { id status }
  }
}
`;

const CHOSEN = "sandbox.person"; // for this window only, so that two windows can be two people
const bar = document.getElementById("people");
const root = ReactDOM.createRoot(document.getElementById("graphiql"));
let socket;

async function peopleNow() {
  const response = await fetch("sandbox/people");
  return response.json();
}

// Each time with a new token, as they expire, and a new socket, so that what the last person subscribed to ends.
async function signIn(sub) {
  const person = (await peopleNow()).find((each) => each.sub === sub);
  if (!person) return;
  sessionStorage.setItem(CHOSEN, sub);
  for (const button of bar.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.sub === sub));
  }
  const authorization = `Bearer ${person.token}`;
  socket?.dispose();
  socket = graphqlWs.createClient({
    url: location.href.replace(/^http/, "ws").replace(/[?#].*/, ""),
    connectionParams: { authorization },
  });
  root.render(
    React.createElement(GraphiQL, {
      key: person.token,
      fetcher: GraphiQL.createFetcher({ url: location.pathname, headers: { authorization }, wsClient: socket }),
      defaultTabs: [{ query: QUERY }, { query: SUBSCRIPTION }],
      shouldPersistHeaders: false,
    }),
  );
}

async function start() {
  for (const person of await peopleNow()) {
    const button = document.createElement("button");
    button.dataset.sub = person.sub;
    button.textContent = person.roles.length ? `${person.name} (${person.roles.join(", ")})` : person.name;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => signIn(person.sub));
    bar.append(button);
  }
  const chosen = sessionStorage.getItem(CHOSEN);
  if (chosen) await signIn(chosen);
}

start();
