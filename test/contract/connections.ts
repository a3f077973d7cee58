import { expect, test } from "vitest";
import type { ConnectionId, Tag, UserId } from "../../shared/domain/tag.ts";
import type { Connection, Connections } from "../../shared/ports.ts";
import { NOW } from "../support/message.ts";

/** What every Connections owes its callers, whatever it is made of. */
export function connectionsContract(open: () => Connections): void {
  let count = 0;
  const aConnection = (fields: Partial<Connection> = {}): Connection => ({
    connectionId: `c${++count}=` as ConnectionId,
    connectedAt: NOW,
    user: "ann" as UserId,
    tags: ["everyone", "user:ann"] as Tag[],
    subscribe: ["orders/*"],
    expiresAt: NOW + 7_200_000,
    ...fields,
  });
  const opened = async (fields?: Partial<Connection>) => {
    const connections = open();
    const connection = aConnection(fields);
    await connections.open(connection);
    const tags = async () => (await connections.find(connection.connectionId, NOW))?.tags.toSorted();
    return { connections, connection, tags };
  };
  const later = (connection: Connection) => ({ ...connection, connectedAt: connection.connectedAt + 1 });
  const ORDERS = "topic:orders" as Tag;

  test("finds a connection as it was opened", async () => {
    const { connections, connection } = await opened({ subscribe: [], user: "auth0|Zoë" as UserId });
    const found = await connections.find(connection.connectionId, NOW);
    expect({ ...found, tags: found?.tags.toSorted() }).toEqual(connection);
  });

  test("finds nothing of a connection that it never saw, and nothing of one that has expired", async () => {
    const { connections, connection } = await opened({ expiresAt: NOW + 1_000 });
    expect(await connections.find("never=" as ConnectionId, NOW)).toBeUndefined();
    expect(await connections.find(connection.connectionId, NOW + 999)).toBeDefined();
    expect(await connections.find(connection.connectionId, NOW + 1_000)).toBeUndefined();
  });

  test("an id that comes back is the new connection", async () => {
    const { connections, connection } = await opened();
    await connections.open({ ...later(connection), user: "bob" as UserId });
    expect(await connections.find(connection.connectionId, NOW)).toMatchObject({
      user: "bob",
      connectedAt: NOW + 1,
    });
  });

  test("does not see what its caller changes later", async () => {
    const tags = ["everyone", "user:ann"] as Tag[];
    const { tags: found } = await opened({ tags });
    tags.push(ORDERS);
    expect(await found()).toEqual(["everyone", "user:ann"]);
  });

  test("holds more tags, once and twice and twice at once", async () => {
    const { connections, connection, tags } = await opened();
    for (let i = 0; i < 2; i++) expect(await connections.hold(connection, [ORDERS, ORDERS])).toBe(true);
    expect(await tags()).toEqual(["everyone", ORDERS, "user:ann"]);
  });

  test("loses no tag when many are held at once", async () => {
    const { connections, connection, tags } = await opened();
    const topics = Array.from({ length: 10 }, (_, i) => `topic:${i}` as Tag);
    await Promise.all(topics.map((topic) => connections.hold(connection, [topic])));
    expect(await tags()).toEqual(["everyone", ...topics, "user:ann"]);
  });

  test("holds nothing for a connection that is not there any more, and does not bring it back", async () => {
    const { connections, connection, tags } = await opened();
    expect(await connections.hold(later(connection), [ORDERS])).toBe(false);
    expect(await tags()).toEqual(["everyone", "user:ann"]);
    await connections.close(connection);
    expect(await connections.hold(connection, [ORDERS])).toBe(false);
    expect(await tags()).toBeUndefined();
  });

  test("releases tags, held or not, and not those of another connect time", async () => {
    const { connections, connection, tags } = await opened();
    await connections.hold(connection, [ORDERS]);
    await connections.release(later(connection), [ORDERS]);
    expect(await tags()).toContain(ORDERS);
    for (let i = 0; i < 2; i++) await connections.release(connection, [ORDERS, "topic:never" as Tag]);
    expect(await tags()).toEqual(["everyone", "user:ann"]);
    await connections.release(aConnection(), [ORDERS]);
  });

  test("closes a connection once, and says what it was", async () => {
    const { connections, connection } = await opened();
    await connections.hold(connection, [ORDERS]);
    expect((await connections.close(connection))?.tags).toContain(ORDERS);
    expect(await connections.close(connection)).toBeUndefined();
    expect(await connections.find(connection.connectionId, NOW)).toBeUndefined();
  });

  test("leaves a connection with another connect time alone, but closes any where none is given", async () => {
    const { connections, connection } = await opened();
    expect(await connections.close(later(connection))).toBeUndefined();
    expect(await connections.find(connection.connectionId, NOW)).toBeDefined();
    expect(await connections.close({ connectionId: connection.connectionId })).toMatchObject({ user: "ann" });
  });

  test("closes a connection that has expired: its tags are still to be cleaned up", async () => {
    const { connections, connection } = await opened({ expiresAt: NOW - 1 });
    expect(await connections.close(connection)).toMatchObject({ user: "ann" });
  });
}
