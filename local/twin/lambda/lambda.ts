import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import type { FunctionSettings } from "../../../shared/settings/schema.ts";
import type { FunctionName } from "../../../shared/settings/variables.ts";
import {
  crashLine,
  type EventOf,
  type Invocation,
  type InvocationResult,
  type ReplyOf,
} from "../../invocation.ts";
import { functionArn } from "../emulators/aws.ts";
import type { Handler } from "./handlers.ts";

export interface Lambda<F extends FunctionName> {
  /** Runs the function once. Never rejects. */
  invoke(event: EventOf<F>, requestId?: string): Promise<Invocation<ReplyOf<F>>>;
  /** Whether the reserved concurrency allows another run. */
  hasRoom(): boolean;
  running(): number;
  /** Resolves once everything that runs now has ended. */
  settled(): Promise<void>;
}

/** The invocation, or `overdue` after `milliseconds`. */
export async function within<Reply>(
  milliseconds: number,
  invocation: Promise<Invocation<Reply>>,
): Promise<InvocationResult<Reply>> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<InvocationResult<Reply>>((resolve) => {
    timer = setTimeout(resolve, milliseconds, { kind: "overdue" });
  });
  const answer = await Promise.race([invocation, overdue]);
  clearTimeout(timer);
  return answer;
}

interface Options extends FunctionSettings {
  /** Runs at a time. Absent: as many as come. */
  readonly concurrency?: number;
  readonly write: (line: string) => void;
}

/**
 * One function as Lambda runs it: with a context, a timeout and a ceiling. A run that timed out counts as over,
 * but unlike Lambda this process cannot stop its code.
 */
export function lambda<F extends FunctionName>(
  name: F,
  handler: Handler<EventOf<F>, ReplyOf<F>>,
  { timeoutSeconds, memoryMegabytes, concurrency = Number.POSITIVE_INFINITY, write }: Options,
): Lambda<F> {
  const timeout = timeoutSeconds * 1000;
  const runs = new Set<Promise<unknown>>();
  const hasRoom = () => runs.size < concurrency;

  const run = async (event: EventOf<F>, requestId: string): Promise<Invocation<ReplyOf<F>>> => {
    const context = contextOf(name, requestId, memoryMegabytes, timeout);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Invocation<ReplyOf<F>>>((resolve) => {
      timer = setTimeout(resolve, timeout, { kind: "timed-out" });
    });
    // In a then, so that a handler that throws before its first await counts as crashed too.
    const reply = Promise.resolve()
      .then(() => handler(event, context))
      .then((value): Invocation<ReplyOf<F>> => ({ kind: "returned", value }))
      .catch((fault: unknown): Invocation<ReplyOf<F>> => {
        write(crashLine(name, requestId, fault));
        return { kind: "crashed" };
      });
    const invocation = await Promise.race([reply, late]);
    clearTimeout(timer);
    if (invocation.kind === "timed-out") {
      write(crashLine(name, requestId, new Error(`task timed out after ${timeoutSeconds} seconds`)));
    }
    return invocation;
  };

  return {
    invoke(event, requestId = randomUUID()) {
      if (!hasRoom()) return Promise.resolve({ kind: "throttled" });
      const running = run(event, requestId).finally(() => runs.delete(running));
      runs.add(running);
      return running;
    },
    hasRoom,
    running: () => runs.size,
    settled: async () => {
      await Promise.allSettled(runs);
    },
  };
}

function contextOf(name: string, awsRequestId: string, memory: number, timeout: number): Context {
  const deadline = performance.now() + timeout;
  const gone = () => {
    throw new Error("Lambda has no callbacks any more: return a promise");
  };
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: `tagwire-${name}`,
    functionVersion: "$LATEST",
    invokedFunctionArn: functionArn(`tagwire-${name}`),
    memoryLimitInMB: String(memory),
    awsRequestId,
    logGroupName: `/aws/lambda/tagwire-${name}`,
    logStreamName: "local",
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
    done: gone,
    fail: gone,
    succeed: gone,
  };
}
