import type { IncomingMessage, ServerResponse } from "node:http";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { Issuer } from "../shared/adapters/jwt/issuer-tokens.ts";
import type { Clock, Random, RunTelemetry } from "../shared/ports.ts";
import type { Refusal } from "../shared/protocol/errors.ts";
import type { Settings } from "../shared/settings/schema.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import type { Connection } from "./gateway/connection.ts";
import type { Quota } from "./gateway/quota.ts";
import type { EventOf, InvocationResult, ReplyOf } from "./invocation.ts";
import type { Limits } from "./limits.ts";
import type { Note } from "./log.ts";
import type { Faults } from "./testing/fault.ts";
import type { Observer } from "./testing/observer.ts";
import type { Queues } from "./testing/queues.ts";

/** A function as the gateway calls it. */
export interface Invocable<F extends FunctionName> {
  /** Runs the function once. Never rejects. */
  invoke(event: EventOf<F>): Promise<InvocationResult<ReplyOf<F>>>;
  /** Resolves once everything that runs now has ended. */
  settled(): Promise<void>;
}

/** What stands behind the gateway: the functions and all that they stand on. */
export interface Backend {
  readonly ingest: Invocable<"ingest">;
  readonly receipts: Invocable<"receipts">;
  readonly closing: Invocable<"connections">;
  readonly socket: Invocable<"socket">;
  readonly queues: Queues;
  /** Where dead letters are, as `GET /health` tells the command line. */
  readonly deadLetters: object;
  /** Answers a request that only this backend knows. Returns false for any other, and does nothing then. */
  serve?(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean>;
  /** Answers a request whose token the functions would refuse, before its body is read. Undefined: they decide. Absent: on all. */
  refusalOf?(
    request: Pick<IncomingMessage, "headers">,
  ): Promise<APIGatewayProxyStructuredResultV2 | undefined>;
  /** Returns why it can keep no message now. Undefined: it can. */
  ready(): Promise<Refusal | undefined>;
  /** Returns how many messages a stop waits for: those that would not be delivered later. */
  pending(): Promise<number>;
  /** Deletes what expired before `now`, in milliseconds since 1970. */
  expire(now: number): Promise<void>;
  /** Serves no more messages, and resolves once the runs under way have ended. */
  stopLanes(): Promise<void>;
  /** Gives back all that it holds. The lanes have been stopped. */
  release(): Promise<void>;
}

/** What a backend is made of. */
export interface World {
  readonly settings: Settings;
  readonly limits: Limits;
  /** Signs and checks tokens. */
  readonly secret: string;
  /** Whose tokens are trusted, instead of those signed with `secret`. */
  readonly issuer?: Issuer;
  /** The claim of a token that holds its grant. */
  readonly claim: string;
  /** Takes every line that the functions print: JSON logs and EMF metric records. */
  readonly print: (line: string) => void;
  /** Takes what becomes of each message. */
  readonly note?: Note;
  /** Returns the telemetry of a run of a function, which counts without printing. */
  readonly telemetry: (name: FunctionName) => RunTelemetry;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** What sends meet instead of their connection. */
  readonly faults: Pick<Faults, "isEmpty" | "next">;
  /** Of the gateway's requests. */
  readonly quota: Quota;
  /** The open connections, by id. */
  readonly connections: ReadonlyMap<string, Connection>;
}
