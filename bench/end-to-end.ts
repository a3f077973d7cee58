import { Agent, request } from "undici";
import { type Latency, latency } from "../cli/load/latency.ts";
import { open } from "../cli/load/socket.ts";
import { signToken } from "../testing/sign-token.ts";
import { startChild } from "./child.ts";
import type { BenchReport } from "./report.ts";
import type { RouterReady } from "./server/router.ts";

/** Sockets per message; messages that are timed one by one; messages in flight at once for the rate. */
const SHAPES = [
  { sockets: 1, alone: 300, atOnce: 50 },
  { sockets: 100, alone: 100, atOnce: 20 },
  { sockets: 2_000, alone: 20, atOnce: 4 },
] as const;
type Shape = (typeof SHAPES)[number];

/** Milliseconds that messages are posted for the rate. */
const WINDOW = 5_000;

const SIDES = [
  { name: "one process, nothing kept", server: "broadcast", control: true },
  { name: "Tagwire", server: "router", control: false },
] as const;

/** Messages per second and time from POST to frame, over real sockets. */
export async function endToEnd(): Promise<BenchReport> {
  const rows: BenchReport["rows"][number][] = [];
  const bars: BenchReport["chart"]["bars"][number][] = [];
  for (const { name, server, control } of SIDES) {
    const child = await startChild<RouterReady>(server);
    for (const shape of SHAPES) {
      const { rate, took } = await measure(child.ready, shape);
      const { p50 = Number.NaN, p99 = Number.NaN } = took.percentiles() ?? {};
      const label = `${name}: 1 → ${shape.sockets.toLocaleString("en-US")}`;
      rows.push({ control, cells: [label, rate, rate * shape.sockets, p50, p99] });
      bars.push({ label, value: rate * shape.sockets, control });
    }
    await child.stop();
  }
  return {
    name: "end-to-end",
    title: "From POST to frame",
    method:
      "The local router in one process with everything it stands on (the functions, fauxqs for SQS, dynalite for DynamoDB, the " +
      "gateway), clients in another, real sockets. Latency is of messages posted one at a time, over all their frames. The rate is " +
      "of messages under way all the time: 50, 20 and 4 by shape, for five seconds, counted when every frame has come. " +
      "The request quota is set out of reach, so that the rate limiter waits for nothing. The control is one process that sends what " +
      "is posted straight to its sockets. It says what the machine can do, not what it costs to keep a promise: this is " +
      "all of a router on one core, and an account has many.",
    packages: ["ws", "fauxqs", "dynalite"],
    columns: ["1 message → sockets", "messages/s", "frames/s", "p50 ms", "p99 ms"],
    rows,
    invariants: [],
    chart: { title: "Frames per second", bars, logarithmic: true },
  };
}

async function measure({ url, socketUrl }: RouterReady, shape: Shape) {
  const topic = `bench/${shape.sockets}`;
  const token = await signToken({ sub: "bench", publish: ["topic:*"], subscribe: ["*"] });
  const under = new Map<string, (took: number) => void>();
  const sockets: (() => Promise<void>)[] = [];
  for (let at = 0; at < shape.sockets; at += 50) {
    const some = Array.from({ length: Math.min(50, shape.sockets - at) }, () =>
      open({
        url: new URL(socketUrl),
        token,
        topic,
        onMessage: (id) => under.get(id)?.(performance.now()),
        onCut() {
          throw new Error("a socket was cut");
        },
      }),
    );
    sockets.push(...(await Promise.all(some)));
  }

  const agent = new Agent({ connections: shape.atOnce });
  let posted = 0;
  /** Posts a message; resolves when all its frames have come. */
  const deliver = async (took?: Latency): Promise<void> => {
    const id = `${shape.sockets}:${++posted}`;
    const began = performance.now();
    let left = shape.sockets;
    const all = new Promise<void>((resolve) => {
      under.set(id, (at) => {
        took?.record(at - began);
        if (--left === 0) resolve();
      });
    });
    const { statusCode, body } = await request(`${url}/v1/messages`, {
      method: "POST",
      dispatcher: agent,
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({
        id,
        target: { topic },
        event: "order.shipped",
        data: { note: "x".repeat(489) },
      }),
    });
    await body.dump();
    if (statusCode !== 202) throw new Error(`a POST was answered with ${statusCode}`);
    await all;
    under.delete(id);
  };

  for (let i = 0; i < 10; i++) await deliver();
  const took = latency();
  for (let i = 0; i < shape.alone; i++) await deliver(took);
  let done = 0;
  const began = performance.now();
  const end = began + WINDOW;
  const line = async () => {
    while (performance.now() < end) {
      await deliver();
      done++;
    }
  };
  await Promise.all(Array.from({ length: shape.atOnce }, line));
  const rate = done / ((performance.now() - began) / 1000);
  await Promise.all(sockets.map((close) => close()));
  await agent.close();
  return { rate, took };
}
