import { setTimeout as pause } from "node:timers/promises";
import { EXPIRING, isStopping, type Kind, PLAIN, type Posted, type Scene, STREAM } from "./scene.ts";

const KINDS: readonly Kind[] = [
  ...Array<Kind>(12).fill("stream"),
  ...Array<Kind>(3).fill("plain"),
  ...(["user", "user", "nobody", "nobody", "expiring"] as const),
];

/** Posts messages of all kinds, `inFlight` at a time, until the scene is over; those with an id of their own until they get 202. */
export async function publish(scene: Scene, inFlight: number): Promise<void> {
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (!scene.isOver) {
        const batch = Array.from({ length: scene.random() < 0.15 ? 4 : 1 }, () => newMessage(scene));
        await postAll(scene, batch);
        // An answer may be lost, and a producer that does not know posts again.
        if (scene.random() < 0.1)
          await postAll(
            scene,
            batch.filter(({ request }) => request.id),
          );
        await pause(scene.random() * 60);
      }
    }),
  );
}

/** Posts messages of a kind until one got 202, and resolves with that. */
export async function postOne(scene: Scene, kind: Kind): Promise<Posted> {
  for (;;) {
    const message = newMessage(scene, kind);
    await postAll(scene, [message]);
    if (message.acceptedAt !== undefined) return message;
  }
}

function newMessage({ random, users, posted }: Scene, kind = pick(KINDS, random)): Posted {
  const n = posted.length;
  const target =
    kind === "user"
      ? { user: pick(users, random) }
      : { topic: kind === "plain" ? PLAIN : kind === "nobody" ? "nobody" : STREAM };
  // Of an expiring one the delay ends a moment before its life does.
  const delay = kind === "expiring" ? EXPIRING : random() < 0.1 ? { delaySeconds: 1 } : {};
  const id = random() < 0.5 ? { id: `m-${n}` } : {};
  const priority = pick(["high", "normal", "normal", "low"] as const, random);
  const message: Posted = { n, kind, request: { ...id, target, ...delay, priority }, at: performance.now() };
  posted.push(message);
  return message;
}

const pick = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T;

interface Item {
  readonly id?: string;
  readonly state: string;
}

/** One request. What has no id is posted once, since a second time would be another message. */
async function postAll(scene: Scene, messages: readonly Posted[]): Promise<void> {
  if (messages.length === 0) return;
  const items = await request(
    scene,
    messages.map(({ n, request }) => ({ ...request, data: n })),
  );
  for (const [index, message] of messages.entries()) {
    const item = items?.[index];
    if (item?.state !== "queued" || item.id === undefined) continue;
    message.id = item.id;
    message.acceptedAt ??= performance.now();
  }
  const again = messages.filter(({ request, acceptedAt }) => request.id && acceptedAt === undefined);
  if (again.length === 0) return;
  await pause(20 + scene.random() * 80);
  await postAll(scene, again);
}

/** Undefined if there was no answer, or none that says what became of the messages. */
async function request(scene: Scene, messages: readonly unknown[]): Promise<readonly Item[] | undefined> {
  try {
    const response = await fetch(`${scene.url}/v1/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${scene.token}`, "content-type": "application/json" },
      body: JSON.stringify(messages),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (response.status === 202) return JSON.parse(text) as readonly Item[];
    if (isStopping(response.status, text)) return undefined;
    if (response.status !== 503 || !scene.isFull) throw new Unexpected(`${response.status}: ${text}`);
    scene.refused = (scene.refused ?? 0) + 1;
    return undefined;
  } catch (fault) {
    if (fault instanceof Unexpected) throw fault;
    return undefined;
  }
}

/** The router answered what it never should. */
export class Unexpected extends Error {}
