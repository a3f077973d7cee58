/** What a client says of a failure. A router's own codes are those of docs/errors.md. */
export type ClientErrorCode =
  /** The app closed the client. For good. */
  | "CLOSED"
  /** `token` returned null: nobody is signed in. For good. */
  | "SIGNED_OUT"
  /** The router refused two fresh tokens in a row. For good. */
  | "REFUSED"
  /** `token` failed or took over 30 s. */
  | "TOKEN_UNAVAILABLE"
  /** No connection could be opened, or a request to the HTTP API failed. */
  | "UNREACHABLE"
  /** The connection ended, with the code and reason of its close if there were any. */
  | "CONNECTION_LOST"
  /** A frame was not answered in time. */
  | "NO_ANSWER"
  /** The gateway in front of the router refused a frame, or something that is no router answered a request. */
  | "GATEWAY"
  /** A frame that is not in the protocol. */
  | "FRAME_UNKNOWN"
  /** A handler of the app threw. */
  | "HANDLER_FAILED";

/** A failure that an event reports, or that rejects `publish`. */
export class ClientError extends Error {
  /** A `ClientErrorCode`, or a code of the router (docs/errors.md). */
  readonly code: ClientErrorCode | (string & {});
  /** The topic that it is about; `@user` for the user's own stream. */
  readonly topic: string | undefined;

  constructor(
    code: ClientErrorCode | (string & {}),
    detail: string,
    about: { topic?: string; cause?: unknown } = {},
  ) {
    super(detail, about);
    this.name = "ClientError";
    this.code = code;
    this.topic = about.topic;
  }
}

/** What an app has thrown, as text: it may be anything, even what cannot be made a text. */
export function textOf(fault: unknown): string {
  try {
    return String(fault);
  } catch {
    return typeof fault;
  }
}
