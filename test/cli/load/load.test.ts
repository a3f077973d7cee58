import { expect, onTestFinished, test } from "vitest";
import type { WebSocket } from "ws";
import type { LoadReport } from "../../../cli/load/report.ts";
import type { StartOptions } from "../../../local/options.ts";
import { start as startRouter } from "../../../local/start.ts";
import { start, tagwire } from "../../support/command.ts";
import { patient } from "../../support/patient.ts";
import { httpPeer, socketPeer } from "../../support/peer.ts";

async function routerFor(options: StartOptions = {}) {
  const router = await startRouter({ ...options, settings: patient(options.settings) });
  onTestFinished(async () => {
    await router.stop(0);
  });
  return { router, surroundings: { env: { TAGWIRE_URL: router.url } } };
}

/** A message of which a busy machine could not write the outcome comes back after its lease. */
const PATIENCE = ["--wait", "90"];
const SMALL = ["load", "--sockets", "12", "--topics", "4", "--rate", "40", "--seconds", "1", ...PATIENCE];
const reportIn = ({ out }: { out: string }) => JSON.parse(out) as LoadReport;

test("every frame of every message is counted, and how soon it came", async () => {
  const { router, surroundings } = await routerFor();
  const done = await tagwire([...SMALL, "--json"], surroundings);
  expect(done).toMatchObject({ code: 0, err: "" });
  const report = reportIn(done);
  expect(report).toMatchObject({
    sockets: { asked: 12, open: 12, cut: 0 },
    messages: { posted: 40, accepted: 40, refused: 0, unknown: 0 },
    frames: { expected: 120, received: 120, lost: 0, repeated: 0, stray: 0 },
    interrupted: false,
  });
  expect(report.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(120);
  const { p50 = 0, p90 = 0, p99 = 0, max = 0 } = report.latency ?? {};
  expect([p50, p90, p99, max]).toEqual([p50, p90, p99, max].toSorted((a, b) => a - b));
  await router.spy.waitFor({ kind: "disconnected" }, { count: 12 });
  expect(router.spy.connections()).toEqual([]);
});

test("the report in words has a line for each matter and the histogram", async () => {
  const { surroundings } = await routerFor();
  const { out } = await tagwire(SMALL, surroundings);
  expect(out).toMatch(/^sockets {8}12 of 12 open, 0 cut; over 4 topics$/m);
  expect(out).toMatch(/^messages {7}40 posted in .* 40 accepted, 0 refused, 0 unknown$/m);
  expect(out).toMatch(/^frames {9}120, 120 expected; 0 lost, 0 repeated, 0 for another topic$/m);
  expect(out).toMatch(/^POST to frame {2}p50 \d+\.\d ms {2}p90 .* p99 .* max \d+\.\d ms$/m);
  expect(out).toMatch(/^ +≤ \d+ ms #+ +\d+$/m);
});

test("a frame that never comes is lost, and the command fails", async () => {
  const { router, surroundings } = await routerFor();
  const running = start([...SMALL, "--wait", "8"], surroundings);
  await router.spy.waitFor({ kind: "connected" }, { count: 12 });
  const [first = ""] = router.spy.connections();
  router.spy.failSends(first, [413]);
  const { code, out, err } = await running.finished;
  expect({ code, err }).toEqual({ code: 1, err: "tagwire: 1 frames did not come\n" });
  expect(out).toContain("119, 120 expected; 1 lost, 0 repeated");
});

test("messages that the router refuses are counted by their code, and no frame is expected of them", async () => {
  const { surroundings } = await routerFor();
  const env = { ...surroundings.env, TAGWIRE_TOKEN: "" };
  const narrow = await tagwire(["token", "--user", "ann", "--subscribe", "*"], { env });
  const done = await tagwire([...SMALL, "--json"], { env: { ...env, TAGWIRE_TOKEN: narrow.out.trim() } });
  expect(done.code).toBe(0);
  expect(reportIn(done)).toMatchObject({
    messages: { posted: 40, accepted: 0, refused: 40, codes: { TARGET_FORBIDDEN: 40 } },
    frames: { expected: 0, received: 0, lost: 0 },
  });
});

test("an interrupt ends it early, with a report of what there is", async () => {
  const { router, surroundings } = await routerFor();
  const running = start([...SMALL.slice(0, -1), "600", "--json"], surroundings);
  await router.spy.waitFor({ kind: "sent" }, { count: 20 });
  running.interrupt();
  const done = await running.finished;
  const report = reportIn(done);
  expect(done.code).toBe(0);
  expect(report.interrupted).toBe(true);
  expect(report.messages.posted).toBeLessThan(24_000);
  expect(report.frames.received).toBeGreaterThan(0);
});

test("a connection that is cut is counted, and its frames are not missed", async () => {
  const { router, surroundings } = await routerFor();
  const running = start([...SMALL, "--json"], surroundings);
  await router.spy.waitFor({ kind: "sent" });
  router.spy.kill(router.spy.connections().at(-1) ?? "");
  const done = await running.finished;
  expect(done.code).toBe(0);
  expect(reportIn(done)).toMatchObject({ sockets: { open: 12, cut: 1 }, frames: { expected: 110, lost: 0 } });
});

test("a frame that comes twice is told, and the command fails", async () => {
  const sockets: WebSocket[] = [];
  const peer = await socketPeer();
  const http = await httpPeer(({ body }) => {
    const posts = body as { id: string; target: object; data: unknown }[];
    for (const { id, target, data } of posts) {
      const text = JSON.stringify({ type: "message", id, target, data, time: "now" });
      for (const socket of sockets) for (const _ of [1, 2]) socket.send(text);
    }
    return { status: 202, body: posts.map(({ id }) => ({ id, state: "queued" })) };
  });
  const running = start(
    ["load", "--sockets", "2", "--topics", "1", "--rate", "5", "--seconds", "1", "--json"],
    {
      env: { TAGWIRE_URL: http.url, TAGWIRE_SOCKET_URL: peer.url.replace("http", "ws") },
    },
  );
  for (const _ of [1, 2]) {
    const { socket, frame } = await peer.next();
    sockets.push(socket);
    socket.send(JSON.stringify({ ...frame, type: "subscribed" }));
  }
  const done = await running.finished;
  expect(done).toMatchObject({ code: 1, err: "tagwire: 10 frames came more than once\n" });
  expect(reportIn(done)).toMatchObject({ frames: { expected: 10, received: 10, lost: 0, repeated: 10 } });
});

test.each([
  {
    why: "the router is not on this machine",
    argv: [],
    url: "https://router.example",
    says: "--yes-i-own-this",
  },
  {
    why: "its socket is not on this machine",
    argv: [],
    socketUrl: "wss://router.example",
    says: "--yes-i-own-this",
  },
  {
    why: "no socket opens",
    argv: [],
    says: "no socket opened: cannot reach ws://127.0.0.1:9: ECONNREFUSED",
    exit: 1,
  },
  {
    why: "there are more topics than sockets",
    argv: ["--topics", "13"],
    says: "13 topics need as many sockets",
  },
  { why: "it would never end", argv: ["--rate", "10000", "--seconds", "3600"], says: "at most" },
  { why: "there is nothing to open", argv: ["--sockets", "0"], says: "1 to 50000" },
])("it is refused when $why", async ({
  argv,
  says,
  url = "http://127.0.0.1:9",
  socketUrl = "",
  exit = 2,
}) => {
  const env = { TAGWIRE_URL: url, TAGWIRE_SOCKET_URL: socketUrl };
  const { code, out, err } = await tagwire([...SMALL, ...argv], { env });
  expect({ code, out }).toEqual({ code: exit, out: "" });
  expect(err).toContain(says);
});
