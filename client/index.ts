/** The door `tagwire/client`. */
export type { Client, ConnectOptions, SubscribeOptions } from "./api.ts";
export { connect } from "./client.ts";
export type { ClientEvents, ConnectionState } from "./emitter.ts";
export { ClientError, type ClientErrorCode } from "./error.ts";
export type { Addressee, Handler, Message, TopicTypes } from "./message.ts";
export type { Published, PublishRequest, PublishTarget } from "./publish.ts";
export type { WebSocketConstructor, WebSocketLike } from "./runtime.ts";
export type { Subscription } from "./subscription.ts";
export type { TokenSource } from "./tokens.ts";
