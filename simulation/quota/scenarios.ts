import type { Container, ContainerOptions } from "./container.ts";
import type { QuotaScenario } from "./simulate.ts";

/** What an account has. */
export const ACCOUNT = { perSecond: 10_000, burst: 5_000 };
/** What it has in newer Regions. */
export const NEWER = { perSecond: 2_500, burst: 1_250 };

/** Containers with work enough. */
export const busy = (count: number, options: Partial<ContainerOptions> = {}): Partial<ContainerOptions>[] =>
  Array.from({ length: count }, () => options);

const MINUTE = 60_000;

/** Does something to one container. */
const nth = (which: number, at: number, what: (container: Container) => void) => ({
  at,
  what: (containers: readonly Container[]) => {
    const container = containers[which];
    if (container) what(container);
  },
});
const first = (at: number, what: (container: Container) => void) => nth(0, at, what);

const of = (count: number): QuotaScenario => ({ quota: ACCOUNT, seconds: 15, containers: busy(count) });

/** In each the sends of all containers together take what the settings say, and no second takes much more. */
export const SHARED = {
  "4 busy containers": of(4),
  "8 busy containers": of(8),
  "20 busy containers": of(20),
  "20 that begin at the same moment": { ...of(20), startSeconds: 0.01 },
  "two routers": {
    ...of(0),
    containers: [...busy(4, { runs: 28 }), ...busy(6, { runs: 14, weight: 16 })],
  },
  "a quota of 2,500": { ...of(8), quota: NEWER },
  "a container that dies": { ...of(8), happenings: [first(5, (one) => one.die())] },
  "one that thaws": {
    ...of(4),
    seconds: 20,
    happenings: [first(5, (one) => one.freeze()), first(12, (one) => one.thaw())],
  },
  "two that thaw at once": {
    ...of(4),
    seconds: 20,
    happenings: [
      ...[5, 12].flatMap((at) =>
        [2, 3].map((which) => nth(which, at, (one) => (at === 5 ? one.freeze() : one.thaw()))),
      ),
    ],
  },
  "clocks a minute apart": {
    ...of(0),
    containers: [...busy(3, { ahead: -MINUTE }), ...busy(3), ...busy(2, { ahead: MINUTE })],
    seconds: 20,
    happenings: [first(6, (one) => one.step(2 * MINUTE)), first(13, (one) => one.step(-2 * MINUTE))],
  },
  "lost table calls": { ...of(8), lostCalls: 0.1 },
  "slow clients": { ...of(8), containers: busy(8, { slowClients: 2 }) },
} satisfies Readonly<Record<string, QuotaScenario>>;

/** Containers that each run one job of a large delivery after the other; milliseconds between two. */
export const jobs = (count: number, betweenRuns: number): QuotaScenario => ({
  ...of(0),
  containers: busy(count, { sendsPerRun: 2_500, betweenRuns }),
});

/** Between two runs a container needs nothing. */
export const JOBS = {
  "4 containers": jobs(4, 10),
  "4 containers, 60 ms between two": jobs(4, 60),
  "4 containers that begin at the same moment, 60 ms between two": { ...jobs(4, 60), startSeconds: 0.01 },
  "8 containers": jobs(8, 10),
  "8 containers, 100 ms between two": jobs(8, 100),
  "20 containers, 60 ms between two": jobs(20, 60),
} satisfies Readonly<Record<string, QuotaScenario>>;

/** The routers believe that the account has four times what it has. */
export const BELIEVED: Readonly<Record<string, QuotaScenario>> = {
  "8 busy containers": { ...of(8), seconds: 60, believedPerSecond: 4 * ACCOUNT.perSecond },
  "20 busy containers": { ...of(20), seconds: 60, believedPerSecond: 4 * ACCOUNT.perSecond },
};
