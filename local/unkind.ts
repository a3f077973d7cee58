/** What AWS does to WebSocket connections at times, and this gateway only if a test asks for it. */
export interface Unkind {
  /**
   * Milliseconds between the return of `$connect` and the opening of the socket. During them a post returns 410
   * (AWS re:Post, "410 GoneException").
   */
  readonly connectDelay: number;
  /** Milliseconds between the close of a socket and its `$disconnect`. */
  readonly disconnectDelay: number;
  /** How often `$disconnect` runs for one close. It is a best-effort event: 0 is never, 2 is a repeat. */
  readonly disconnects: number;
}

/** A gateway on a good day. */
export const KIND: Unkind = { connectDelay: 0, disconnectDelay: 0, disconnects: 1 };
