import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { AwsCredentialIdentity as Identity } from "@smithy/types";
import { expect, test } from "vitest";
import { type Respond, refuse } from "./gateway.ts";
import { FRAME, HOUR, ID, identity, NOON, open } from "./signed.ts";
import { verified } from "./verify.ts";

/** Refuses signatures that are more than five minutes off the gateway's clock, as API Gateway does. */
const withClock =
  (clock: () => number): Respond =>
  (response, _socket, { headers }) => {
    const iso = String(headers["x-amz-date"]).replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5");
    const date = { date: new Date(clock()).toUTCString() };
    if (Math.abs(Date.parse(iso) - clock()) <= 300_000) return refuse(response, 200, { headers: date });
    refuse(response, 403, {
      type: "InvalidSignatureException",
      message: "Signature expired",
      headers: date,
    });
  };

test("a clock that is wrong is corrected by the gateway's, with one more request", async () => {
  const { sockets, times } = await open({ answer: withClock(() => NOON + HOUR) });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  expect(times()).toEqual(["20260101T120000Z", "20260101T130000Z", "20260101T130000Z"]);
});

test("posts in flight together are all mended by the gateway's clock", async () => {
  const { sockets, seen } = await open({ answer: withClock(() => NOON - HOUR) });
  const endings = await Promise.all(Array.from({ length: 10 }, () => sockets.send(ID, FRAME)));
  expect(new Set(endings.map(({ kind }) => kind))).toEqual(new Set(["sent"]));
  expect(seen.length).toBe(20);
});

test("a correction ends when our clock is set right", async () => {
  let ours = NOON - HOUR;
  const { sockets, seen } = await open({ answer: withClock(() => NOON), now: () => ours });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  ours = NOON;
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  expect(seen.length).toBe(4);
});

test("a refusal with the right time is not tried again", async () => {
  const { sockets, seen } = await open({
    answer: (response) =>
      refuse(response, 403, {
        type: "ForbiddenException",
        message: "Forbidden",
        headers: { date: new Date(NOON).toUTCString() },
      }),
  });
  expect(await sockets.send(ID, FRAME)).toEqual({
    kind: "unavailable",
    reason: "403: Forbidden",
    forbidden: true,
  });
  expect(seen.length).toBe(1);
});

test("the time of a cached answer corrects nothing", async () => {
  const { sockets, seen } = await open({
    answer: (response) =>
      refuse(response, 403, { headers: { date: new Date(NOON - HOUR).toUTCString(), age: "3600" } }),
  });
  expect(await sockets.send(ID, FRAME)).toMatchObject({ kind: "unavailable" });
  expect(seen.length).toBe(1);
});

test("a request is posted at most twice, whatever the gateway's clock says", async () => {
  let hours = 0;
  const { sockets, seen } = await open({
    answer: (response) =>
      refuse(response, 403, { headers: { date: new Date(NOON + ++hours * HOUR).toUTCString() } }),
  });
  expect(await sockets.send(ID, FRAME)).toMatchObject({ kind: "unavailable" });
  expect(seen.length).toBe(2);
});

test("each send is signed with the credentials of its moment", async () => {
  let name = "ann";
  const { sockets, signers } = await open({ credentials: async () => identity(name) });
  await sockets.send(ID, FRAME);
  name = "ben";
  await sockets.send(ID, FRAME);
  expect(signers()).toEqual(["ann", "ben"]);
});

/** Takes posts of `ben` only; to it, all other credentials have expired. */
const benOnly: Respond = (response, _socket, { headers }) =>
  headers.authorization?.includes("Credential=ben/")
    ? refuse(response, 200)
    : refuse(response, 403, {
        type: "ExpiredTokenException:http://internal.amazon.com/coral/",
        message: "The security token included in the request is expired",
        headers: { date: new Date(NOON).toUTCString() },
      });

/** Credentials as a client of the SDK keeps them, from a source that counts how often it is asked. */
function kept(...given: readonly (Identity & { readonly expiration?: Date })[]) {
  let asked = 0;
  const client = new DynamoDBClient({
    region: "us-east-1",
    credentials: async () => given[Math.min(asked++, given.length - 1)] ?? identity("nobody"),
  });
  return { credentials: client.config.credentials, asked: () => asked };
}

