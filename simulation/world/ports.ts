import type {
  Clock,
  Connections,
  MessageQueue,
  Random,
  Receipts,
  Sockets,
  Streams,
  Subscriptions,
  Telemetry,
} from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import type { Oracle } from "../oracle/oracle.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Gateway } from "./gateway.ts";
import type { Network } from "./network.ts";
import type { Outages } from "./outage.ts";
import type { Poison } from "./poison.ts";
import { receiveOf, type SimulatedQueue } from "./queue.ts";
import type { Actor, Scheduler } from "./scheduler.ts";
import { streamsOf } from "./stream-ports.ts";
import { tableCall } from "./table-call.ts";
import type { Trace } from "./trace.ts";

/** All ports, as one function sees them. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly queue: MessageQueue;
  readonly sockets: Pick<Sockets, "send" | "probe">;
  readonly receipts: Receipts;
  readonly subscriptions: Subscriptions;
  readonly connections: Connections;
  readonly streams: Streams;
  readonly telemetry: Telemetry;
}

/** The tables as they are, without faults and without delay. */
export type Tables = Pick<Ports, "receipts" | "subscriptions" | "connections" | "streams">;

export interface PortsWorld {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly outages: Outages;
  readonly poison: Poison;
  readonly network: Network;
  readonly queue: SimulatedQueue;
  readonly gateway: Gateway;
  readonly tables: Tables;
  readonly trace: Trace;
  readonly oracle: Oracle;
  readonly newId: () => string;
  /** Something was claimed. */
  readonly onClaim: () => void;
  /** Milliseconds before a post counts as busy. */
  readonly sendTimeoutMilliseconds: number;
}

/** The ports of one actor: every call goes over the network, may fail in every way, and is recorded by the oracle. */
export function portsOf(world: PortsWorld, actor: Actor): Ports {
  const { scheduler, dice, network, trace } = world;
  return {
    clock: {
      now: () => Math.floor(scheduler.now() + actor.skew),
      monotonic: () => scheduler.now(),
      pause: (milliseconds) => network.pause(actor, milliseconds),
    },
    random: () => dice.next(),
    newId: world.newId,
    queue: queueOf(world, actor),
    sockets: socketsOf(world, actor),
    receipts: receiptsOf(world, actor),
    ...rowsOf(world, actor),
    streams: streamsOf(world, actor),
    telemetry: {
      count: (metric, value = 1) => world.oracle.counted(actor, metric, value),
      observe() {},
      warn: (event, fields, fault) =>
        trace.note(actor.name, "warns", () => `${event} ${JSON.stringify(fields)} ${fault ?? ""}`),
    },
  };
}

function queueOf({ network, queue, faults, oracle }: PortsWorld, actor: Actor): MessageQueue {
  const attempt = (what: string, effect: () => void) =>
    network.request(actor, what, () => {
      if (faults.strikes("queue-refused")) throw new TagwireError("QUEUE_UNAVAILABLE", `${what}: refused`);
      effect();
      if (faults.strikes("queue-unheard")) throw new TagwireError("QUEUE_UNAVAILABLE", `${what}: no answer`);
    });
  return {
    send: (lane, entries) =>
      network.request(actor, `send ${lane}`, () =>
        entries.map(({ job, delaySeconds }) => {
          if (faults.strikes("queue-refused")) return false;
          oracle.queued(lane, job);
          queue.put(lane, bodyOf(job), delaySeconds);
          return !faults.strikes("queue-unheard");
        }),
      ),
    changeVisibility: async (lane, handle, seconds) => {
      const stored = queue.peek(lane, handle);
      const receive = receiveOf(handle);
      if (stored) oracle.hiding(actor, stored.body, receive, seconds);
      await attempt("changeVisibility", () => queue.changeVisibility(lane, handle, seconds));
      if (stored?.handle === handle) oracle.hidden(actor, stored.body, receive);
    },
    deadLetter: (lane, body, reason) => {
      oracle.burying(actor, body, reason);
      return attempt("deadLetter", () => queue.deadLetter(lane, body, reason));
    },
    backlog: (lane) => network.request(actor, "backlog", () => queue.backlog(lane)),
  };
}

