import type {
  Connection,
  ConnectionRow,
  OpenChange,
  TagChange,
  TokenRefresh,
} from "../connections/connection.ts";
import type { ConnectionId } from "../protocol/tag.ts";
import type { Recipient } from "../receipts/receipt.ts";
import type { Awaitable } from "./awaitable.ts";

export interface Connections {
  put(connection: Connection): Promise<void>;
  /**
   * Returns undefined if the connection is unknown, or it or its token expired before `now`. MUST include every write
   * that has returned.
   */
  find(id: ConnectionId, now: number): Awaitable<Connection | undefined>;
  /** The same, but returns a row whose token has expired too. For a connection's own frames. */
  read(id: ConnectionId, now: number): Promise<ConnectionRow | undefined>;
  /**
   * Changes the tags of its row, adds the mark of the change and charges its budget, in one write. Returns the new row.
   * Returns undefined and writes nothing if the connection does not exist, if it would have more than `tagLimit` tags,
   * if its budget is not the one in `row`, or if tags are added and it may not add the topics of `row` any more.
   */
  change(row: ConnectionRow, change: TagChange): Promise<ConnectionRow | undefined>;
  /**
   * Gives its row the tags, grants and ends of another token, adds the mark and charges its budget, in one write.
   * Returns the new row. Returns undefined and writes nothing if the connection does not exist or changed since `row`.
   */
  refresh(row: ConnectionRow, refresh: TokenRefresh): Promise<ConnectionRow | undefined>;
  /** Removes a mark from its row. Returns false and writes nothing if the tags differ from those of `row`. */
  settle(row: ConnectionRow, mark: OpenChange): Promise<boolean>;
  /** Deletes the row and returns it. Returns undefined if it does not exist or has another connect time. */
  delete(
    holder: Pick<Recipient, "connectionId"> & { connectedAt?: number },
  ): Promise<ConnectionRow | undefined>;
}
