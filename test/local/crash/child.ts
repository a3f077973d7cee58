import type { Connection } from "../../../local/gateway/connection.ts";
import { ENGINE_LIMITS } from "../../../local/limits.ts";
import { machine } from "../../../local/machine/machine.ts";
import { startOn } from "../../../local/router.ts";
import { patient } from "../../support/patient.ts";

/**
 * A router over a folder, as `npm start` runs it, but for two things: its lanes wait for less time, and a frame of an
 * event `poison` ends the process before it leaves.
 */
const { TAGWIRE_DATA: data = "", PORT = "0", RECONNECT_SECONDS = "1", MAX_DATA_BYTES } = process.env;

const poisoned = (connection: Connection): Connection => ({
  ...connection,
  send(frame) {
    if (frame.toString().includes('"event":"poison"')) process.kill(process.pid, "SIGKILL");
    connection.send(frame);
  },
});

class Poisoned extends Map<string, Connection> {
  readonly #connections: ReadonlyMap<string, Connection>;
  constructor(connections: ReadonlyMap<string, Connection>) {
    super();
    this.#connections = connections;
  }
  override get(id: string): Connection | undefined {
    const connection = this.#connections.get(id);
    return connection && poisoned(connection);
  }
}

const backend = machine({
  data,
  reconnectSeconds: Number(RECONNECT_SECONDS),
  ...(MAX_DATA_BYTES === undefined ? {} : { maxDataBytes: Number(MAX_DATA_BYTES) }),
});
// The lanes cannot open by time before this; they may if all who were connected are back.
console.log(`opens ${Date.now() + Number(RECONNECT_SECONDS) * 1_000}`);
const router = await startOn(
  (world) => backend({ ...world, connections: new Poisoned(world.connections) }),
  {
    port: Number(PORT),
    settings: patient({
      streams: [{ topics: "kept/*", seconds: 86_400, count: 100_000 }],
      // A run that is late on a busy machine would back off by as many receives as there were processes.
      advanced: { functions: { consume: { timeoutSeconds: 900 } } },
    }),
    write: (line) => void (line.includes('"level":"ERROR"') && console.error(line)),
  },
  ENGINE_LIMITS,
);
console.log(`ready ${router.url}`);
process.on("SIGTERM", () => void router.stop().then(() => process.exit(0)));
