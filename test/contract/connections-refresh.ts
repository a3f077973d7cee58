import { expect, test } from "vitest";
import type { ConnectionRow, TagChange, TokenRefresh } from "../../shared/connections/connection.ts";
import type { Connections } from "../../shared/ports.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { NOW } from "../support/message.ts";

/** What every Connections owes a connection whose token is refreshed. */
export function connectionsRefreshContract(open: () => Connections): void {
  let count = 0;
  const opened = async () => {
    const connections = open();
    const connection = {
      connectionId: `r${++count}=` as ConnectionId,
      connectedAt: NOW,
      user: "ann" as UserId,
      tags: ["everyone", "user:ann", "region:gd", "topic:a"] as Tag[],
      subscribe: ["a", "b"],
      expiresAt: NOW + 4_200_000,
      tokenExpiresAt: NOW + 3_600_000,
    };
    await connections.put(connection);
    const row = async (): Promise<ConnectionRow> => {
      const read = await connections.read(connection.connectionId, NOW);
      if (!read) throw new Error("there is no row");
      return { ...read, tags: read.tags.toSorted() };
    };
    return { connections, connection, row };
  };
  const aMark = (tags: readonly Tag[]) => ({ id: `m${++count}`, startedAt: NOW, tags });
  const TAGS = ["everyone", "topic:b", "user:ann"] as Tag[];
  const aRefresh = (fields: Partial<TokenRefresh> = {}): TokenRefresh => ({
    tags: TAGS,
    subscribe: ["b", "c/*"],
    expiresAt: NOW + 7_800_000,
    tokenExpiresAt: NOW + 7_300_000,
    mark: aMark([...TAGS, "topic:a" as Tag]),
    takesOver: [],
    spending: { kind: "restart", until: NOW + 500 },
    ...fields,
  });
  const aChange = (tags: readonly Tag[], fields: Partial<TagChange> = {}): TagChange => ({
    ...{ verb: "add", tags, mark: aMark(tags), takesOver: [], tagLimit: 200 },
    spending: { kind: "restart", until: NOW },
    ...fields,
  });

  test("a refresh replaces tags, grants and ends at once, and leaves the rest", async () => {
    const { connections, connection, row } = await opened();
    const refresh = aRefresh();
    const refreshed = await connections.refresh(await row(), refresh);
    expect(await row()).toEqual({ ...refreshed, tags: TAGS });
    expect(await row()).toMatchObject({
      ...{ connectionId: connection.connectionId, connectedAt: NOW, user: "ann", revision: 1 },
      ...{ subscribe: ["b", "c/*"], expiresAt: NOW + 7_800_000, tokenExpiresAt: NOW + 7_300_000 },
      ...{ budgetUntil: NOW + 500, changes: [{ id: refresh.mark.id, startedAt: NOW }] },
    });
    expect(await connections.find(connection.connectionId, NOW + 7_299_999)).toBeDefined();
    expect(await connections.find(connection.connectionId, NOW + 7_300_000)).toBeUndefined();
    expect(await connections.read(connection.connectionId, NOW + 7_800_000)).toBeUndefined();
    if (refreshed) expect(await connections.settle(refreshed, refresh.mark)).toBe(true);
    expect((await row()).changes).toEqual([]);
  });

  test("a refresh is refused if the row changed since it was read, by another refresh too", async () => {
    const { connections, row } = await opened();
    const first = await row();
    await connections.change(first, aChange(["topic:b"] as Tag[]));
    const before = await row();
    expect(await connections.refresh(first, aRefresh())).toBeUndefined();
    expect(await row()).toEqual(before);
    const spending = { kind: "extend", by: 200, most: Number.MAX_SAFE_INTEGER } as const;
    const refreshed = await connections.refresh(before, aRefresh({ spending }));
    expect(refreshed).toMatchObject({ revision: 2, budgetUntil: NOW + 200 });
    expect(await connections.refresh(before, aRefresh())).toBeUndefined();
    expect(await connections.refresh(await row(), aRefresh())).toMatchObject({ revision: 3 });
  });

  test("a refresh takes over the changes of runs that are over, and keeps the others", async () => {
    const { connections, row } = await opened();
    const [one, two] = [aChange(["topic:b"] as Tag[]), aChange(["topic:a"] as Tag[], { verb: "remove" })];
    await connections.change(await row(), one);
    await connections.change(await row(), { ...two, spending: { kind: "extend", by: 1, most: NOW * 2 } });
    const refresh = aRefresh({ takesOver: [one.mark] });
    const refreshed = await connections.refresh(await row(), refresh);
    expect(refreshed?.changes.map(({ id }) => id).toSorted()).toEqual(
      [two.mark.id, refresh.mark.id].toSorted(),
    );
  });

  test("tags that were checked against the grants before are not added after a refresh; removed they are", async () => {
    const { connections, row } = await opened();
    const first = await row();
    const spending = { kind: "extend", by: 1, most: Number.MAX_SAFE_INTEGER } as const;
    await connections.refresh(first, aRefresh());
    expect(await connections.change(first, aChange(["topic:a"] as Tag[], { spending }))).toBeUndefined();
    expect((await row()).tags).toEqual(TAGS);
    const gone = aChange(["topic:b"] as Tag[], { verb: "remove", spending });
    expect((await connections.change(first, gone))?.tags).not.toContain("topic:b");
    expect(await connections.change(await row(), aChange(["topic:b"] as Tag[], { spending }))).toBeDefined();
  });

  test("a token with the same grants keeps nobody from adding what was checked before", async () => {
    const { connections, connection, row } = await opened();
    const first = await row();
    await connections.refresh(first, aRefresh({ subscribe: connection.subscribe }));
    const spending = { kind: "extend", by: 1, most: Number.MAX_SAFE_INTEGER } as const;
    expect(await connections.change(first, aChange(["topic:a"] as Tag[], { spending }))).toBeDefined();
  });

  test("a refresh does not bring a closed connection back, nor touch one that has its id now", async () => {
    const { connections, connection, row } = await opened();
    const first = await row();
    await connections.delete(connection);
    expect(await connections.refresh(first, aRefresh())).toBeUndefined();
    expect(await connections.read(connection.connectionId, NOW)).toBeUndefined();
    await connections.put({ ...connection, connectedAt: NOW + 1 });
    expect(await connections.refresh(first, aRefresh())).toBeUndefined();
    expect(await row()).toMatchObject({ connectedAt: NOW + 1, revision: 0 });
  });
}
