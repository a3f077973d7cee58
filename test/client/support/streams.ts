import type { ServedSocket, World } from "./world.ts";

type Frame = Record<string, unknown>;

/** A router with streams in a world, by the rules of docs/protocol.md. `late` delays and loses what it sends. */
export function streamRouter(
  world: World,
  {
    count = 100,
    page = 10,
    late = () => 0,
  }: { count?: number; page?: number; late?: () => number | undefined } = {},
) {
  const streams = new Map<string, { first: number; frames: (Frame | undefined)[] }>();
  const members = new Map<ServedSocket, Set<string>>();
  const keeps = (name: string) => !name.startsWith("plain");
  const of = (name: string) => {
    const there = streams.get(name) ?? { first: 1_000, frames: [] };
    streams.set(name, there);
    return there;
  };
  const head = (name: string) => of(name).first + of(name).frames.length - 1;
  const oldest = (name: string) => Math.max(of(name).first, head(name) - count + 1);

  const soon = (act: () => void) => {
    const wait = late();
    if (wait !== undefined) world.runtime.after(wait, act);
  };
  const read = (name: string, from: number) => {
    const to = Math.min(head(name), from + page - 1);
    const { first, frames } = of(name);
    const messages = frames.slice(from - first, to - first + 1).filter((it) => it !== undefined);
    return { messages, position: Math.max(to, from - 1), more: to < head(name) };
  };
  const history = (name: string, since: number) => {
    if (since > head(name)) return { messages: [], position: head(name), more: false, gap: true };
    const gap = since < oldest(name) - 1;
    return { ...read(name, gap ? oldest(name) : since + 1), gap };
  };
  const subscribe = (topics: readonly string[], since: Readonly<Record<string, number>>) => {
    const reply = {
      positions: {} as Frame,
      recovered: {} as Frame,
      more: {} as Frame,
      messages: [] as unknown[],
    };
    for (const name of topics.filter(keeps)) {
      const from = since[name];
      reply.positions[name] = head(name);
      if (from === undefined) continue;
      const isKept = from <= head(name) && from >= oldest(name) - 1;
      reply.recovered[name] = isKept;
      if (!isKept) continue;
      const { messages, position, more } = read(name, from + 1);
      reply.messages.push(...messages);
      reply.positions[name] = position;
      if (more) reply.more[name] = true;
    }
    return reply;
  };

  world.script.onSocket = (socket) => {
    members.set(socket, new Set());
    socket.accept();
  };
  world.script.onFrame = (socket, frame) => {
    const { type, ref } = frame;
    const topics = (frame["topics"] ?? []) as string[];
    const held = members.get(socket) ?? new Set();
    // The reply is made now and arrives later; a lost one is a socket that is half open.
    const reply = (fields: object) => soon(() => socket.send({ ...fields, ref }));
    if (type === "subscribe") {
      for (const name of topics) held.add(name);
      const since = (frame["since"] ?? {}) as Record<string, number>;
      reply({ type: "subscribed", topics, ...subscribe(topics, since) });
    } else if (type === "unsubscribe") {
      for (const name of topics) held.delete(name);
      reply({ type: "unsubscribed", topics });
    } else if (type === "history") {
      const name = String(frame["topic"]);
      const last = frame["last"] as number | undefined;
      const from =
        last === undefined ? Number(frame["since"]) : Math.max(oldest(name), head(name) - last + 1) - 1;
      reply({ type: "history", topic: name, ...history(name, from) });
    } else if (type === "ping") {
      const positions = Object.keys((frame["positions"] ?? {}) as object).map((name) => [name, head(name)]);
      reply({ type: "pong", connection: "c", positions: Object.fromEntries(positions) });
    } else if (type === "token") reply({ type: "token", expiresAt: "2030-01-01T00:00:00Z", removed: [] });
  };

  return {
    head,
    oldest,
    members,
    /** Publishes to a topic; returns its number. One that is cancelled stays as a number without data. */
    publish(topic: string, { cancelled = false }: { cancelled?: boolean } = {}): number {
      const { frames } = of(topic);
      const seq = head(topic) + 1;
      const message = {
        type: "message",
        id: `${topic}-${seq}`,
        ...(topic === "@user" ? { to: "user" } : { topic }),
        ...(keeps(topic) ? { seq } : {}),
        data: seq,
        time: "2026-01-31T12:00:00.000Z",
      };
      frames.push(cancelled ? undefined : message);
      if (!cancelled)
        for (const [socket, held] of members)
          if (held.has(topic) && socket.state === "open") soon(() => socket.send(message));
      return seq;
    },
  };
}
