import type { Client, ConnectOptions } from "../../../client/api.ts";
import { connectOn } from "../../../client/client.ts";
import { type Runtime, surroundings } from "../../../client/runtime.ts";

/** A page that a schedule drives, in this process or in a browser. */
export interface Page {
  /** Numbers in the order in which they came. */
  got(): Promise<readonly number[]>;
  gaps(): Promise<readonly { since: number; position?: number }[]>;
  position(): Promise<number | undefined>;
  state(): Promise<string>;
  /** What was thrown past the client. */
  faults(): Promise<readonly string[]>;
  /** The network is back. */
  wake(): Promise<void>;
  /** The machine has slept for this long. */
  sleep(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

/** A client whose clock runs faster than that of the router, so that minutes of silence pass in a test. */
export function hastyPage(options: ConnectOptions, topic: string, speed: number): Page {
  const base = surroundings(options.WebSocket);
  const began = Date.now();
  let slept = 0;
  let wake = () => {};
  const runtime: Runtime = {
    ...base,
    now: () => began + (Date.now() - began) * speed + slept,
    after: (milliseconds, callback) => base.after(milliseconds / speed, callback),
    onWake(callback) {
      wake = callback;
      return () => {};
    },
    isHidden: () => false,
  };
  const got: number[] = [];
  const gaps: { since: number; position?: number }[] = [];
  const faults: string[] = [];
  const client: Client = connectOn(runtime, options);
  client.on("gap", (gap) => gaps.push(gap));
  client.on("error", ({ code, message }) => faults.push(`${code}: ${message}`));
  client.subscribe(topic, ({ seq = -1 }) => got.push(seq));
  return {
    got: async () => got,
    gaps: async () => gaps,
    position: async () => client.positions()[topic],
    state: async () => client.state,
    faults: async () => faults,
    wake: async () => wake(),
    sleep: async (milliseconds) => {
      slept += milliseconds;
    },
    close: async () => client.close(),
  };
}
