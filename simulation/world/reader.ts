import type { Numbered, Stream } from "../../client/stream.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import type { OWN_STREAM } from "../../shared/protocol/stream-frame.ts";
import type { Topic, UserId } from "../../shared/protocol/tag.ts";
import type { StreamSettings } from "../../shared/streams/kept.ts";
import type { Follower } from "../oracle/streams.ts";

/** A client that keeps its place in one stream, with the position rules of tagwire/client. */
export interface Reader {
  /** Opens a socket, and subscribes from where it stands. Returns false if that failed. */
  connect(): Promise<boolean>;
  /** Closes its sockets. `$disconnect` may come or not. */
  cut(): Promise<void>;
  /** A second socket takes over. */
  rotate(): Promise<void>;
  /** Asks where the stream is. A socket that does not answer is given up. */
  ping(): Promise<void>;
  /** The page is loaded again, and goes on from the position that it kept. */
  reload(): void;
  isConnected(): boolean;
  /** Whether it knows of a message that it has not got. */
  isBehind(): boolean;
  readonly name: Topic | typeof OWN_STREAM;
  readonly follower: Follower;
  position(): number | undefined;
}

/** What is planted in clients and in what answers them. */
export interface ClientBugs {
  readonly place?: <M extends Numbered>(place: Stream<M>, anew: (start: number) => Stream<M>) => Stream<M>;
  readonly isEarly?: boolean;
  readonly reply?: (reply: ServerFrame, user: UserId) => ServerFrame;
  readonly kept?: (settings: StreamSettings) => StreamSettings;
}
