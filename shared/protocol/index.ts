/** The door `tagwire/protocol`: what is on the wire, as schemas and types. */
export * from "./data.ts";
export * from "./errors.ts";
export * from "./frame.ts";
export * from "./grant.ts";
export * from "./item.ts";
export * from "./lane.ts";
export * from "./limits.ts";
export * from "./message.ts";
export * from "./message-frame.ts";
export * from "./parse.ts";
export * from "./receipt.ts";
export * from "./tag.ts";
export * from "./target.ts";
