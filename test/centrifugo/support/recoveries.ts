import { setTimeout as pause } from "node:timers/promises";
import { type Script, upTo } from "./scene.ts";
import { type Answer, KEPT, type Kept } from "./side.ts";

/** A row of a table: what both answer, or what Tagwire answers instead and why. */
export interface Row<Told> {
  readonly name: string;
  readonly kept: Kept;
  readonly script: Script<Told>;
  readonly answer: Told;
  readonly unlike?: { readonly tagwire: Told; readonly because: string };
}

/** A page is cut after three messages, misses so many, and comes back. */
const missing =
  (count: number, bytes?: number): Script<Answer> =>
  async ({ cutAfterThree, publish, end }) => {
    const page = await cutAfterThree();
    await publish(count, bytes);
    await page.restore();
    return end(page);
  };

/** The router restarts while a page is away, and some are published after that. */
const restarted =
  (kept: "lost" | "there", count: number): Script<Answer> =>
  async ({ side, cutAfterThree, publish, end }) => {
    const page = await cutAfterThree();
    await side.restart(kept);
    await publish(count);
    await page.restore();
    return end(page);
  };

const ZERO = "the numbers of a stream begin at a time, so that 0 is a place in none";

export const RECOVERIES: readonly Row<Answer>[] = [
  {
    name: "nothing was missed",
    kept: "long",
    script: missing(0),
    answer: { told: "recovered", got: [4] },
  },
  {
    name: "a cut within the history",
    kept: "long",
    script: missing(4),
    answer: { told: "recovered", got: upTo(4, 8) },
  },
  {
    name: "more was missed than one reply of Tagwire holds",
    kept: "long",
    script: missing(40, 10_000),
    answer: { told: "recovered", got: upTo(4, 44) },
  },
  {
    name: "as much was missed as is kept",
    kept: "few",
    script: missing(KEPT.few.count),
    answer: { told: "recovered", got: upTo(4, 9) },
  },
  {
    name: "one more was missed than is kept",
    kept: "few",
    script: missing(KEPT.few.count + 1),
    answer: { told: "gap", got: [10] },
  },
  {
    name: "what was missed is older than is kept",
    kept: "brief",
    async script({ cutAfterThree, publish, forgotten, end }) {
      const page = await cutAfterThree();
      await publish(2);
      await forgotten();
      await page.restore();
      return end(page);
    },
    answer: { told: "gap", got: [6] },
  },
  {
    name: "nothing was missed, and all is older than is kept",
    kept: "brief",
    async script({ cutAfterThree, forgotten, end }) {
      const page = await cutAfterThree();
      await forgotten();
      await page.restore();
      return end(page);
    },
    answer: { told: "recovered", got: [4] },
  },
  {
    name: "the first that was missed is older than is kept, in a stream that goes on",
    kept: "brief",
    async script({ cutAfterThree, publish, end }) {
      const page = await cutAfterThree();
      for (let i = 0; i < 8; i += 1) {
        await publish(1);
        await pause((KEPT.brief.seconds * 1000) / 4);
      }
      await page.restore();
      return end(page);
    },
    answer: { told: "recovered", got: upTo(4, 12) },
    unlike: {
      tagwire: { told: "gap", got: [12] },
      because: "every message has its own age; Centrifugo keeps a history whole until it rests for its time",
    },
  },
  {
    name: "a stream that is empty, before and after a cut",
    kept: "long",
    async script({ page: open, end }) {
      const page = await open();
      await page.cut();
      await page.restore();
      return end(page);
    },
    answer: { told: "recovered", got: [1] },
  },
  {
    name: "a stream that was empty before a cut",
    kept: "long",
    async script({ page: open, publish, end }) {
      const page = await open();
      await page.cut();
      await publish(3);
      await page.restore();
      return end(page);
    },
    answer: { told: "recovered", got: upTo(1, 4) },
  },
  {
    name: "a second cut",
    kept: "long",
    async script({ cutAfterThree, publish, end }) {
      const page = await cutAfterThree();
      await publish(2);
      await page.restore();
      await end(page);
      await page.cut();
      await publish(2);
      await page.restore();
      return end(page);
    },
    answer: { told: "recovered", got: upTo(7, 9) },
  },
  {
    name: "messages come while the page comes back",
    kept: "long",
    async script({ cutAfterThree, publish, end }) {
      const page = await cutAfterThree();
      await Promise.all([publish(20), page.restore()]);
      return end(page);
    },
    answer: { told: "recovered", got: upTo(4, 24) },
  },
  {
    name: "a page that was never there",
    kept: "long",
    async script({ page: open, publish, end }) {
      await publish(3);
      return end(await open());
    },
    answer: { told: "nothing", got: [4] },
  },
  {
    name: "a page that was never there, with the last two",
    kept: "long",
    async script({ page: open, publish, end }) {
      await publish(3);
      return end(await open({ last: 2 }));
    },
    answer: { told: "nothing", got: [2, 3, 4] },
  },
  {
    name: "a page that was loaded again, from its place",
    kept: "long",
    async script({ page: open, place, publish, end }) {
      await publish(2);
      const from = await place();
      await publish(3);
      return end(await open({ from }));
    },
    answer: { told: "recovered", got: upTo(3, 6) },
  },
  {
    name: "a page from the place before the first message",
    kept: "long",
    async script({ page: open, place, publish, end }) {
      const from = await place();
      await publish(3);
      return end(await open({ from }));
    },
    answer: { told: "recovered", got: upTo(1, 4) },
  },
  {
    name: "a page from the place 0",
    kept: "long",
    async script({ side: { zero: from }, page: open, publish, end }) {
      await publish(3);
      return end(await open({ from }));
    },
    answer: { told: "recovered", got: upTo(1, 4) },
    unlike: { tagwire: { told: "gap", got: [4] }, because: ZERO },
  },
  {
    name: "a page from the place 0 of an empty stream",
    kept: "long",
    script: async ({ side: { zero: from }, page: open, end }) => end(await open({ from })),
    answer: { told: "recovered", got: [1] },
    unlike: { tagwire: { told: "gap", got: [1] }, because: ZERO },
  },
  {
    name: "a page from a place above the last message",
    kept: "long",
    async script({ side, page: open, place, publish, end }) {
      await publish(3);
      return end(await open({ from: side.beyond(await place(), 2) }));
    },
    answer: { told: "gap", got: [4] },
  },
  {
    name: "a place from before a restart that lost everything, and more came after it than before",
    kept: "long",
    script: restarted("lost", 5),
    answer: { told: "gap", got: [9] },
  },
  {
    name: "a place from before a restart that lost everything, and as many came after it as before",
    kept: "long",
    script: restarted("lost", 3),
    answer: { told: "gap", got: [7] },
  },
  {
    name: "a place from before a restart that lost everything, and nothing came after it",
    kept: "long",
    script: restarted("lost", 0),
    answer: { told: "gap", got: [4] },
  },
  {
    name: "a place in an empty stream from before a restart that lost everything",
    kept: "long",
    async script({ side, page: open, publish, end }) {
      const page = await open();
      await page.cut();
      await side.restart("lost");
      await publish(2);
      await page.restore();
      return end(page);
    },
    answer: { told: "gap", got: [3] },
  },
  {
    name: "a place from before a restart",
    kept: "long",
    script: restarted("there", 3),
    answer: { told: "gap", got: [7] },
    unlike: {
      tagwire: { told: "recovered", got: upTo(4, 7) },
      because: "the tables outlive every part of a router; Centrifugo's memory engine ends with it",
    },
  },
];
