import { memoryConnections } from "../shared/adapters/memory/connections.ts";
import { memoryReceipts } from "../shared/adapters/memory/receipts.ts";
import { memorySubscriptions } from "../shared/adapters/memory/subscriptions.ts";
import { TagwireError } from "../shared/domain/errors.ts";
import type { Lane } from "../shared/domain/lane.ts";
import type { MessageId } from "../shared/domain/message.ts";
import { EVERYONE, type Tag, topicTag, type UserId, userTag } from "../shared/domain/tag.ts";
import { backlog } from "../shared/pipeline/backlog.ts";
import { consume } from "../shared/pipeline/consume.ts";
import { type Pace, pace } from "../shared/pipeline/pace.ts";
import { answer, connect } from "../shared/pipeline/socket.ts";
import { redriveReceives, type Settings, settings, visibilitySeconds } from "../shared/settings.ts";
import { cutAtMaxAge, identityOf, LABELS, liveAsClient, topicsOf, USERS } from "./client.ts";
import { type Dice, dice } from "./dice.ts";
import { simulatedEventSource } from "./event-source.ts";
import { faultRates, faultsOf } from "./faults.ts";
import { type Socket, simulatedGateway } from "./gateway.ts";
import { type Invoke, invoker } from "./invoke.ts";
import { simulatedNetwork } from "./network.ts";
import { type Ports, portsOf } from "./ports.ts";
import { liveAsProducer, post } from "./producer.ts";
import { simulatedQueue } from "./queue.ts";
import { type Actor, scheduler as schedulerOn } from "./scheduler.ts";
import { traceOf } from "./trace.ts";
import { judge } from "./verdict.ts";
import { type Violation, witnessOf } from "./witness.ts";
import type { World } from "./world.ts";

export interface Options {
  readonly seed: number;
  readonly messages: number;
  readonly connections: number;
  /** Topics that clients subscribe to and messages are for. With one, every message is for it. */
  readonly topics: number;
  /** As `faultRates` reads it. */
  readonly faults: string;
  /** Whether to keep the trace as text. */
  readonly keepTrace?: boolean;
  readonly mutant?: Mutant;
}

/** A bug planted around the pipeline, to see whether the rules notice. */
export interface Mutant {
  readonly ports?: (ports: Ports, world: World) => Ports;
  readonly settings?: (settings: Settings) => Settings;
}

export interface Report {
  readonly seed: number;
  readonly violation?: Violation;
  readonly steps: number;
  /** Simulated. */
  readonly seconds: number;
  readonly posts: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly frames: number;
  readonly repeats: number;
  readonly misdirected: number;
  readonly deadLetters: number;
  readonly peak: { readonly runs: number; readonly posts: number; readonly postsInRun: number };
  readonly faults: Readonly<Record<string, number>>;
  /** The same for the same seed. */
  readonly digest: string;
  readonly trace: readonly string[];
}

const START = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;
/** Above this many connections, settings are those of production and few clients come and go. */
const CROWD = 1_000;

