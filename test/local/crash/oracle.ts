import { expect } from "vitest";
import type { Witness } from "./audience.ts";
import { ENDED, type Notes } from "./receipts.ts";
import { type Kind, type Life, type Posted, type Scene, STREAM } from "./scene.ts";

/** What is true of whatever happened. It knows what was posted, answered and seen, and no code of the router. */
export function judge(scene: Scene, witnesses: readonly Witness[], notes: Notes): Record<string, number> {
  const isInStream = ({ request }: Posted) => "topic" in request.target && request.target.topic === STREAM;
  const { posted } = scene;
  const accepted = posted.filter(({ acceptedAt }) => acceptedAt !== undefined);

  for (const { user, stream, gaps, errors } of witnesses) {
    expect(gaps, `${user}: gaps`).toEqual([]);
    expect(errors, `${user}: errors`).toEqual([]);
    expect(
      stream.filter(([seq], i) => seq <= (stream[i - 1]?.[0] ?? 0)),
      `${user}: out of order`,
    ).toEqual([]);
    const ns = stream.map(([, n]) => n);
    expect(
      ns.filter((n, i) => ns.indexOf(n) !== i && ns.lastIndexOf(n) === i),
      `${user}: twice`,
    ).toEqual([]);
    expect(
      ns.filter((n) => !(posted[n] && isInStream(posted[n]))),
      `${user}: never posted`,
    ).toEqual([]);
    expect(stream, `${user} saw what ${witnesses[0]?.user} saw`).toEqual(witnesses[0]?.stream);
  }
  const seen = new Set(witnesses[0]?.stream.map(([, n]) => n));
  const lost = accepted.filter(
    (message) => isInStream(message) && message.kind === "stream" && !seen.has(message.n),
  );
  expect(lost, "messages of the stream that got 202 and nobody saw").toEqual([]);

  const endings: Record<string, number> = {};
  for (const message of accepted) {
    const { states = [] } = notes.get(message.id ?? "") ?? {};
    const ended = states.filter((state) => ENDED.has(state));
    const label = `message ${message.n} (${message.kind}): ${states}`;
    expect(ended, label).toHaveLength(1);
    expect(states.at(-1), label).toBe(ended[0]);
    expect(states.indexOf("unknown"), label).toBeLessThanOrEqual(0);
    expect(MAY_END[message.kind], label).toContain(ended[0]);
    const name = `${message.kind} ${ended[0]}`;
    endings[name] = (endings[name] ?? 0) + 1;
  }
  const owed = witnesses.flatMap((witness) => owedTo(witness, scene, notes));
  expect(
    owed
      .filter(({ witness, message }) => !witness.others.has(message.n))
      .map(({ witness: { user, connected }, message }) => [
        { user, ...message },
        notes.get(message.id ?? ""),
        connected,
        scene.lives,
      ]),
    "messages without a stream that a connected client did not get",
  ).toEqual([]);
  return {
    posted: posted.length,
    accepted: accepted.length,
    stream: seen.size,
    unanswered: [...seen].filter((n) => posted[n]?.acceptedAt === undefined).length,
    owed: owed.length,
    // At least once is what was promised: a client remembers its last 5,000 messages.
    twice: witnesses.reduce((sum, { twice }) => sum + twice.length, 0),
    ...endings,
  };
}

const MAY_END: Readonly<Record<Kind, readonly string[]>> = {
  stream: ["delivered", "no-recipients"],
  plain: ["delivered", "no-recipients"],
  user: ["delivered", "no-recipients"],
  nobody: ["no-recipients"],
  expiring: ["delivered", "no-recipients", "expired"],
};

/**
 * Messages without a stream that a client has to have: it was connected from the first POST on, or back before the
 * lanes of each process until it had ended opened.
 */
function owedTo(witness: Witness, { posted, lives }: Scene, notes: Notes) {
  const lifeAt = (time: number) => lives.findIndex(({ killedAt }) => time <= killedAt);
  return posted
    .filter(({ kind, acceptedAt, request }) => {
      const isForIt =
        kind === "plain" ||
        (kind === "user" && "user" in request.target && request.target.user === witness.user);
      return isForIt && acceptedAt !== undefined;
    })
    .filter(({ at, id = "" }) => {
      const first = lifeAt(at);
      // A run that was cut off may be made again some processes later.
      const last = lifeAt(Math.min(notes.get(id)?.endedAt ?? Number.POSITIVE_INFINITY, performance.now()));
      const own = lives[first] as Life;
      return (
        wasConnected(witness, at, own.killedAt) &&
        lives
          .slice(first + 1, last + 1)
          .every(({ opensAt, killedAt }) => killedAt < opensAt || wasConnected(witness, opensAt, killedAt))
      );
    })
    .map((message) => ({ witness, message }));
}

const wasConnected = ({ connected }: Witness, from: number, to: number): boolean =>
  connected.some((one) => one.from <= from && Math.min(to, performance.now()) - LATE <= one.to);

/** A client hears of a kill a moment before or after the test does. */
const LATE = 100;
