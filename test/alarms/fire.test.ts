import { expect, test } from "vitest";
import type { LANES } from "../../shared/protocol/lane.ts";
import { pascalCase } from "../../shared/settings/pascal-case.ts";
import { FUNCTIONS, type FunctionName } from "../../shared/settings/variables.ts";
import { synth } from "../infra/support.ts";
import { account, SETTINGS } from "./account.ts";

type Account = ReturnType<typeof account>;

/** A fault, what the page of its alarm says to do about it, and which alarms it sets off. */
interface Case {
  readonly alarm: string;
  /** Other alarms that the same fault sets off: users feel it in more than one way. */
  readonly also?: readonly string[];
  readonly fault: (at: Account) => Promise<unknown> | unknown;
  /** What happens while the fault lasts, at each tick. @default nothing */
  readonly load?: (at: Account, tick: number) => Promise<unknown>;
  readonly minutes: number;
  /** What the runbook says to do. */
  readonly remedy: (at: Account) => unknown;
  /** Minutes after the remedy until the alarm is over. @default 10 */
  readonly after?: number;
}

const TO_ONE = { target: { topic: "orders" }, data: 1 };
const TO_KEPT = { target: { topic: "kept" }, data: 1 };
const TO_ALL = { target: { everyone: true }, data: 1 };

const crowd = async (at: Account) => {
  for (let i = 0; i < 20; i++) await at.connect();
};
const every = (ticks: number, act: (at: Account) => Promise<unknown>) => (at: Account, tick: number) =>
  tick % ticks === 0 ? act(at) : Promise.resolve();

const aged = (lane: (typeof LANES)[number], minutes: number): Case => ({
  alarm: `Oldest${pascalCase(lane)}`,
  async fault(at) {
    await crowd(at);
    at.faults.stopped.add(lane);
    const priority = lane.replace("fanout-", "");
    await at.post({ ...(lane === priority ? TO_ONE : TO_ALL), priority });
  },
  minutes,
  remedy: ({ faults }) => faults.stopped.delete(lane),
});

/** A request that each function answers. */
const ASK: Readonly<Record<FunctionName, (at: Account) => Promise<unknown>>> = {
  ingest: (at) => at.post(TO_ONE),
  receipts: (at) => at.readReceipt(),
  connections: (at) => at.disconnectUser(),
  socket: (at) => at.connect(),
  consume: (at) => at.post(TO_ONE),
};
const HTTP: ReadonlySet<FunctionName> = new Set(["ingest", "receipts", "connections"]);

const functionCases = FUNCTIONS.flatMap((name): Case[] => [
  {
    alarm: `${pascalCase(name)}Errors`,
    also: HTTP.has(name) ? ["HttpServerErrors"] : [],
    fault: ({ faults }) => faults.killed.add(name),
    load: every(6, ASK[name]),
    minutes: 4,
    remedy: ({ faults }) => faults.killed.delete(name),
  },
  {
    alarm: `${pascalCase(name)}Throttles`,
    also: HTTP.has(name) ? ["HttpServerErrors"] : name === "socket" ? ["SocketExecutionErrors"] : [],
    fault: ({ faults }) => faults.throttled.add(name),
    load: every(6, ASK[name]),
    minutes: 4,
    remedy: ({ faults }) => faults.throttled.delete(name),
  },
]);

const SOCKETS: ReadonlySet<string> = new Set(["connections", "subscriptions"]);

