/*
 * The interfaces that the pipeline depends on, a file each. Every sentence of them is a test in test/contract/. A port
 * throws a TagwireError if the service under it fails. All other results are return values.
 */

export type { Connection } from "./connections/connection.ts";
export type { Count, Measure, Metric } from "./metric.ts";
export type { Awaitable } from "./ports/awaitable.ts";
export type { Clock } from "./ports/clock.ts";
export type { Connections } from "./ports/connections.ts";
export type { DeadLetter, DeadLetters, HeldDeadLetter } from "./ports/dead-letters.ts";
export type { Entry, MessageQueue } from "./ports/message-queue.ts";
export type { QuotaAnswer, QuotaBeats, QuotaEntry } from "./ports/quota-beats.ts";
export type { Random } from "./ports/random.ts";
export type { Claim, Lease, Outcome, Receipts, Settled } from "./ports/receipts.ts";
export type { CloseResult, GatewayState, SendResult, Sockets } from "./ports/sockets.ts";
export type { Streams } from "./ports/streams.ts";
export type { IndexEntry, Page, Subscriptions } from "./ports/subscriptions.ts";
export type { LogFields, RunTelemetry, Telemetry } from "./ports/telemetry.ts";
export type { Tokens } from "./ports/tokens.ts";
