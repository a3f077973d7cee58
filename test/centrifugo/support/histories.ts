import type { Row } from "./recoveries.ts";
import { upTo } from "./scene.ts";
import type { Past } from "./side.ts";

export const HISTORIES: readonly Row<Past>[] = [
  {
    name: "what came after a place",
    kept: "long",
    async script({ place, publish, history }) {
      await publish(2);
      const since = await place();
      await publish(3);
      return history({ since });
    },
    answer: { told: "whole", got: upTo(3, 5), pages: "one" },
  },
  {
    name: "what came after a place, page by page",
    kept: "long",
    async script({ place, publish, history }) {
      await publish(2);
      const since = await place();
      await publish(25, 10_000);
      return history({ since });
    },
    answer: { told: "whole", got: upTo(3, 27), pages: "more" },
  },
  {
    name: "nothing came after a place",
    kept: "long",
    async script({ place, publish, history }) {
      await publish(3);
      return history({ since: await place() });
    },
    answer: { told: "whole", got: [], pages: "one" },
  },
  {
    name: "an empty stream, from its place",
    kept: "long",
    script: async ({ place, history }) => history({ since: await place() }),
    answer: { told: "whole", got: [], pages: "one" },
  },
  {
    name: "a place before what is kept",
    kept: "few",
    async script({ place, publish, history }) {
      await publish(1);
      const since = await place();
      await publish(8);
      return history({ since });
    },
    answer: { told: "gap", got: upTo(5, 9), pages: "one" },
  },
  {
    name: "a place in a stream of which all is too old",
    kept: "brief",
    async script({ place, publish, forgotten, history }) {
      const since = await place();
      await publish(3);
      await forgotten();
      return history({ since });
    },
    answer: { told: "gap", got: [], pages: "one" },
  },
  {
    name: "a place above the last message",
    kept: "long",
    async script({ side, place, publish, history }) {
      await publish(3);
      return history({ since: side.beyond(await place(), 2) });
    },
    answer: { told: "whole", got: [], pages: "one" },
    unlike: {
      tagwire: { told: "gap", got: [], pages: "one" },
      because: "such a place is of another stream, and a caller should know",
    },
  },
  {
    name: "a place from before a restart that lost everything",
    kept: "long",
    async script({ side, place, publish, history }) {
      await publish(3);
      const since = await place();
      await side.restart("lost");
      await publish(2);
      return history({ since });
    },
    answer: { told: "refused", got: [], pages: "one" },
    unlike: {
      tagwire: { told: "gap", got: [4, 5], pages: "one" },
      because: "a gap is no error, and what is kept comes with it",
    },
  },
  {
    name: "the last two",
    kept: "long",
    async script({ publish, history }) {
      await publish(5);
      return history({ last: 2 });
    },
    answer: { told: "whole", got: [4, 5], pages: "one" },
  },
  {
    name: "more of the last than there are",
    kept: "long",
    async script({ publish, history }) {
      await publish(3);
      return history({ last: 10 });
    },
    answer: { told: "whole", got: upTo(1, 3), pages: "one" },
  },
  {
    name: "more of the last than are kept",
    kept: "few",
    async script({ publish, history }) {
      await publish(8);
      return history({ last: 8 });
    },
    answer: { told: "whole", got: upTo(4, 8), pages: "one" },
  },
  {
    name: "the last of an empty stream",
    kept: "long",
    script: ({ history }) => history({ last: 2 }),
    answer: { told: "whole", got: [], pages: "one" },
  },
];
