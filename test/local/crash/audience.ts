import { WebSocket } from "ws";
import { type Client, connect } from "../../../client/index.ts";
import { tokenFor } from "../../support/client.ts";
import { PLAIN, type Scene, STREAM } from "./scene.ts";

/** What one client saw. Times are milliseconds of `performance.now()`. */
export interface Witness {
  readonly user: string;
  /** Messages of the stream as they came: their numbers in it, their data, and the time of each. */
  readonly stream: (readonly [seq: number, n: number, at: number])[];
  /** Messages of the topic without a stream and to the user, with the time of each. */
  readonly others: Map<number, number>;
  /** Messages of those that came twice. */
  readonly twice: number[];
  /** When a frame of each message came, by its id: the client hands on only the first one. */
  readonly frames: Map<string, number[]>;
  readonly gaps: unknown[];
  readonly errors: string[];
  /** When it was connected: from, to. The last one is open. */
  readonly connected: { readonly from: number; to: number }[];
  readonly client: Client;
}

/** A client hears of a kill a moment before or after others do, in milliseconds. */
export const LATE = 100;

/** Connects one client for each user of the scene, with the stream, the topic and its own messages. */
export const audience = (scene: Scene): Promise<readonly Witness[]> =>
  Promise.all(scene.users.map((user) => witness(scene, user)));

async function witness({ url }: Scene, user: string): Promise<Witness> {
  const frames: Witness["frames"] = new Map();
  const client = connect({ url, token: () => tokenFor(user), WebSocket: heard(frames) });
  const it: Witness = {
    ...{ user, client, frames, stream: [], others: new Map(), twice: [] },
    ...{ gaps: [], errors: [], connected: [] },
  };
  const isConnected = new Promise<void>((resolve) => {
    client.on("state", ({ state }) => {
      const last = it.connected.at(-1);
      if (last?.to === Number.POSITIVE_INFINITY) last.to = performance.now();
      if (state !== "connected") return;
      it.connected.push({ from: performance.now(), to: Number.POSITIVE_INFINITY });
      resolve();
    });
  });
  client.on("gap", (gap) => it.gaps.push(gap));
  client.on("error", ({ code, message }) => it.errors.push(`${code}: ${message}`));
  const other = ({ data }: { data: unknown }) => {
    const n = Number(data);
    if (it.others.has(n)) it.twice.push(n);
    it.others.set(n, performance.now());
  };
  client.subscribe(STREAM, ({ seq = -1, data }) => it.stream.push([seq, Number(data), performance.now()]));
  client.subscribe(PLAIN, other);
  client.receive("user", other);
  await isConnected;
  return it;
}

/** A WebSocket that notes the messages which come live. */
const heard = (frames: Witness["frames"]) =>
  class extends WebSocket {
    constructor(...parameters: ConstructorParameters<typeof WebSocket>) {
      super(...parameters);
      this.on("message", (text) => {
        const { type, id } = JSON.parse(String(text)) as { type: string; id?: string };
        if (type === "message" && id !== undefined)
          frames.set(id, [...(frames.get(id) ?? []), performance.now()]);
      });
    }
  };
