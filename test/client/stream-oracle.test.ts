import fc from "fast-check";
import { expect, test } from "vitest";
import { type Step, stream } from "../../client/stream.ts";

interface Numbered {
  readonly seq?: number;
  readonly omitted?: boolean;
}

/**
 * A stream and what is on its way from it, by the rules of a router and none of the client's: numbers 1 to head, some
 * without data, the last `count` kept. Replies are made at one time and arrive at another; live frames get lost.
 */
function router(count: number, page: number) {
  const withData: boolean[] = [true];
  const head = () => withData.length - 1;
  const oldest = () => Math.max(1, head() - count + 1);
  const read = (from: number) => {
    const to = Math.min(head(), from + page - 1);
    const messages = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
      .filter((seq) => withData[seq])
      .map((seq) => ({ seq }));
    return { messages, position: Math.max(to, from - 1), more: to < head() };
  };
  return {
    head,
    oldest,
    append: (hasData: boolean) => void withData.push(hasData),
    has: (seq: number) => withData[seq] === true,
    subscribe: (since: number | undefined) => {
      if (since === undefined) return { messages: [], position: head() };
      if (since > head() || since < oldest() - 1) return { messages: [], position: head(), recovered: false };
      return { ...read(since + 1), recovered: true };
    },
    history: (since: number) => {
      if (since > head()) return { messages: [], position: head(), more: false, gap: true };
      const gap = since < oldest() - 1;
      return { ...read(gap ? oldest() : since + 1), gap };
    },
  };
}

type Move = "append" | "empty" | "lose" | "arrive" | "subscribe" | "history" | "head" | "abandon";
const MOVES: Move[] = [
  "append",
  "append",
  "append",
  "empty",
  "lose",
  "arrive",
  "arrive",
  "arrive",
  "subscribe",
  "history",
  "head",
];

test("whatever is lost, repeated and late: each number once, in order, or in a gap that is real", () => {
  const schedule = fc.record({
    count: fc.integer({ min: 1, max: 12 }),
    page: fc.integer({ min: 1, max: 5 }),
    before: fc.integer({ min: 0, max: 5 }),
    moves: fc.array(fc.tuple(fc.constantFrom(...MOVES), fc.nat()), { maxLength: 60 }),
  });
  fc.assert(
    fc.property(schedule, ({ count, page, before, moves }) => {
      const server = router(count, page);
      for (let i = 0; i < before; i += 1) server.append(true);
      const client = stream<Numbered>();
      const arriving: (() => readonly Step<Numbered>[])[] = [];
      const steps: Step<Numbered>[] = [];
      let start: number | undefined;
      let isSubscribed = false;
      const subscribe = () => {
        const since = client.position();
        const reply = server.subscribe(since);
        if (since === undefined) start ??= reply.position;
        isSubscribed = true;
        arriving.push(() => client.subscribed(reply, since));
      };
      const history = () => {
        const since = client.position();
        if (since === undefined) return;
        const reply = server.history(since);
        arriving.push(() => client.history(reply, since));
      };
      const arrive = (which: number) => {
        const [next] = arriving.splice(which % Math.max(1, arriving.length), 1);
        if (next) steps.push(...next());
      };
      // One first subscribe, answered whenever it is: before it nothing is asked for.
      subscribe();
      for (const [move, which] of moves) {
        if (move === "append" || move === "empty" || move === "lose") {
          server.append(move !== "empty");
          const seq = server.head();
          if (move === "append" && isSubscribed) {
            arriving.push(() => client.live({ seq }));
            if (which % 5 === 0) arriving.push(() => client.live({ seq }));
          }
        } else if (move === "arrive") arrive(which);
        else if (move === "head") client.head(server.head());
        else if (client.position() !== undefined) (move === "subscribe" ? subscribe : history)();
      }
      while (arriving.length > 0) arrive(0);
      client.head(server.head());
      for (let tries = 0; client.hasHole(); tries += 1) {
        expect(tries, "a hole is filled or signalled").toBeLessThan(200);
        history();
        arrive(0);
      }

      const got = steps.flatMap((step) => (step.kind === "message" ? [step.message.seq ?? 0] : []));
      const gaps = steps.flatMap((step) => (step.kind === "gap" ? [step] : []));
      expect(got, "in order, once").toEqual([...new Set(got)].sort((a, b) => a - b));
      expect(client.position()).toBe(server.head());
      const inGap = (seq: number) =>
        gaps.some(({ since, position }) => seq > since && seq <= (position ?? 0));
      for (let seq = (start ?? 0) + 1; seq <= server.head(); seq += 1)
        if (server.has(seq) && !got.includes(seq))
          expect(inGap(seq), `${seq} is missing and in no gap`).toBe(true);
      for (const { since, position = 0 } of gaps) {
        const numbers = Array.from({ length: position - since }, (_, i) => since + 1 + i);
        expect(numbers.length, "no empty gap").toBeGreaterThan(0);
        expect(
          numbers.every((seq) => got.includes(seq)),
          "a gap misses something",
        ).toBe(false);
      }
      expect(got.every((seq) => seq > (start ?? 0))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
