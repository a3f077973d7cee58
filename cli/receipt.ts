import type { Command } from "commander";
import type { Receipt } from "../shared/protocol/receipt.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { filled } from "./option.ts";
import { publisherFor } from "./router.ts";
import { list } from "./table.ts";

/** `tagwire receipt`: tells what became of a message. */
export function receiptVerb(program: Command, io: Io): void {
  program
    .command("receipt")
    .description("show what became of a message")
    .argument("<id>", "the message's id", filled)
    .option("--producer <user>", "who posted it, if not you; needs an admin token")
    .action(async (id: string, options: { producer?: string }, command: Command) => {
      const receipt = await (await publisherFor(io)).receipt(id, options);
      if (!receipt) throw new Failure(`RECEIPT_NOT_FOUND: no run has met ${id} yet, or it is unknown`);
      const { json } = command.optsWithGlobals();
      io.stdout.write(json ? `${JSON.stringify(receipt)}\n` : describe(receipt));
    });
}

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