/** Runs one seed from the first connection to the last check. */
export async function simulate(options: Options): Promise<Report> {
  const throws = (purpose: string) => dice(`${options.seed}/${purpose}`);
  const chosen = settingsFor(options, throws("settings"));
  const scheduler = schedulerOn(throws("scheduler"), START);
  const trace = traceOf(() => scheduler.now() - START, options.keepTrace ?? false);
  const faults = faultsOf(faultRates(options.faults, throws("rates")), throws("faults"));
  const network = simulatedNetwork({ scheduler, dice: throws("network"), faults, trace });
  const gateway = simulatedGateway({
    now: scheduler.now,
    sleep: scheduler.sleep,
    dice: throws("gateway"),
    faults,
  });
  const receipts = memoryReceipts();
  const subscriptions = memorySubscriptions();
  const tables = { receipts, subscriptions, connections: memoryConnections() };
  const rowsOf = (producer: UserId, id: MessageId) => receipts.rowsOf(producer, id);
  const witness = witnessOf({
    scheduler,
    trace,
    gateway,
    rowsOf,
    postsInFlight: chosen.delivery.postsInFlight,
    visibilitySeconds: visibilitySeconds(chosen),
  });
  const queue = simulatedQueue({
    now: scheduler.now,
    dice: throws("queue"),
    faults,
    maxReceives: redriveReceives(chosen),
    visibilitySeconds: visibilitySeconds(chosen),
    onChange: (lane) => source.wake(lane),
  });
  let ids = 0;
  const portsWorld = {
    scheduler,
    dice: throws("ports"),
    faults,
    network,
    queue,
    gateway,
    tables,
    trace,
    witness,
    newId: () => `id-${++ids}`,
    postTimeout: chosen.delivery.postTimeout,
  };
  const ports = (actor: Actor): Ports => {
    const plain = portsOf(portsWorld, actor);
    return options.mutant?.ports?.(plain, world) ?? plain;
  };
  // A container serves one run at a time, and one that died serves none any more.
  const containers: { readonly pace: Pace }[] = [];
  const source = simulatedEventSource({
    scheduler,
    dice: throws("source"),
    faults,
    network,
    queue,
    trace,
    settings: chosen,
    consume: async (actor, records, end) => {
      const container = containers.pop() ?? { pace: pace(chosen.delivery.pace) };
      const deps = {
        ...ports(actor),
        ...container,
        policy: chosen.delivery,
        maxReceives: chosen.queues.maxReceives,
        redriveReceives: redriveReceives(chosen),
      };
      const kept = await consume(deps, records, { end });
      containers.push(container);
      return kept;
    },
    violate: witness.violate,
  });
  const waiting = async (lane: Lane) => {
    await scheduler.sleep(10);
    if (faults.strikes("queue-refused")) throw new TagwireError("QUEUE_UNAVAILABLE", "backlog: refused");
    return queue.backlog(lane);
  };
  const world: World = {
    scheduler,
    dice: throws("world"),
    faults,
    trace,
    settings: chosen,
    queue,
    source,
    gateway,
    tables,
    witness,
    backlog: backlog({ queue: { backlog: waiting }, clock: scheduler, policy: chosen.backlog }),
    topics: topicsOf(options.topics),
    opening: START,
    closing: START + 5 * MINUTE,
  };
  const invoke = invoker({ network, trace, ports, timeout: 10_000 });

  await settleIn(world, options);
  await live(world, invoke, options);
  await redrive(world);
  if (!witness.violation) judge(world, rowsOf);
  if (!witness.violation) await heal(world, invoke, () => subscriptions.rows());

  const endings: Record<string, number> = {};
  for (const { receipt, dropped } of witness.letters) {
    const end = dropped ?? receipt?.state ?? "refused";
    endings[end] = (endings[end] ?? 0) + 1;
  }
  return {
    seed: options.seed,
    ...(witness.violation ? { violation: witness.violation } : {}),
    steps: scheduler.steps(),
    seconds: Math.round((scheduler.now() - START) / 1000),
    posts: witness.letters.length,
    endings,
    frames: witness.letters.reduce((sum, { arrivals }) => sum + [...arrivals.values()].flat().length, 0),
    repeats: witness.repeats,
    misdirected: witness.misdirected,
    deadLetters: queue.deadLetters.length,
    peak: { runs: source.peakRuns, posts: witness.peakPosts, postsInRun: witness.peakPostsInRun },
    faults: faults.counts,
    digest: trace.digest(),
    trace: trace.lines,
  };
}

/** Small pages, batches and limits, so that twenty connections meet every branch that a million would. */
function settingsFor({ connections, mutant }: Options, dice: Dice): Settings {
  const lane = () => ({ concurrency: dice.whole(2, 4), batchSize: dice.whole(1, 10) });
  const small = settings({
    lanes: { high: lane(), normal: lane(), low: lane(), fanout: lane() },
    queues: { maxReceives: dice.among([3, 5]) },
    delivery: {
      postsInFlight: dice.whole(1, 6),
      postAttempts: dice.whole(1, 3),
      reserve: dice.whole(3_000, 10_000),
      pageSize: dice.whole(2, 8),
      firstPageSize: dice.whole(1, 4),
      pendingLimit: dice.whole(2, 8),
      share: dice.whole(2, 8),
      splitLimit: dice.whole(2, 4),
      pace: { quota: dice.among([100, 10_000]) },
    },
    backlog: { limits: { normal: dice.whole(2, 20), low: dice.whole(2, 20) }, lookEvery: 1_000 },
    sockets: { maxAge: dice.among([7_200, 300]), rowMargin: 60 },
    functions: { consume: { timeoutSeconds: dice.among([15, 30, 60]) } },
  });
  const chosen = connections > CROWD ? settings() : small;
  return mutant?.settings?.(chosen) ?? chosen;
}

/** Connections that are there before the first message, written without delay and faults. */
async function settleIn(world: World, { connections }: Options): Promise<void> {
  const { gateway, tables, witness, dice, topics, settings } = world;
  const deps = {
    ...tables,
    clock: world.scheduler,
    policy: settings.sockets,
    telemetry: { count: () => {}, warn: () => {} },
  };
  const early = connections > CROWD ? connections : Math.ceil(connections / 2);
  for (let i = 0; i < early; i++) {
    const identity = identityOf(world);
    const socket = gateway.connect(identity.sub);
    const { connectionId, connectedAt } = socket;
    await connect(deps, { connectionId, connectedAt }, identity);
    const some = topics.filter(() => topics.length === 1 || dice.chance(0.6));
    if (some.length > 0) {
      const reply = await answer(deps, connectionId, JSON.stringify({ type: "subscribe", topics: some }));
      if (reply.type !== "subscribed") witness.violate("a live connection is known", JSON.stringify(reply));
    }
    gateway.open(socket);
    for (const tag of [EVERYONE, userTag(identity.sub), ...identity.tags, ...some.map(topicTag)]) {
      socket.tags.set(tag, "yes");
    }
    void cutAtMaxAge(world, socket);
  }
}

