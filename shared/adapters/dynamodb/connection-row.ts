import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Connection, ConnectionRow, OpenChange } from "../../connections/connection.ts";
import type { ConnectionId, Tag, UserId } from "../../protocol/tag.ts";

export type Row = Record<string, AttributeValue>;

/** The version that rows are written with. Rows without one are of version 0: they have no `tokenExpiresAt`. */
const VERSION = "1";

/** An open change is an attribute of its own, so that two frames never write the same one. */
const MARK = "change#";

/** The name of the attribute that marks a change: `change#<startedAt>#<id>`. */
export const markOf = ({ startedAt, id }: OpenChange): string => `${MARK}${startedAt}#${id}`;

export const patternsOf = ({ subscribe }: Pick<Connection, "subscribe">): AttributeValue => ({
  S: JSON.stringify(subscribe),
});

export const ttlOf = ({ expiresAt }: Pick<Connection, "expiresAt">): AttributeValue => ({
  N: String(Math.floor(expiresAt / 1000)),
});

export const toRow = (connection: Connection): Row => ({
  connectionId: { S: connection.connectionId },
  connectedAt: { N: String(connection.connectedAt) },
  user: { S: connection.user },
  tags: { SS: [...connection.tags] },
  subscribe: patternsOf(connection),
  expiresAt: { N: String(connection.expiresAt) },
  tokenExpiresAt: { N: String(connection.tokenExpiresAt) },
  ttl: ttlOf(connection),
  v: { N: VERSION },
});

/** Reads rows of version 0 too: their connections live until the gateway's cut, as they were promised. */
export function fromRow(row: Row): ConnectionRow {
  const budgetUntil = row["budgetUntil"]?.N;
  return {
    connectionId: row["connectionId"]?.S as ConnectionId,
    connectedAt: Number(row["connectedAt"]?.N),
    user: row["user"]?.S as UserId,
    tags: (row["tags"]?.SS ?? []) as Tag[],
    subscribe: JSON.parse(row["subscribe"]?.S ?? "[]") as string[],
    expiresAt: Number(row["expiresAt"]?.N),
    tokenExpiresAt: Number((row["tokenExpiresAt"] ?? row["expiresAt"])?.N),
    revision: Number(row["revision"]?.N ?? 0),
    changes: Object.entries(row).flatMap(([name, value]) => openChange(name, value)),
    ...(budgetUntil === undefined ? {} : { budgetUntil: Number(budgetUntil) }),
  };
}

function openChange(name: string, { SS: tags = [] }: AttributeValue): OpenChange[] {
  if (!name.startsWith(MARK)) return [];
  const [startedAt = "", id = ""] = name.slice(MARK.length).split("#");
  return [{ id, startedAt: Number(startedAt), tags: tags as Tag[] }];
}
