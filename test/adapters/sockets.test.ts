import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import type { Sockets } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { gateway, refuse } from "./gateway.ts";
import { WAYS } from "./ways.ts";

const ID = "L0SM9cOFvHcCIhw=" as ConnectionId;
const FRAME = Buffer.from('{"type":"message","data":"é"}');

describe.each(Object.entries(WAYS))("sockets by %s", (_name, socketsBy) => {
  const open = (
    endpoint: string,
    policy: { sendTimeoutMilliseconds?: number; sendsInFlight?: number } = {},
  ): Sockets => {
    const runtime = {
      env: {
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        AWS_SESSION_TOKEN: "token+/=",
      },
      write: () => {},
      readSecret: async () => undefined,
      clock: { now: Date.now, monotonic: () => performance.now(), pause: async () => {} },
      random: Math.random,
    };
    return socketsBy(runtime, endpoint, { sendTimeoutMilliseconds: 60_000, sendsInFlight: 5, ...policy });
  };

  test("send the frame to the connection's address, signed", async () => {
    const { endpoint, seen } = await gateway();
    expect(await open(endpoint).send(ID, FRAME)).toEqual({ kind: "sent" });
    expect(seen).toMatchObject([
      {
        path: "/prod/@connections/L0SM9cOFvHcCIhw%3D",
        body: FRAME.toString(),
        headers: {
          "content-type": "application/octet-stream",
          "content-length": String(FRAME.length),
          "x-amz-security-token": "token+/=",
          "x-amz-date": expect.stringMatching(/^\d{8}T\d{6}Z$/),
          authorization: expect.stringMatching(
            /^AWS4-HMAC-SHA256 Credential=local\/\d{8}\/us-east-1\/execute-api\/aws4_request, SignedHeaders=[a-z0-9;-]*host;[a-z0-9;-]*x-amz-date;x-amz-security-token[a-z;-]*, Signature=[0-9a-f]{64}$/,
          ),
        },
      },
    ]);
  });

  test("write an id with every character it may have as the gateway reads it", async () => {
    const { endpoint, seen } = await gateway();
    await open(endpoint).send("a+b/c=_-" as ConnectionId, FRAME);
    expect(seen[0]?.path).toBe("/prod/@connections/a%2Bb%2Fc%3D_-");
  });

  test.each([
    [200, "sent"],
    [410, "gone"],
    [400, "refused"],
    [413, "refused"],
    [429, "throttled"],
    [500, "unavailable"],
    [502, "unavailable"],
    [503, "unavailable"],
    [504, "unavailable"],
  ])("end a send that answers %i as %s", async (status, kind) => {
    const { endpoint } = await gateway(status);
    expect(await open(endpoint).send(ID, FRAME)).toMatchObject({ kind });
  });

  test.each([
    [204, "closed"],
    [410, "gone"],
    [400, "gone"],
    [429, "throttled"],
    [403, "unavailable"],
    [404, "unavailable"],
    [503, "unavailable"],
  ])("end a close that answers %i as %s", async (status, kind) => {
    const { endpoint, seen } = await gateway(status);
    expect(await open(endpoint).close(ID)).toMatchObject({ kind });
    expect(seen).toMatchObject([
      { method: "DELETE", path: "/prod/@connections/L0SM9cOFvHcCIhw%3D", body: "" },
    ]);
  });

  test("take a gateway that hangs up or never answers for one that has not closed the socket", async () => {
    const { endpoint: rude } = await gateway((_, socket) => socket.resetAndDestroy());
    expect(await open(rude).close(ID)).toMatchObject({ kind: "unavailable" });
    const { endpoint: silent } = await gateway(() => {});
    expect(await open(silent, { sendTimeoutMilliseconds: 100 }).close(ID)).toMatchObject({
      kind: "unavailable",
    });
  });

  test.each([
    403, 404,
  ])("take %i for a fault of the stack, which says nothing of the connection", async (status) => {
    const { endpoint } = await gateway(status);
    expect(await open(endpoint).send(ID, FRAME)).toMatchObject({ kind: "unavailable", forbidden: true });
  });

  test.each([
    [410, "up"],
    [400, "up"],
    [429, "throttled"],
    [403, "down"],
    [404, "down"],
    [500, "down"],
    [503, "down"],
  ])("take a gateway that answers a probe with %i for %s", async (status, state) => {
    const { endpoint, seen } = await gateway(status);
    expect(await open(endpoint).probe()).toBe(state);
    expect(seen[0]?.path).toMatch(/^\/prod\/@connections\/[^/]+$/);
  });

  test("take a gateway that is not there, hangs up or never answers for down", async () => {
    expect(await open("http://127.0.0.1:9/prod").probe()).toBe("down");
    const { endpoint: rude } = await gateway((_, socket) => socket.resetAndDestroy());
    expect(await open(rude).probe()).toBe("down");
    const { endpoint: silent } = await gateway(() => {});
    expect(await open(silent, { sendTimeoutMilliseconds: 100 }).probe()).toBe("down");
  });

  test("know a connection that is gone without the name of the error", async () => {
    const { endpoint } = await gateway((response) => response.writeHead(410).end("Gone"));
    expect(await open(endpoint).send(ID, FRAME)).toEqual({ kind: "gone" });
  });

  test("say why a send failed", async () => {
    const { endpoint } = await gateway((response) => refuse(response, 429, { message: "Rate exceeded" }));
    expect(await open(endpoint).send(ID, FRAME)).toEqual({
      kind: "throttled",
      reason: "429: Rate exceeded",
    });
  });

  test("are unavailable where nothing listens", async () => {
    expect(await open("http://127.0.0.1:9/prod").send(ID, FRAME)).toMatchObject({ kind: "unavailable" });
  });

  test("are unavailable where the connection is reset", async () => {
    const { endpoint } = await gateway((_, socket) => socket.resetAndDestroy());
    expect(await open(endpoint).send(ID, FRAME)).toMatchObject({ kind: "unavailable" });
  });

  test("are unavailable where the answer never comes", async () => {
    const { endpoint } = await gateway(() => {});
    expect(await open(endpoint, { sendTimeoutMilliseconds: 100 }).send(ID, FRAME)).toMatchObject({
      kind: "unavailable",
    });
  });

  test("are unavailable where the answer stops in the middle of its headers", async () => {
    const { endpoint } = await gateway((_, socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-le"));
    expect(await open(endpoint, { sendTimeoutMilliseconds: 100 }).send(ID, FRAME)).toMatchObject({
      kind: "unavailable",
    });
  });

  test("recover once the gateway does", async () => {
    let broken = true;
    const { endpoint } = await gateway((response, socket) =>
      broken ? socket.destroy() : refuse(response, 200),
    );
    const sockets = open(endpoint);
    expect(await sockets.send(ID, FRAME)).toMatchObject({ kind: "unavailable" });
    broken = false;
    expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  });

  test("open no more HTTP connections than they may, and keep them", async () => {
    const { endpoint, seen, connections } = await gateway((response) =>
      setTimeout(() => refuse(response, 200), 5),
    );
    const sockets = open(endpoint, { sendsInFlight: 4 });
    const all = await Promise.all(Array.from({ length: 40 }, () => sockets.send(ID, FRAME)));
    for (let i = 0; i < 5; i++) all.push(await sockets.send(ID, FRAME));
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(["sent"]));
    expect(seen.length).toBe(45);
    expect(connections).toEqual({ now: 4, most: 4 });
  });

  test("send again over a new connection where the gateway has closed a kept one", async () => {
    const { endpoint, connections } = await gateway((response, socket) => {
      refuse(response, 200);
      response.on("finish", () => socket.end());
    });
    const sockets = open(endpoint);
    expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
    while (connections.now > 0) await pause(1);
    expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  });

  test("take a frame of 128 KB", async () => {
    const { endpoint, seen } = await gateway();
    expect(await open(endpoint).send(ID, Buffer.alloc(131_072, "x"))).toEqual({ kind: "sent" });
    expect(seen[0]?.body.length).toBe(131_072);
  });
});