/** Everybody comes, goes and posts; returns once nothing moves any more. */
async function live(world: World, invoke: Invoke, { messages, connections }: Options): Promise<void> {
  const { dice } = world;
  const lives: Promise<void>[] = [];
  const there = world.gateway.sockets.slice(0, 50);
  const visitors = Math.min(connections, 100) - there.length;
  for (const socket of there) lives.push(liveAsClient(world, invoke, socket));
  for (let i = 0; i < visitors; i++) lives.push(liveAsClient(world, invoke));
  for (let number = 0; number < messages; ) {
    const count = Math.min(messages - number, dice.whole(1, 3));
    lives.push(liveAsProducer(world, invoke, number, count));
    number += count;
  }
  let over = false;
  void Promise.all(lives).then(() => {
    over = true;
  });
  await untilQuiet(world, () => over);
}

/** Half a day: by then every lease, visibility timeout and back-off is over. */
const PATIENCE = 12 * 60 * MINUTE;

async function untilQuiet(world: World, isOver: () => boolean): Promise<void> {
  const { scheduler, queue, source, witness } = world;
  const latest = scheduler.now() + PATIENCE;
  await scheduler.run(() => {
    witness.look();
    if (witness.violation) return true;
    if (scheduler.now() > latest)
      witness.violate("the queue runs empty", `${queue.size()} messages are left`);
    return isOver() && queue.size() === 0 && source.running() === 0;
  });
  await after(world, MINUTE);
}

/** Lets what is still on its way arrive. */
async function after({ scheduler, witness }: World, milliseconds: number): Promise<void> {
  let over = false;
  void scheduler.sleep(milliseconds).then(() => {
    over = true;
  });
  await scheduler.run(() => {
    witness.look();
    return over || witness.violation !== undefined;
  });
}

/** Sends dead letters round again; the hand that does it may be stopped between the send and the delete. */
async function redrive(world: World): Promise<void> {
  const { queue, dice, witness, faults, trace } = world;
  if (witness.violation || queue.deadLetters.length === 0) return;
  if (dice.chance(0.5)) faults.calm();
  for (const { id, lane, body } of [...queue.deadLetters]) {
    if (dice.chance(0.3)) continue;
    trace.note("redrive", id, () => body);
    queue.put(lane, body);
    if (!faults.strikes("run-crash")) queue.exhume(id);
  }
  await untilQuiet(world, () => true);
}

/** In calm weather every list is posted to once: whoever is alive gets it, and what is left of the dead goes. */
async function heal(world: World, invoke: Invoke, rows: () => readonly IndexRow[]): Promise<void> {
  const { faults, witness, gateway, topics, scheduler } = world;
  faults.calm();
  const closed = new Set(gateway.sockets.filter(({ state }) => state === "closed"));
  const targets = [
    { everyone: true as const },
    ...topics.map((topic) => ({ topic })),
    ...USERS.map((user) => ({ user })),
    ...LABELS.map((tag) => ({ tags: { all: [tag] } })),
  ];
  const plans = targets.map((target, i) => ({
    id: `probe-${i}` as MessageId,
    target,
    priority: "normal" as const,
    dedupeSeconds: 0,
  }));
  let over = false;
  void post(world, invoke, plans).then(() => {
    over = true;
  });
  await untilQuiet(world, () => over);
  for (const { id, receipt } of witness.letters.slice(-plans.length)) {
    if (receipt?.state !== "delivered" && receipt?.state !== "no-recipients") {
      witness.violate("in calm weather everything is delivered", `${id} is ${receipt?.state}`);
    }
  }
  for (const { tag, connectionId, connectedAt, expiresAt } of rows()) {
    const socket = gateway.sockets.find(
      (one) => one.connectionId === connectionId && one.connectedAt === connectedAt,
    );
    // A list cannot tell that the id has gone to somebody else; such a row stays until it expires.
    const inherited = gateway.at(connectionId) !== socket;
    if (!socket || (closed.has(socket) && !inherited && expiresAt > scheduler.now())) {
      witness.violate("no row outlives its socket", `${connectionId} still stands in ${tag}`);
    } else if (socket.state === "open" && !socket.tags.has(tag)) {
      witness.violate("what was unsubscribed is gone", `${connectionId} still stands in ${tag}`);
    }
  }
}

interface IndexRow {
  readonly tag: Tag;
  readonly connectionId: Socket["connectionId"];
  readonly connectedAt: number;
  readonly expiresAt: number;
}
