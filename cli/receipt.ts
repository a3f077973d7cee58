import type { Command } from "commander";
import type { Receipt } from "../shared/receipts/receipt.ts";
import type { Io } from "./io.ts";
import { call, granted } from "./router.ts";
import { list } from "./table.ts";

/** `tagwire receipt`: tells what became of a message. */
export function receiptVerb(program: Command, io: Io): void {
  program
    .command("receipt")
    .description("show what became of a message")
    .argument("<id>", "the message's id")
    .option("--producer <user>", "who posted it, if not you; needs an admin token")
    .action(async (id: string, { producer }: { producer?: string }, command: Command) => {
      const body = granted(await call(io, "GET", messagePath(id, producer)));
      const { json } = command.optsWithGlobals();
      io.stdout.write(json ? `${JSON.stringify(body)}\n` : describe(body as Receipt));
    });
}

/** Where the router keeps a message's receipt. */
export const messagePath = (id: string, producer?: string): string =>
  `v1/messages/${encodeURIComponent(id)}${producer === undefined ? "" : `?producer=${encodeURIComponent(producer)}`}`;

function describe(receipt: Receipt): string {
  const { counts, failed = [] } = receipt;
  return list([
    ["state", receipt.state],
    ["reason", receipt.reason],
    [
      "connections",
      `${counts.sent} sent, ${counts.gone} gone, ${counts.failed} failed, ${counts.pending} pending`,
    ],
    ["failed", failed.length > 0 ? failed.join(" ") : undefined],
    ["attempts", receipt.attempts],
    ["jobs", receipt.jobs],
    ["producer", receipt.producer],
    ["accepted", receipt.time],
    ["updated", receipt.updatedAt],
  ]);
}