function socketsOf(world: PortsWorld, actor: Actor): Ports["sockets"] {
  const { network, gateway, oracle, poison, sendTimeoutMilliseconds } = world;
  return {
    async send(id, frame) {
      const copy = Uint8Array.from(frame);
      const post = oracle.posting(actor, id, copy);
      poison.strike(actor);
      const { ending, hangs } = await network.request(actor, `post ${id}`, () =>
        gateway.post(id, (socket, lied) => {
          oracle.landed(post, socket, lied);
          socket.onFrame?.(Buffer.from(copy).toString());
        }),
      );
      if (hangs) await network.pause(actor, sendTimeoutMilliseconds);
      oracle.posted(post, ending);
      return ending;
    },
    async probe() {
      oracle.probing(actor);
      const state = await network.request(actor, "probe", () => gateway.probe());
      oracle.probed(actor, state);
      return state;
    },
  };
}

function receiptsOf(world: PortsWorld, actor: Actor): Receipts {
  const { receipts } = world.tables;
  const { oracle, poison } = world;
  const call = tableCall(world, actor);
  return {
    async claim(job, lease, now) {
      oracle.claiming(actor, job, now);
      const claim = await call(`claim ${jobName(job)}`, async () => {
        const answer = await receipts.claim(job, lease, now);
        oracle.claimed(actor, job, lease, answer);
        return answer;
      });
      oracle.answered(actor, lease, claim);
      poison.onClaim(actor, job, claim);
      if (claim.kind === "claimed") world.onClaim();
      return claim;
    },
    async settle(job, run, outcome, now) {
      const settling = oracle.settling(actor, job);
      if (settling) settling.written = false;
      poison.onSettle(actor, job, outcome);
      const settled = await call(`settle ${jobName(job)} ${outcome.kind}`, async () => {
        const answer = await receipts.settle(job, run, outcome, now);
        oracle.settled(settling, outcome, answer);
        return answer;
      });
      if (settling && settled === "written") settling.written = true;
      return settled;
    },
    async withdrawal(job) {
      poison.strike(actor);
      const since = world.scheduler.now();
      const withdrawn = await call("withdrawal", async () => receipts.withdrawal(job));
      oracle.looked(actor, job, withdrawn, since);
      return withdrawn;
    },
    cancel: (producer, id, now) =>
      call("cancel", async () => {
        await receipts.cancel(producer, id, now);
        oracle.cancelling(producer, id, now);
      }),
    find: (producer, id, now) => call("find receipt", () => receipts.find(producer, id, now)),
  };
}

const jobName = ({ message: { id }, range }: Job): string => (range ? `${id} ${range.from}-${range.to}` : id);

/** Many rows are many calls: each fails on its own, and others see them come one by one. */
function rowsOf(world: PortsWorld, actor: Actor): Pick<Ports, "subscriptions" | "connections"> {
  const { subscriptions, connections } = world.tables;
  const call = tableCall(world, actor);
  return {
    subscriptions: {
      page: (tag, query) => {
        world.poison.strike(actor);
        return call(`page ${tag}`, async () => subscriptions.page(tag, query));
      },
      filterHolders: (tag, rows, now) => {
        world.poison.strike(actor);
        return call(`filterHolders ${tag}`, async () => subscriptions.filterHolders(tag, rows, now));
      },
      async add(tags, holder, expiresAt) {
        const one = (tag: (typeof tags)[number]) =>
          call(`add ${tag} ${holder.connectionId}`, async () => {
            world.oracle.listing(tag, holder, expiresAt);
            await subscriptions.add([tag], holder, expiresAt);
          });
        await allOver(tags.map(one));
      },
      async remove(tags, holder) {
        const one = (tag: (typeof tags)[number]) =>
          call(`remove ${tag} ${holder.connectionId}`, () => subscriptions.remove([tag], holder));
        await allOver(tags.map(one));
      },
    },
    connections: {
      put: (connection) => call("open connection", () => connections.put(connection)),
      find: (id, now) => {
        world.poison.strike(actor);
        return call("find connection", async () => {
          const found = await connections.find(id, now);
          world.oracle.found(actor, id, found?.connectedAt);
          return found;
        });
      },
      read: (id, now) => call("read connection", () => connections.read(id, now)),
      change: (row, change) => call("change tags", () => connections.change(row, change)),
      refresh: (row, refresh) => call("refresh token", () => connections.refresh(row, refresh)),
      settle: (row, mark) => call("settle tags", () => connections.settle(row, mark)),
      delete: (holder) => call("close connection", () => connections.delete(holder)),
    },
  };
}

/** As the adapters: nothing is written after the caller knows of a fault. */
async function allOver(calls: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(calls)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
