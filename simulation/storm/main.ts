import { parseArgs } from "node:util";
import { reconnect } from "./reconnect.ts";
import { resumeAll } from "./resume.ts";

/*
 * A million clients that were cut come back, and ten thousand resume one stream: what AWS gives an account that is made
 * for it, or with fewer clients the same in proportion. A million take 10 GB of
 * memory and 20 minutes.
 */

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "1000000" },
    resuming: { type: "string", default: "10000" },
    "hash-bits": { type: "string", default: "5" },
    "table-writes": { type: "string", default: "40000" },
    partitions: { type: "string", default: "0" },
    faults: { type: "string", default: "0.002" },
    seed: { type: "string", default: "1" },
  },
});
const clients = Number(values.clients);
const share = clients / 1_000_000;
const seed = Number(values.seed);
const began = performance.now();
const say = (what: string, found: object) =>
  process.stdout.write(
    `${JSON.stringify({ what, ...found, took: Math.round((performance.now() - began) / 1_000) })}\n`,
  );

const resuming = Number(values.resuming);
if (resuming > 0)
  say(
    `${resuming} clients resume one stream`,
    await resumeAll({
      ...{ clients: resuming, seed, missed: 110, bytes: 1_000 },
      ...{ keyReads: 3_000 * (resuming / 10_000), runs: 980 },
    }),
  );
if (clients > 0)
  say(
    `${clients} clients come back`,
    await reconnect({
      ...{ clients, seed, faults: Number(values.faults), hashBits: Number(values["hash-bits"]) },
      ...{ connects: 10_000 * share, requests: 30_000 * share, runs: Math.max(1, Math.round(980 * share)) },
      ...{ keyWrites: 1_000 * share, tableWrites: Number(values["table-writes"]) * share },
      partitions: Number(values.partitions),
    }),
  );
