import { connectionsHandler } from "../../functions/connections.ts";
import { consumeHandler } from "../../functions/consume.ts";
import { ingestHandler } from "../../functions/ingest.ts";
import type { HandlerPorts } from "../../functions/ports.ts";
import { receiptsHandler } from "../../functions/receipts.ts";
import { authorize, problemReply } from "../../functions/runtime/http.ts";
import { socketHandler } from "../../functions/socket.ts";
import { issuerTokens } from "../../shared/adapters/jwt/issuer-tokens.ts";
import { type SecretStage, secretTokens } from "../../shared/adapters/jwt/secret-tokens.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import { UNLIMITED } from "../../shared/pipeline/deliver/rate-limiter.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { deliveryPolicy } from "../../shared/settings/policy.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import { keepsStreams } from "../../shared/streams/kept.ts";
import type { Backend, World } from "../backend.ts";
import { engineConnections } from "../engine/connections.ts";
import { engineDeadLetters } from "../engine/dead-letters.ts";
import { engineQueue } from "../engine/queue.ts";
import { engineReceipts } from "../engine/receipts.ts";
import { openStore, type Store } from "../engine/store/store.ts";
import { engineStreams } from "../engine/streams.ts";
import { engineSubscriptions } from "../engine/subscriptions.ts";
import { uncork } from "../gateway/cork.ts";
import type { MachineOptions } from "../options.ts";
import { backupApi } from "./backup-api.ts";
import { deadLettersApi } from "./dead-letters-api.ts";
import { invocable } from "./invocable.ts";
import { opening } from "./opening.ts";
import { readiness } from "./readiness.ts";
import { runner } from "./runner.ts";
import { machineSockets } from "./sockets.ts";
import { spiedQueues } from "./spied.ts";

/** The backend of one machine: the functions in this process, over a store on its disk. */
export const machine =
  ({ data, reconnectSeconds = 10, maxDataBytes, onLost }: MachineOptions) =>
  async (world: World): Promise<Backend> => {
    const store = await openStore({
      ...(data === undefined ? {} : { folder: data }),
      ...(maxDataBytes === undefined ? {} : { maxBytes: maxDataBytes }),
      ...(onLost ? { onLost } : {}),
      // A receipt on the disk must not say of a frame that it was sent while it is still in this process.
      beforeCommit: uncork,
    });
    try {
      return machineOver(store, world, { data, reconnectSeconds });
    } catch (fault) {
      await store.close().catch(() => {});
      throw fault;
    }
  };

/** Throws a TagwireError (STORE_DAMAGED) if what it reads first is not as it was written. */
function machineOver(
  store: Store,
  world: World,
  { data, reconnectSeconds }: { readonly data: string | undefined; readonly reconnectSeconds: number },
): Backend {
  const { settings, secret, issuer, claim, clock, random, print } = world;
  const { functions } = settings.advanced;
  const policy = deliveryPolicy(settings);

  const ports = (name: FunctionName): HandlerPorts => {
    const telemetry = world.telemetry(name);
    return { settings, clock, random, telemetry: () => telemetry };
  };
  const { warn } = world.telemetry("consume");
  const deadLetters = engineDeadLetters({
    ...{ store, clock },
    days: settings.deadLetterRetentionDays,
    forward: (lane, entries) => queue.forward(lane, entries),
  });
  const queue = engineQueue({
    ...{ store, clock, deadLetters, warn },
    fair: settings.fairQueues,
    visibilitySeconds: visibilitySeconds(settings),
  });
  const receipts = engineReceipts({ store, days: settings.receiptRetentionDays });
  const streams = keepsStreams(settings) ? { streams: engineStreams(store) } : {};
  const lanesOpen = opening({ folder: data, reconnectSeconds });
  const connections = engineConnections(lanesOpen.changed);
  const subscriptions = engineSubscriptions();
  const sockets = machineSockets(world, policy);
  const readSecret = async (stage: SecretStage) => (stage === "AWSCURRENT" ? { text: secret } : undefined);
  const tokens = issuer ? issuerTokens(issuer, clock, claim) : secretTokens(readSecret, clock, claim);
  const lists = { subscriptions: () => subscriptions };

  // A receipt costs nothing here, so that all are kept.
  const allKept = { ...settings, failureReceiptsOnly: false };
  const ingest = ingestHandler({ ...ports("ingest"), settings: allKept, tokens, queue });
  const read = receiptsHandler({ ...ports("receipts"), settings: allKept, tokens, receipts, ...streams });
  const disconnect = connectionsHandler({
    ...ports("connections"),
    tokens,
    connections,
    sockets,
    ...lists,
  });
  const frame = socketHandler({ ...ports("socket"), tokens, connections, sockets, ...lists, ...streams });
  const consume = consumeHandler({
    ...ports("consume"),
    ...{ queue, receipts, subscriptions, connections, ...streams },
    gateway: gateway({ ...gatewayMemory(policy), limiter: UNLIMITED }, { sockets, clock }),
    // After two crashes all that was under way is suspect, and what follows is not to wait half a minute for it.
    suspectSeconds: 1,
  });
  const serveBackup = backupApi({ store, folder: data, tokens });
  const serveDeadLetters = deadLettersApi({ deadLetters, tokens });
  const lanes = runner({ ...world, queue, consume });
  const messages = Object.values(queue.sizes()).reduce(
    (sum, { visible, hidden }) => sum + visible + hidden,
    0,
  );
  lanesOpen.begin(messages > 0, lanes.start);
  if (!lanesOpen.isOpen()) world.note?.("messages wait for clients", { messages, seconds: reconnectSeconds });

  return {
    ingest: invocable("ingest", ingest, { ...functions.ingest, print }),
    receipts: invocable("receipts", read, { ...functions.receipts, print }),
    closing: invocable("connections", disconnect, { ...functions.connections, print }),
    socket: invocable("socket", frame, { ...functions.socket, print }),
    queues: spiedQueues(store, queue, deadLetters),
    deadLetters: {},
    serve: async (...asked) => (await serveBackup(...asked)) || serveDeadLetters(...asked),
    async refusalOf({ headers }) {
      // Where the keys are away, it is the function that says so.
      const caller = await authorize(tokens, { headers }).catch(() => undefined);
      return caller && !caller.ok ? problemReply(caller.refusal) : undefined;
    },
    ready: readiness({ store, folder: data, clock }),
    async pending() {
      const sizes = Object.values(queue.sizes());
      // What is on the disk goes on with the next process.
      if (data !== undefined && !lanesOpen.isOpen()) return 0;
      return sizes.reduce(
        (sum, { visible, hidden, taken }) => sum + visible + taken + (data === undefined ? hidden : 0),
        0,
      );
    },
    async expire(now) {
      connections.expire(now);
      subscriptions.expire(now);
      await store.expire(now);
    },
    stopLanes() {
      lanesOpen.stop();
      return lanes.stop();
    },
    async release() {
      queue.close();
      lanesOpen.close();
      await store.close();
    },
  };
}
