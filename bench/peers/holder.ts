import { messageOf } from "../../shared/protocol/errors.ts";
import { openMany } from "./audience.ts";
import { type Address, subscribe } from "./dialect.ts";
import { VARIANTS } from "./variants.ts";

/** Asks a holder for this many more idle sockets. */
export interface Hold {
  readonly variant: string;
  readonly address: Address;
  readonly sockets: number;
  readonly localAddress: string;
}

export interface Held {
  readonly held: number;
  readonly fault?: string;
}

/** Topics that the idle sockets share. */
const TOPICS = 100;

/* A process that holds idle sockets: one process may not open files enough for all of them. */
let held = 0;
let cut: number | undefined;
process.on("message", async ({ variant, address, sockets, localAddress }: Hold) => {
  try {
    const { dialect } = VARIANTS.find(({ name }) => name === variant) ?? {};
    if (!dialect) throw new Error(`no server is called ${variant}`);
    await openMany(sockets, async (i) => {
      await subscribe(dialect, {
        address,
        topics: [`idle-${i % TOPICS}`],
        localAddress,
        onMessage() {},
        onCut(code) {
          cut = code;
        },
      });
      held++;
    });
    if (cut !== undefined) throw new Error(`an idle socket was closed with ${cut}`);
    process.send?.({ held } satisfies Held);
  } catch (fault) {
    process.send?.({ held, fault: messageOf(fault) } satisfies Held);
  }
});
process.on("disconnect", () => process.exit());
