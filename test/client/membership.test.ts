import { expect, test } from "vitest";
import { seeded } from "../../testing/random.ts";
import { recorded, type ServedSocket, world } from "./support/world.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];
const REFUSALS = [
  { message: "Too Many Requests" },
  { type: "error", code: "TABLE_UNAVAILABLE", detail: "" },
  { type: "error", code: "SUPERSEDED", detail: "" },
  { type: "error", code: "TOO_MANY_FRAMES", detail: "", retryAfter: 2 },
];
const jwt = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

/** A router that answers late, refuses for a while, holds few topics and takes some away with each token. */
function busyRouter(it: ReturnType<typeof world>, random: () => number, most: number) {
  const held = new Map<ServedSocket, Set<string>>();
  const asked = new Map<ServedSocket, Set<string>>();
  const twice: string[] = [];
  let isCalm = false;
  let granted = NAMES;
  const answer = (mine: Set<string>, type: string, names: readonly string[]): object => {
    if (type === "ping") return { type: "pong", connection: "c" };
    if (type === "unsubscribe") {
      for (const name of names) mine.delete(name);
      return { type: "unsubscribed", topics: names };
    }
    if (type === "token") {
      granted = NAMES.filter(() => isCalm || random() < 0.8);
      const removed = [...mine].filter((name) => !granted.includes(name));
      for (const name of removed) mine.delete(name);
      return { type: "token", expiresAt: "", removed: removed.map((name) => `topic:${name}`) };
    }
    const topics = names.filter((name) => granted.includes(name));
    if (new Set([...mine, ...topics]).size > most)
      return { type: "error", code: "TOO_MANY_TOPICS", detail: "" };
    for (const name of topics) mine.add(name);
    const refused = names.filter((name) => !topics.includes(name));
    return {
      type: "subscribed",
      topics,
      refused: refused.map((topic) => ({ topic, code: "TOPIC_FORBIDDEN", detail: "" })),
    };
  };
  it.script.onSocket = (socket) => {
    held.set(socket, new Set());
    asked.set(socket, new Set());
    if (!isCalm && random() < 0.1) socket.refuse();
    else it.runtime.after(random() * 500, socket.accept);
  };
  it.script.onFrame = (socket, { type, topics = [], ref }) => {
    const names = topics as string[];
    const underWay = asked.get(socket) ?? new Set();
    for (const name of names) {
      if (underWay.has(name)) twice.push(name);
      underWay.add(name);
    }
    const refusal = REFUSALS[Math.floor(random() * (isCalm ? 0 : 30)) - 1];
    const reply = refusal ?? answer(held.get(socket) ?? new Set(), String(type), names);
    it.runtime.after(random() * (isCalm ? 100 : 2_000), () => {
      for (const name of names) underWay.delete(name);
      socket.send("type" in reply ? { ...reply, ref } : reply);
    });
  };
  return {
    twice,
    calm() {
      isCalm = true;
      granted = NAMES;
    },
    /** What the open socket holds. */
    held: () => [...held].findLast(([{ state }]) => state === "open")?.[1] ?? new Set<string>(),
  };
}

test.each([
  { room: "room for all", most: 8 },
  { room: "room for five", most: 5 },
])("whatever is refused, taken away or cut, the router holds in the end what is wanted: $room", async ({
  most,
}) => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seeded(seed);
    const it = world({ random });
    const router = busyRouter(it, random, most);
    const client = it.connect({
      token: () => jwt({ iat: Math.floor(it.now() / 1000), exp: Math.floor(it.now() / 1000) + 60 }),
    });
    recorded(client);
    const wanted = new Map<string, () => void>();
    const drop = (name: string) => {
      wanted.get(name)?.();
      wanted.delete(name);
    };
    for (let step = 0; step < 80; step += 1) {
      const name = NAMES[Math.floor(random() * NAMES.length)] ?? "a";
      const what = random();
      if (what < 0.3) drop(name);
      if (what < 0.7 && what > 0.2 && !wanted.has(name))
        wanted.set(name, client.subscribe(name, () => {}).unsubscribe);
      else if (what > 0.97) it.sockets.findLast(({ state }) => state === "open")?.close();
      await it.advance(random() < 0.3 ? 0 : random() * 3_000);
    }
    router.calm();
    for (const name of [...wanted.keys()].slice(5)) drop(name);
    await it.advance(600_000);
    const label = `seed ${seed}`;
    expect([...router.held()].sort(), label).toEqual([...wanted.keys()].sort());
    expect([client.state, it.open(), router.twice], label).toEqual(["connected", 1, []]);
    client.close();
    expect(it.open(), label).toBe(0);
  }
});