const CASES: readonly Case[] = [
  aged("high", 4),
  aged("normal", 9),
  aged("low", 64),
  aged("fanout-high", 9),
  aged("fanout-normal", 9),
  aged("fanout-low", 64),
  {
    alarm: "DeadLetters",
    fault: ({ queue }) => queue.put("normal", "this is no job"),
    minutes: 2,
    remedy: ({ queue }) => queue.purgeDeadLetters(),
  },
  {
    alarm: "OldestDeadLetter",
    also: ["DeadLetters"],
    async fault(at) {
      at.queue.put("normal", "this is no job");
      await at.pass(1);
      at.clock.advance(12 * 86_400_000);
    },
    minutes: 2,
    remedy: ({ queue }) => queue.purgeDeadLetters(),
  },
  {
    alarm: "ConnectsFailed",
    also: ["ConnectionsTableThrottles"],
    fault: ({ faults }) => faults.tables.add("connections"),
    load: every(3, (at) => at.connect()),
    minutes: 4,
    remedy: ({ faults }) => faults.tables.delete("connections"),
  },
  {
    alarm: "SocketExecutionErrors",
    fault: ({ faults }) => {
      faults.noPermission = true;
    },
    load: every(3, (at) => at.connect()),
    minutes: 4,
    remedy: ({ faults }) => {
      faults.noPermission = false;
    },
  },
  {
    alarm: "HttpServerErrors",
    also: ["MessagesShed"],
    fault: ({ faults }) => {
      faults.queueDown = true;
    },
    load: every(3, (at) => at.post(TO_ONE)),
    minutes: 4,
    remedy: ({ faults }) => {
      faults.queueDown = false;
    },
  },
  {
    alarm: "MessagesShed",
    fault: ({ faults }) => faults.stopped.add("low"),
    load: every(1, (at) => at.post({ ...TO_ONE, priority: "low" })),
    minutes: 9,
    remedy: ({ faults }) => faults.stopped.delete("low"),
  },
  {
    alarm: "SendsRefused",
    fault: async (at) => {
      await crowd(at);
      at.faults.send = () => ({ kind: "refused", reason: "413: PayloadTooLargeException" });
      await at.post(TO_ALL);
    },
    minutes: 6,
    remedy: ({ faults }) => {
      faults.send = undefined;
    },
  },
  {
    alarm: "SendsForbidden",
    also: ["GatewayDown"],
    fault: async (at) => {
      await crowd(at);
      at.faults.send = () => ({ kind: "unavailable", reason: "403: ForbiddenException", forbidden: true });
      at.faults.probe = "down";
      await at.post(TO_ONE);
      await at.post(TO_ALL);
    },
    minutes: 6,
    remedy: ({ faults }) => {
      faults.send = undefined;
      faults.probe = "up";
    },
    after: 20,
  },
  {
    alarm: "GatewayDown",
    fault: async (at) => {
      await crowd(at);
      at.faults.send = () => ({ kind: "unavailable", reason: "503: ServiceUnavailable" });
      at.faults.probe = "down";
    },
    load: every(2, (at) => at.post(TO_ALL)),
    minutes: 4,
    remedy: ({ faults }) => {
      faults.send = undefined;
      faults.probe = "up";
    },
    after: 20,
  },
  {
    alarm: "QuotaExhausted",
    fault: async (at) => {
      await crowd(at);
      // Other users of the account leave room for two of three sends.
      at.faults.send = (before) =>
        before % 3 === 0 ? { kind: "throttled", reason: "429: LimitExceededException" } : undefined;
    },
    load: every(2, (at) => at.post(TO_ALL)),
    minutes: 4,
    remedy: ({ faults }) => {
      faults.send = undefined;
    },
    after: 20,
  },
  ...functionCases,
  ...(["connections", "subscriptions", "receipts", "streams", "quotas"] as const).map(
    (name): Case => ({
      alarm: `${pascalCase(name)}TableThrottles`,
      also: SOCKETS.has(name) ? ["ConnectsFailed"] : [],
      fault: ({ faults }) => faults.tables.add(name),
      load: every(3, (at) => (SOCKETS.has(name) ? at.connect() : at.post(TO_KEPT))),
      minutes: 4,
      remedy: ({ faults }) => faults.tables.delete(name),
      after: 20,
    }),
  ),
  {
    alarm: "CostPerHour",
    fault: () => {},
    // A thousand requests a second without a token: what the stage lets through.
    load: async (at) => {
      at.api("Count", "http", 5_000);
      at.api("MessageCount", "socket", 5_000);
    },
    minutes: 121,
    remedy: () => {},
    after: 61,
  },
];

test("each alarm has a fault that it is for", () => {
  const { template } = synth({ settings: SETTINGS });
  const alarms = Object.keys(template.findResources("AWS::CloudWatch::Alarm")).map(
    (id) => /^RouterAlarms(\w+)[0-9A-F]{8}$/.exec(id)?.[1] ?? id,
  );
  expect([...new Set(CASES.map(({ alarm }) => alarm))].sort()).toEqual(alarms.sort());
});

test.each(CASES)("$alarm is on while its fault lasts, and over after what its page says to do", async ({
  alarm,
  also = [],
  ...of
}) => {
  const at = account();
  await at.pass(5, normal(at));
  expect(at.alarms()).toEqual([]);
  await of.fault(at);
  await at.pass(of.minutes, (tick) => of.load?.(at, tick) ?? Promise.resolve());
  expect(at.alarms()).toEqual([alarm, ...also].sort());
  of.remedy(at);
  await at.pass(of.after ?? 10, normal(at));
  expect(at.alarms()).toEqual([]);
});

test("no alarm is on at any minute of an hour of normal load", async () => {
  const at = account();
  const on: (readonly string[])[] = [];
  const load = normal(at);
  for (let minute = 0; minute < 60; minute++) {
    await at.pass(1, load);
    on.push(at.alarms());
  }
  expect(on.flat()).toEqual([]);
  // The load was one: it was delivered, refused and retried.
  const all = at.lines.join("\n");
  for (const name of ["FramesSent", "MessagesRefused", "ConnectsRefused", "ConnectionsGone", "SendsBusy"])
    expect(all.includes(`"${name}":`), name).toBe(true);
});

/** What a router meets all day: messages and connections, and now and then a bad token, a slow client or a fault of a moment. */
function normal(at: Account) {
  let minute = 0;
  let last: Awaited<ReturnType<Account["connect"]>> | undefined;
  return async (tick: number) => {
    if (tick % 4 === 0) await at.post(tick % 8 === 0 ? TO_ONE : { ...TO_ALL, priority: "low" });
    if (tick % 6 === 0) last = await at.connect();
    // One client in a while does not read for some seconds. One that never does again is a dead letter.
    at.faults.slow.clear();
    if (minute % 5 === 2 && tick % 8 === 4 && typeof last === "string") at.faults.slow.add(last);
    if (tick % 6 === 1) await at.connect("no token");
    if (tick % 6 === 2) await at.post({ target: {} });
    if (tick % 6 === 3) await at.readReceipt();
    if (tick % 12 === 11) minute++;
    // One connect in twenty minutes meets a table that throttles for a moment.
    at.faults.tables.delete("connections");
    if (minute % 20 === 19 && tick % 12 === 5) at.faults.tables.add("connections");
    at.faults.send =
      tick % 12 === 4 ? (before) => (before % 7 === 0 ? { kind: "gone" } : undefined) : undefined;
  };
}
