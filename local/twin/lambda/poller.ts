import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { backoff } from "../../../shared/backoff.ts";
import type { Lane } from "../../../shared/protocol/lane.ts";
import type { Observer } from "../../testing/observer.ts";
import { queueName } from "../emulators/queue.ts";
import { failedIds, recordOf } from "./batch.ts";
import type { Lambda } from "./lambda.ts";

export interface PollerDeps {
  readonly client: SQSClient;
  readonly consume: Pick<Lambda<"consume">, "invoke" | "hasRoom">;
  readonly observer: Pick<Observer, "record">;
  readonly write: (line: string) => void;
}

export interface PolledLane {
  /** Runs at a time. */
  readonly concurrency: number;
  /** Messages of a run. */
  readonly batchSize: number;
  readonly lane: Lane;
  readonly url: string;
  readonly visibilitySeconds: number;
}

export interface Poller {
  /** Receives no more, and resolves once the runs under way have ended. */
  stop(): Promise<void>;
}

const LONG_POLL_SECONDS = 20;
const WAIT = { base: 50, cap: 1_000 };

/**
 * One event source mapping. It stops receiving at the lane's MaximumConcurrency; a batch that the function's
 * reserved concurrency turns away is offered again until its visibility timeout has passed, as Lambda does.
 */
export function startPoller({ client, consume, observer, write }: PollerDeps, source: PolledLane): Poller {
  const stopped = new AbortController();
  const runs = new Set<Promise<void>>();

  const receive = async (): Promise<readonly Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: source.url,
      MaxNumberOfMessages: source.batchSize,
      WaitTimeSeconds: LONG_POLL_SECONDS,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
    });
    const { Messages = [] } = await client.send(command, { abortSignal: stopped.signal });
    return Messages;
  };

  const run = async (messages: readonly Message[]): Promise<void> => {
    const until = performance.now() + source.visibilitySeconds * 1000;
    for (let attempt = 0; ; attempt++) {
      // Looked at before the room: once it has passed, the messages belong to the next receive.
      if (stopped.signal.aborted || performance.now() >= until) return;
      if (consume.hasRoom()) break;
      await pause(backoff(attempt, WAIT, Math.random()));
    }
    // From here to the invocation nothing may be awaited: another lane could take the room.
    const id = randomUUID();
    const { lane } = source;
    observer.record({ kind: "run-started", run: id, lane, messages: messages.length });
    const Records = messages.map((message) => recordOf(message, queueName(lane)));
    const invocation = await consume.invoke({ Records }, id);
    const ids = Records.map(({ messageId }) => messageId);
    const failed = failedIds(invocation, ids);
    observer.record({
      kind: "run-ended",
      run: id,
      lane,
      outcome: invocation.kind === "throttled" ? "crashed" : invocation.kind,
      ...(invocation.kind === "returned" ? { response: invocation.value } : {}),
      failed,
    });
    const done = messages.filter(({ MessageId = "" }) => !failed.includes(MessageId));
    await remove(done).catch(report("delete"));
  };

  const remove = async (messages: readonly Message[]): Promise<void> => {
    if (messages.length === 0) return;
    const Entries = messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: source.url, Entries }));
  };

  const report = (doing: string) => (fault: unknown) => {
    write(
      JSON.stringify({
        level: "ERROR",
        message: `poller could not ${doing}`,
        lane: source.lane,
        error: String(fault),
      }),
    );
  };

  const poll = async (): Promise<void> => {
    for (let faults = 0; !stopped.signal.aborted; ) {
      if (runs.size >= source.concurrency) await Promise.race(runs);
      try {
        const messages = await receive();
        faults = 0;
        if (messages.length === 0) continue;
        const running = run(messages).finally(() => runs.delete(running));
        runs.add(running);
      } catch (fault) {
        if (stopped.signal.aborted) break;
        report("receive")(fault);
        await pause(backoff(faults++, WAIT, Math.random()));
      }
    }
    await Promise.allSettled(runs);
  };

  const polling = poll();
  return {
    stop: () => {
      stopped.abort();
      return polling;
    },
  };
}
