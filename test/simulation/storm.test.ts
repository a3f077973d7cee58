import { describe, expect, test } from "vitest";
import { ASSUMPTIONS } from "../../cli/plan/load.ts";
import { QUOTAS, STACK } from "../../cli/plan/quotas.ts";
import { returnLimits } from "../../cli/plan/reconnect.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { type ReconnectOptions, reconnect } from "../../simulation/storm/reconnect.ts";
import { resumeAll } from "../../simulation/storm/resume.ts";

/** A million clients and 10,000 connects a second, or what is in the same proportion to all limits but the keys. */
const STORM: ReconnectOptions = {
  ...{ clients: 2_000, seed: 1, faults: 0 },
  ...{ connects: 20, requests: 60, runs: 10, keyWrites: 4, tableWrites: 80, hashBits: 5, partitions: 0 },
};

/** What `tagwire plan` says of it. Its tables are warm, or take twice their peak. */
function planned({ clients, connects, requests, runs, keyWrites, tableWrites, hashBits }: ReconnectOptions) {
  const load = {
    ...{ traffic: [], connections: clients, sessionSeconds: 7_200, topics: 1, bytes: 1_000 },
    ...{ perPost: 1, perRun: 1, peak: 1, pingSeconds: 540, pingsAlways: false, tokenSeconds: 0 },
  };
  const quotas = { ...QUOTAS, connects, requests, runs, tableWrites, warmWrites: tableWrites };
  const stack = { ...STACK, socketRate: requests, listKeys: 2 ** hashBits, reserves: false };
  const [limit] = returnLimits(
    {
      ...{ load, stack, settings: DEFAULTS, assumed: ASSUMPTIONS, outageSeconds: 600 },
      quotas: { ...quotas, partitionWrites: keyWrites },
    },
    [],
  );
  return limit ?? expect.fail();
}

/** Seconds that the connects and the writes that were made need at least. */
const atLeast = ({ clients, connects, tableWrites }: ReconnectOptions, lostDisconnects: number): number =>
  Math.max(clients / connects, (LISTS * (2 * clients - lostDisconnects)) / tableWrites);

/** Lists that a client is in: everyone, its user, its room. */
const LISTS = 3;

describe("all clients that were cut at once are back", () => {
  test.each([
    { why: "the table of lists binds", binds: "DynamoDB writes/s to the table subscriptions", options: {} },
    {
      why: "it takes twice its last peak only",
      binds: "DynamoDB writes/s to the table subscriptions",
      options: { tableWrites: 20 },
    },
    { why: "nothing but the gateway binds", binds: "new connections/s", options: { tableWrites: 400 } },
    {
      why: "calls to tables fail",
      binds: "DynamoDB writes/s to the table subscriptions",
      options: { faults: 0.002 },
    },
  ])("within 1.3 times what binds first, and no failed connect leaves a row: $why", async ({
    binds,
    options,
  }) => {
    const storm = { ...STORM, ...options };
    const bound = planned(storm);
    expect(bound.name).toBe(binds);
    const { seconds, missing, rowsLeft, longestRun, failedConnects, lostDisconnects } =
      await reconnect(storm);
    expect({ missing, rowsLeft }).toEqual({ missing: 0, rowsLeft: 0 });
    expect(seconds).toBeLessThan(1.3 * bound.seconds);
    // What a $disconnect that was lost would have deleted is no excuse.
    expect(seconds).toBeLessThan(1.3 * atLeast(storm, lostDisconnects));
    expect(longestRun).toBeLessThan(10_000);
    if (storm.faults > 0) expect(failedConnects).toBeGreaterThan(0);
  });

  test.each([
    { hashBits: 8, partitions: 30, isSoon: true },
    { hashBits: 5, partitions: 20, isSoon: false },
  ])("where its keys share $partitions partitions and the list has 2^$hashBits keys: $isSoon", async ({
    isSoon,
    ...options
  }) => {
    const storm = { ...STORM, ...options };
    const { seconds, lostDisconnects, rowsLeft } = await reconnect(storm);
    expect(seconds < 1.3 * atLeast(storm, lostDisconnects)).toBe(isSoon);
    expect(rowsLeft).toBe(0);
  });

  test("much later if their list lies on one partition key, as plan says", async () => {
    const storm = { ...STORM, clients: 500, hashBits: 0 };
    expect(planned(storm).name).toBe("DynamoDB writes/s to a list that all join, such as that of everyone");
    const { seconds, rowsLeft } = await reconnect(storm);
    expect(seconds).toBeGreaterThan(1.3 * planned({ ...storm, hashBits: 5 }).seconds);
    expect(rowsLeft).toBe(0);
  });
});

describe("clients that resume one stream at once", () => {
  const options = { clients: 1_000, seed: 1, keyReads: 300, runs: 98, missed: 110, bytes: 1_000 };
  /** Units of the read of what a client missed, at 4 KB. */
  const each = (options.missed * options.bytes) / 4_096;

  test("are all served within the limit of its partition, in fewer reads than they are", async () => {
    const { seconds, wrong, units, busiestKey } = await resumeAll(options);
    expect(wrong).toBe(0);
    expect(seconds).toBeLessThan((options.clients * each) / options.keyReads);
    expect(units).toBeLessThan((options.clients * each) / 2);
    // What was saved up in the second before is spent too.
    expect(busiestKey).toBeLessThan(2.2 * options.keyReads);
  });
});
