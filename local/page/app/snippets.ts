import type { Tab } from "./tabs.ts";

/** What the snippets speak of: this router, and what stands in the forms. */
export interface Place {
  readonly httpUrl: string;
  readonly socketUrl: string;
  readonly user: string;
  readonly topic: string;
  readonly token: string;
}

/** Code for an app that uses this router. */
export const snippets = (place: () => Place): readonly Tab[] =>
  Object.entries(TEXTS).map(([name, text]) => ({ name, text: () => text(place()) }));

const TEXTS: Readonly<Record<string, (place: Place) => string>> = {
  Browser: ({ socketUrl, topic }) => `import { connect } from "tagwire/client";

const client = connect({
  url: ${JSON.stringify(socketUrl)},
  // A route of your backend, behind your login: see the tab Node.
  token: async () => (await fetch("/tagwire-token")).text(),
});
client.subscribe(${JSON.stringify(topic)}, ({ data }) => console.log(data));
client.on("gap", () => location.reload());`,
  React: ({ socketUrl, topic }) => `import { useState } from "react";
import { connect } from "tagwire/client";
import { TagwireProvider, useSubscription } from "tagwire/react";

const client = connect({
  url: ${JSON.stringify(socketUrl)},
  token: async () => (await fetch("/tagwire-token")).text(),
});

function Orders() {
  const [orders, setOrders] = useState([]);
  useSubscription(${JSON.stringify(topic)}, ({ data }) => setOrders((all) => [...all, data]));
  return <ul>{orders.map((order, n) => <li key={n}>{JSON.stringify(order)}</li>)}</ul>;
}

export const App = () => <TagwireProvider client={client}><Orders /></TagwireProvider>;`,
  Node: ({ httpUrl, user, topic }) => `import { mintToken, publisher } from "tagwire/server";

const secret = process.env.TAGWIRE_SECRET; // the router's; \`npm start\` without one has the development secret

// The route that your browser code fetches.
app.get("/tagwire-token", async (request, response) => {
  response.send(await mintToken({ user: ${JSON.stringify(user)}, subscribe: [${JSON.stringify(topic)}], ttlSeconds: 900, secret }));
});

const router = publisher({ url: ${JSON.stringify(httpUrl)}, secret, user: "shop" });
const { id } = await router.publish({ target: { topic: ${JSON.stringify(topic)} }, data: { order: 1 } });
console.log(await router.waitFor(id));`,
  Python: ({ httpUrl, topic, token }) => `import requests, uuid

token = ${JSON.stringify(token)}

response = requests.post(
    ${JSON.stringify(`${httpUrl}/v1/messages`)},
    headers={"authorization": f"Bearer {token}"},
    json={"id": str(uuid.uuid4()), "target": {"topic": ${JSON.stringify(topic)}}, "data": {"order": 1}},
    timeout=35,
)
print(response.status_code, response.json())`,
  curl: ({ httpUrl, topic, token }) => `TOKEN=${token}

curl -sS ${httpUrl}/v1/messages \\
  -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -d '${JSON.stringify({ target: { topic }, data: { order: 1 } })}'`,
};
