import { expect, test } from "vitest";
import type { CloseResult, SendResult, Sockets } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";

export interface SocketsUnderTest {
  readonly sockets: Sockets;
  /** Opens a socket. */
  connect(): Promise<OpenSocket>;
  /** The next send to a socket ends like this. */
  fail(id: ConnectionId, kind: Exclude<SendResult["kind"], "sent">): void;
  /** The next close of a socket ends like this. */
  failClose(id: ConnectionId, kind: Exclude<CloseResult["kind"], "closed">): void;
}

export interface OpenSocket {
  readonly id: ConnectionId;
  /** The next frame it got. */
  next(): Promise<string>;
  /** Frames that nobody has asked for yet. */
  buffered(): readonly string[];
  close(): Promise<unknown>;
  /** Resolves once it is closed by the other side. */
  closed(): Promise<unknown>;
}

/** What every Sockets owes its callers, whatever it is made of. */
export function socketsContract(open: () => Promise<SocketsUnderTest>): void {
  const frame = (text: string) => Buffer.from(text);

  test("sends a frame to the one it is for, to the byte", async () => {
    const { sockets, connect } = await open();
    const [one, other] = [await connect(), await connect()];
    const text = JSON.stringify({ data: "é🎉\u0000\ud800", deep: [[[]]] });
    expect(await sockets.send(one.id, frame(text))).toEqual({ kind: "sent" });
    expect(await one.next()).toBe(text);
    expect(other.buffered()).toEqual([]);
  });

  test("sends each frame once, in the order in which they were sent", async () => {
    const { sockets, connect } = await open();
    const one = await connect();
    for (const text of ["1", "2", "3"]) await sockets.send(one.id, frame(text));
    expect([await one.next(), await one.next(), await one.next()]).toEqual(["1", "2", "3"]);
    expect(one.buffered()).toEqual([]);
  });

  test("says of a socket that never was, or is closed, that it is gone", async () => {
    const { sockets, connect } = await open();
    expect(await sockets.send("never=" as ConnectionId, frame("1"))).toEqual({ kind: "gone" });
    const one = await connect();
    await one.close();
    expect(await sockets.send(one.id, frame("1"))).toEqual({ kind: "gone" });
  });

  test.each([
    "gone",
    "throttled",
    "unavailable",
    "refused",
  ] as const)("says of a send that failed that it is %s, and goes on", async (kind) => {
    const { sockets, connect, fail } = await open();
    const one = await connect();
    fail(one.id, kind);
    const result = await sockets.send(one.id, frame("1"));
    expect(result.kind).toBe(kind);
    if ("reason" in result) expect(result.reason.length).toBeGreaterThan(0);
    expect(await sockets.send(one.id, frame("2"))).toEqual({ kind: "sent" });
    expect(await one.next()).toBe("2");
  });

  test("closes a socket once, after what was sent to it, and no other", async () => {
    const { sockets, connect } = await open();
    const [one, other] = [await connect(), await connect()];
    await sockets.send(one.id, frame("1"));
    expect(await sockets.close(one.id)).toEqual({ kind: "closed" });
    expect(await one.next()).toBe("1");
    await one.closed();
    expect(await sockets.close(one.id)).toEqual({ kind: "gone" });
    expect(await sockets.send(one.id, frame("2"))).toEqual({ kind: "gone" });
    expect(await sockets.send(other.id, frame("3"))).toEqual({ kind: "sent" });
    expect(await other.next()).toBe("3");
  });

  test("says of a socket that never was that it is gone, when it is to be closed", async () => {
    const { sockets } = await open();
    expect(await sockets.close("never=" as ConnectionId)).toEqual({ kind: "gone" });
    expect(await sockets.close("no base64!" as ConnectionId)).toEqual({ kind: "gone" });
  });

  test.each([
    "gone",
    "throttled",
    "unavailable",
  ] as const)("says of a close that failed that it is %s, and the socket stays open", async (kind) => {
    const { sockets, connect, failClose } = await open();
    const one = await connect();
    failClose(one.id, kind);
    const result = await sockets.close(one.id);
    expect(result.kind).toBe(kind);
    if ("reason" in result) expect(result.reason.length).toBeGreaterThan(0);
    expect(await sockets.send(one.id, frame("1"))).toEqual({ kind: "sent" });
    expect(await one.next()).toBe("1");
    expect(await sockets.close(one.id)).toEqual({ kind: "closed" });
  });

  test("says that the gateway is up, without a connection and with one", async () => {
    const { sockets, connect } = await open();
    expect(await sockets.probe()).toBe("up");
    const one = await connect();
    expect(await sockets.probe()).toBe("up");
    expect(one.buffered()).toEqual([]);
  });
}
