import { expect, test } from "vitest";
import type {
  Connection,
  ConnectionRow,
  OpenChange,
  TagChange,
} from "../../shared/connections/connection.ts";
import type { Connections } from "../../shared/ports.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
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
    tokenExpiresAt: NOW + 3_600_000,
    ...fields,
  });
  const opened = async (fields?: Partial<Connection>) => {
    const connections = open();
    const connection = aConnection(fields);
    await connections.put(connection);
    const row = async () => {
      const read = await connections.read(connection.connectionId, NOW);
      if (!read) throw new Error("there is no row");
      return read;
    };
    const tags = async () => (await connections.find(connection.connectionId, NOW))?.tags.toSorted();
    return { connections, connection, row, tags };
  };
  const later = <T extends Connection>(connection: T) => ({
    ...connection,
    connectedAt: connection.connectedAt + 1,
  });
  const ORDERS = "topic:orders" as Tag;
  const aMark = (id: string, tags: readonly Tag[] = [ORDERS]): OpenChange => ({ id, startedAt: NOW, tags });
  const aChange = (tags: readonly Tag[], fields: Partial<TagChange> = {}): TagChange => ({
    verb: "add",
    tags,
    mark: aMark(`m${++count}`, tags.length > 0 ? tags : [ORDERS]),
    takesOver: [],
    tagLimit: 200,
    spending: { kind: "extend", by: 1, most: Number.MAX_SAFE_INTEGER },
    ...fields,
  });
  const first = { spending: { kind: "restart", until: NOW } } as const;
  const marksOf = ({ changes }: ConnectionRow) => changes.map(({ id }) => id).toSorted();

  test("finds a connection as it was opened", async () => {
    const { connections, connection } = await opened({ subscribe: [], user: "auth0|Zoë" as UserId });
    const found = await connections.find(connection.connectionId, NOW);
    expect({ ...found, tags: found?.tags.toSorted() }).toEqual({ ...connection, revision: 0, changes: [] });
  });

  test("finds nothing of a connection that it never saw, and nothing of one that has expired", async () => {
    const { connections, connection } = await opened({ expiresAt: NOW + 1_000 });
    expect(await connections.find("never=" as ConnectionId, NOW)).toBeUndefined();
    expect(await connections.find(connection.connectionId, NOW + 999)).toBeDefined();
    expect(await connections.find(connection.connectionId, NOW + 1_000)).toBeUndefined();
  });

  test("an id that comes back is the new connection", async () => {
    const { connections, connection } = await opened();
    await connections.put({ ...later(connection), user: "bob" as UserId });
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

  test("shows a connection whose token has expired to its own frames, and to nobody else", async () => {
    const { connections, connection } = await opened({ tokenExpiresAt: NOW + 1_000 });
    const { connectionId } = connection;
    expect(await connections.find(connectionId, NOW + 999)).toBeDefined();
    expect(await connections.find(connectionId, NOW + 1_000)).toBeUndefined();
    expect(await connections.read(connectionId, NOW + 1_000)).toMatchObject({
      tokenExpiresAt: NOW + 1_000,
      revision: 0,
      changes: [],
    });
    expect(await connections.read(connectionId, connection.expiresAt)).toBeUndefined();
    expect(await connections.read("never=" as ConnectionId, NOW)).toBeUndefined();
  });

  test("adds tags and removes them, once and twice, and answers the row as it is then", async () => {
    const { connections, row, tags } = await opened();
    const held = await connections.change(await row(), aChange([ORDERS, ORDERS], first));
    expect(held).toMatchObject({ revision: 1, user: "ann", budgetUntil: NOW });
    expect(held?.tags.toSorted()).toEqual(["everyone", ORDERS, "user:ann"]);
    expect(await row()).toEqual(held);
    await connections.change(await row(), aChange([ORDERS]));
    expect(await tags()).toEqual(["everyone", ORDERS, "user:ann"]);
    for (let i = 0; i < 2; i++) {
      const change = aChange([ORDERS, "topic:never" as Tag], { verb: "remove" });
      expect(await connections.change(await row(), change)).toMatchObject({ revision: 3 + i });
    }
    expect(await tags()).toEqual(["everyone", "user:ann"]);
  });

  test("loses no tag when many changes are made at once", async () => {
    const { connections, row, tags } = await opened();
    await connections.change(await row(), aChange([], first));
    const topics = Array.from({ length: 10 }, (_, i) => `topic:${i}` as Tag);
    const seen = await row();
    await Promise.all(topics.map((topic) => connections.change(seen, aChange([topic]))));
    expect(await tags()).toEqual(["everyone", ...topics, "user:ann"]);
    expect(await row()).toMatchObject({ revision: 11, budgetUntil: NOW + 10 });
  });

  test("changes nothing of a connection that is not there any more, and does not bring it back", async () => {
    const { connections, connection, row, tags } = await opened();
    const seen = await row();
    expect(await connections.change(later(seen), aChange([ORDERS], first))).toBeUndefined();
    expect(await tags()).toEqual(["everyone", "user:ann"]);
    await connections.delete(connection);
    expect(await connections.change(seen, aChange([ORDERS], first))).toBeUndefined();
    expect(await connections.settle(seen, aMark("m"))).toBe(false);
    expect(await tags()).toBeUndefined();
  });

  test("holds as many tags as the limit says and not one more, whatever comes at once", async () => {
    const { connections, row } = await opened();
    await connections.change(await row(), aChange([], first));
    const seen = await row();
    const topics = (name: string) => Array.from({ length: 3 }, (_, i) => `topic:${name}${i}` as Tag);
    const changes = ["a", "b", "c", "d"].map((name) => aChange(topics(name), { tagLimit: 8 }));
    const made = await Promise.all(changes.map((change) => connections.change(seen, change)));
    expect(made.filter((it) => it !== undefined)).toHaveLength(2);
    expect((await row()).tags).toHaveLength(8);
    const refused = changes[made.indexOf(undefined)];
    expect(await connections.change(await row(), refused ?? aChange([]))).toBeUndefined();
    expect(
      await connections.change(await row(), aChange([ORDERS], { verb: "remove", tagLimit: 8 })),
    ).toBeDefined();
  });

  test("marks a change until it is settled, and settles it only while the tags are as they were seen", async () => {
    const { connections, row } = await opened();
    const [one, two] = [aChange([ORDERS], first), aChange(["topic:a", "topic:b"] as Tag[])];
    const seen = await connections.change(await row(), one);
    const next = await connections.change(await row(), two);
    if (!seen || !next) throw new Error("a change was refused");
    expect(next.changes.map(({ id, startedAt, tags }) => ({ id, startedAt, tags: tags.toSorted() }))).toEqual(
      expect.arrayContaining([one.mark, two.mark]),
    );
    expect(await connections.settle(seen, one.mark)).toBe(false);
    expect(marksOf(await row())).toEqual(marksOf(next));
    expect(await connections.settle(later(next), one.mark)).toBe(false);
    for (let i = 0; i < 2; i++) expect(await connections.settle(next, one.mark)).toBe(true);
    expect(await row()).toMatchObject({ revision: 2, changes: [{ id: two.mark.id }] });
    expect(await connections.settle(await row(), two.mark)).toBe(true);
    expect((await row()).changes).toEqual([]);
  });

  test("a change takes over those of runs that are over", async () => {
    const { connections, row } = await opened();
    const [one, two] = [aChange([ORDERS], first), aChange(["topic:a"] as Tag[])];
    await connections.change(await row(), one);
    await connections.change(await row(), two);
    const third = aChange(["topic:b"] as Tag[], { takesOver: [one.mark, aMark("never")] });
    const row3 = await connections.change(await row(), third);
    expect(row3 && marksOf(row3)).toEqual([two.mark.id, third.mark.id].toSorted());
  });

  test("a budget begins anew only as it was seen, and is extended only up to its bound", async () => {
    const { connections, row } = await opened();
    const seen = await row();
    const until = (spending: TagChange["spending"]) => aChange([ORDERS], { spending });
    expect(await connections.change(seen, until({ kind: "restart", until: 100 }))).toMatchObject({
      budgetUntil: 100,
    });
    expect(await connections.change(seen, until({ kind: "restart", until: 200 }))).toBeUndefined();
    expect(await connections.change(seen, until({ kind: "extend", by: 50, most: 99 }))).toBeUndefined();
    expect(await row()).toMatchObject({ budgetUntil: 100, revision: 1 });
    expect(await connections.change(seen, until({ kind: "extend", by: 50, most: 100 }))).toMatchObject({
      budgetUntil: 150,
    });
    expect(await connections.change(await row(), until({ kind: "restart", until: 7 }))).toMatchObject({
      budgetUntil: 7,
    });
  });

  test("a closed connection says what was still being changed", async () => {
    const { connections, connection, row } = await opened();
    await connections.change(await row(), aChange([ORDERS], { verb: "remove", ...first }));
    expect(await connections.delete(connection)).toMatchObject({ changes: [{ tags: [ORDERS] }] });
  });

  test("closes a connection once, and says what it was", async () => {
    const { connections, connection, row } = await opened();
    await connections.change(await row(), aChange([ORDERS], first));
    expect((await connections.delete(connection))?.tags).toContain(ORDERS);
    expect(await connections.delete(connection)).toBeUndefined();
    expect(await connections.find(connection.connectionId, NOW)).toBeUndefined();
  });

  test("leaves a connection with another connect time alone, but closes any where none is given", async () => {
    const { connections, connection } = await opened();
    expect(await connections.delete(later(connection))).toBeUndefined();
    expect(await connections.find(connection.connectionId, NOW)).toBeDefined();
    expect(await connections.delete({ connectionId: connection.connectionId })).toMatchObject({
      user: "ann",
    });
  });

  test("closes a connection that has expired: its tags are still to be cleaned up", async () => {
    const { connections, connection } = await opened({ expiresAt: NOW - 1 });
    expect(await connections.delete(connection)).toMatchObject({ user: "ann" });
  });
}
