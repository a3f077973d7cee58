import { expect } from "vitest";
import { LATE, type Witness } from "./audience.ts";
import { ENDED, type Notes } from "./receipts.ts";
import type { Kind, Life, Scene } from "./scene.ts";
import { judgeStream } from "./stream.ts";

/** What is true of whatever happened. It knows what was posted, answered and seen, and no code of the router. */
export function judge(scene: Scene, witnesses: readonly Witness[], notes: Notes): Record<string, number> {
  const { posted } = scene;
  const accepted = posted.filter(({ acceptedAt }) => acceptedAt !== undefined);

  const seen = judgeStream(scene, witnesses, notes);
  for (const { user, frames } of witnesses) {
    const repeated = [...frames].filter(([, times]) => isRepeated(times, scene));
    expect(repeated, `${user}: sent twice by one process`).toEqual([]);
    const over = [...frames].filter(
      ([id, times]) => (times.at(-1) ?? 0) > (notes.get(id)?.readAt ?? Number.POSITIVE_INFINITY) + 10 * LATE,
    );
    expect(over, `${user}: sent after its ending had been read`).toEqual([]);
  }

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
 * Messages without a stream that a client has to have. Whichever process served one, of those from its first POST to
 * its ending, the client was connected as long as that process could serve it.
 */
function owedTo(witness: Witness, { posted, lives }: Scene, notes: Notes) {
  const lifeAt = (time: number) => lives.findIndex(({ killedAt }) => time <= killedAt);
  /** The lanes of a process wait for who was there when the one before ended: until it is back, or they open. */
  const wasAwaited = (life: number) => {
    const killedAt = lives[life - 1]?.killedAt;
    return killedAt !== undefined && wasConnected(witness, killedAt - LATE, killedAt);
  };
  const wasThere = (life: number, at: number, isAwaited: boolean) => {
    const { opensAt, killedAt } = lives[life] as Life;
    const from = isAwaited ? Math.max(at, opensAt) : at;
    return killedAt < from || wasConnected(witness, from, killedAt);
  };
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
      return lives
        .slice(first, last + 1)
        .every((_, i) => wasThere(first + i, at, i > 0 || wasAwaited(first)));
    })
    .map((message) => ({ witness, message }));
}

/** A process that was killed may not have written what it had sent, nor may one whose disk was full. */
const isRepeated = (times: readonly number[], { lives }: Scene): boolean =>
  times.some((time, i) => {
    const before = times[i - 1];
    return (
      before !== undefined &&
      !lives.some(
        ({ killedAt, isFull }, life) =>
          (before - LATE <= killedAt && killedAt <= time) ||
          (isFull && (lives[life - 1]?.killedAt ?? 0) <= time && before <= killedAt),
      )
    );
  });

const wasConnected = ({ connected }: Witness, from: number, to: number): boolean =>
  connected.some((one) => one.from <= from && Math.min(to, performance.now()) - LATE <= one.to);