test("credentials that the gateway takes for expired are renewed, once for all posts in flight", async () => {
  const { credentials, asked } = kept(identity("ann"), identity("ben"));
  const held: (() => void)[] = [];
  let first = true;
  const { sockets, signers } = await open({
    credentials,
    answer: (response, socket, request) => {
      const answer = () => benOnly(response, socket, request);
      if (first) held.push(answer);
      else answer();
      first = false;
      if (request.headers.authorization?.includes("Credential=ben/")) held.pop()?.();
    },
  });
  const endings = await Promise.all(Array.from({ length: 5 }, () => sockets.send(ID, FRAME)));
  expect(new Set(endings.map(({ kind }) => kind))).toEqual(new Set(["sent"]));
  expect(asked()).toBe(2);
  expect(signers().toSorted()).toEqual([...Array(5).fill("ann"), ...Array(5).fill("ben")]);
});

test("credentials are renewed before they expire, and not sooner", async () => {
  const minutes = (count: number) => ({ expiration: new Date(Date.now() + count * 60_000) });
  const { credentials, asked } = kept(
    { ...identity("ann"), ...minutes(4) },
    { ...identity("ben"), ...minutes(60) },
  );
  let now = NOON;
  const { sockets, signers } = await open({ credentials, now: () => now });
  for (let i = 0; i < 3; i++, now += 1_000) await sockets.send(ID, FRAME);
  expect(asked()).toBe(2);
  expect(signers().at(-1)).toBe("ben");
});

test("expired credentials that cannot be renewed are refused without another request", async () => {
  const { sockets, seen } = await open({ answer: benOnly });
  expect(await sockets.send(ID, FRAME)).toMatchObject({ kind: "unavailable" });
  expect(seen.length).toBe(1);
});

test("without credentials a post is busy, and recovers when they are there", async () => {
  let broken = true;
  const { sockets } = await open({
    credentials: async () => {
      if (broken) throw new Error("no credentials");
      return identity("ann");
    },
  });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "unavailable", reason: "Error: no credentials" });
  broken = false;
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
});

test("a frame that was taken is sent, even where the rest of the answer never comes", async () => {
  const { sockets } = await open({
    answer: (response) => response.writeHead(200, { "content-length": "2" }).write("{"),
  });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
});

test("an informational answer is not the answer", async () => {
  const { sockets } = await open({
    answer: (response, socket) => {
      socket.write("HTTP/1.1 103 Early Hints\r\n\r\n");
      refuse(response, 410);
    },
  });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "gone" });
});

test("a connection is given up before the gateway would, whatever time the gateway offers", async () => {
  // The end that a client sends; a server that closes first sees none.
  const ended = new Promise<void>((resolve) => {
    void open({
      keepAlive: 20,
      answer: (response, socket) => {
        socket.once("end", () => resolve());
        refuse(response, 200, { headers: { "keep-alive": "timeout=3600" } });
      },
    }).then(({ sockets }) => sockets.send(ID, FRAME));
  });
  await ended;
});

test("an answer that drips is over when the time for the whole of it is up", async () => {
  const { sockets } = await open({
    timeout: 100,
    answer: (response, socket) => {
      response.writeHead(503, { "content-type": "text/plain" }).flushHeaders();
      socket.on("error", () => {});
    },
  });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "unavailable", reason: "503: no reason given" });
});

test("a signing key does not outlive its day", async () => {
  const midnight = Date.UTC(2026, 0, 2);
  let now = midnight - 1;
  const secrets = { region: "us-east-1", secretAccessKey: "secret", sessionToken: "token" };
  const { sockets, times } = await open({
    now: () => now,
    credentials: async () => ({ accessKeyId: "ann", ...secrets }),
    answer: verified(secrets, (response) => refuse(response, 200)),
  });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  now = midnight;
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  expect(times()).toEqual(["20260101T235959Z", "20260102T000000Z"]);
});
