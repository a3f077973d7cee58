/** The door `tagwire/protocol`: what is on the wire, as schemas and types. */
export { ERRORS } from "./codes.ts";
export * from "./data.ts";
export * from "./ending.ts";
export {
  accept,
  messageOf,
  problem,
  type Refusal,
  type Result,
  refuse,
  TagwireError,
} from "./errors.ts";
export {
  CLIENT_FRAMES,
  type ClientFrame,
  errorFrame,
  parseFrame,
  refOf,
  SUBPROTOCOL,
} from "./frame.ts";
export * from "./grant.ts";
export * from "./history.ts";
export * from "./item.ts";
export * from "./lane.ts";
export * from "./limits.ts";
export * from "./message.ts";
export { messageFrame } from "./message-frame.ts";
export * from "./parse.ts";
export * from "./problem.ts";
export * from "./receipt.ts";
export * from "./ref.ts";
export * from "./server-frame.ts";
export * from "./stream-frame.ts";
export * from "./tag.ts";
export * from "./target.ts";
