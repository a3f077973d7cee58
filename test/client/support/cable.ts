import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a router that a test cuts, freezes and takes away. */
export interface Cable {
  readonly port: number;
  /** Breaks all connections, as a lost network or a restart does. */
  cut(): void;
  /** From now on nothing goes through the present connections, and nobody is told. */
  freeze(): void;
  /** Refuses new connections until it is called with false. */
  refuse(isRefusing: boolean): void;
  close(): void;
}

export async function cable(port: number): Promise<Cable> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isRefusing = false;
  const server = createServer((near) => {
    if (isRefusing) return void near.resetAndDestroy();
    const far = connect(port, "127.0.0.1");
    const pair = [near, far] as const;
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const side of pair) {
      side.setNoDelay(true);
      side.on("error", () => {});
      side.on("close", () => {
        // A frozen pair keeps its other side as it is.
        if (!pairs.delete(pair)) return;
        for (const each of pair) each.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const frozen: Socket[] = [];
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const pair of pairs) for (const side of pair) side.resetAndDestroy();
    },
    freeze() {
      for (const pair of pairs) {
        pairs.delete(pair);
        for (const side of pair) side.unpipe().resume();
        frozen.push(...pair);
      }
    },
    refuse(refusing) {
      isRefusing = refusing;
    },
    close() {
      server.close();
      for (const side of [...frozen, ...[...pairs].flat()]) side.destroy();
    },
  };
}
