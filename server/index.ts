/** The door `tagwire/server`: what a backend publishes with, and signs tokens with. */

export type { Ending, State } from "../shared/protocol/ending.ts";
export type { FieldError, Problem } from "../shared/protocol/problem.ts";
export type { Receipt } from "../shared/protocol/receipt.ts";
export type { DisconnectOptions, DisconnectResult, DisconnectTarget } from "./disconnect.ts";
export { RouterError, type RouterErrorCode } from "./errors.ts";
export { type MintTokenOptions, mintToken } from "./mint-token.ts";
export type { PublisherOptions } from "./options.ts";
export type { OutgoingMessage, PublishResult, QueuedMessage } from "./publish.ts";
export { type CallOptions, type Publisher, publisher } from "./publisher.ts";
export type { EndedReceipt, ReceiptOptions, WaitOptions } from "./receipts.ts";
