import { isObject } from "../../server/request.ts";
import { targetText } from "../../shared/protocol/target.ts";
import { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { list as lines } from "../table.ts";
import { laneOf, plain, toJson, toLine } from "./parsed-dead-letter.ts";
import { type Chosen, type Selection, select } from "./select.ts";

/** Prints one line per dead letter that matches. */
export async function list(io: Io, selection: Selection, json: boolean): Promise<void> {
  let count = 0;
  await select(io, selection, async (chosen) => {
    for (const { deadLetter, reason } of chosen) {
      io.stdout.write(
        json ? `${JSON.stringify(toJson(deadLetter, reason))}\n` : `${toLine(deadLetter, reason)}\n`,
      );
    }
    count += chosen.length;
    return [];
  });
  if (!json) io.stderr.write(`${count} dead letters\n`);
}

/** Prints the dead letters that match in full, with their receipts. */
export async function show(io: Io, selection: Selection, json: boolean): Promise<void> {
  let count = 0;
  await select(io, selection, async (chosen) => {
    for (const each of chosen) {
      const receipt = await selection.lookup(each.deadLetter);
      const { job, body } = each.deadLetter;
      const whole = {
        ...toJson(each.deadLetter, each.reason),
        ...(job ? { message: job.message } : { body }),
      };
      if (json) io.stdout.write(`${JSON.stringify({ ...whole, ...(receipt ? { receipt } : {}) })}\n`);
      else io.stdout.write(`${count > 0 ? "\n" : ""}${describe(each, receipt)}`);
      count += 1;
    }
    return [];
  });
  if (count === 0) throw new Failure(`no dead letter has the id ${selection.filter.id}`);
}

function describe(
  { deadLetter, reason }: Chosen,
  receipt: Readonly<Record<string, unknown>> | undefined,
): string {
  const { job, sentAt, entryId, body } = deadLetter;
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  const counts = isObject(receipt?.counts) ? receipt.counts : undefined;
  const common: [string, string][] = [
    ["reason", reason ?? "unknown"],
    ["sent", time(sentAt)],
    ["entry", entryId],
  ];
  const rows: [string, string | undefined][] = job
    ? [
        ["id", job.message.id],
        ["producer", job.message.producer],
        ["target", targetText(job.message.target)],
        ["event", job.message.event],
        ["lane", laneOf(deadLetter, job)],
        ["range", job.range && `${job.range.from} to ${job.range.to}`],
        ...common,
        ["accepted", job.message.time],
        ["expires", job.message.expiresAt === undefined ? undefined : time(job.message.expiresAt)],
        ["receipt", receipt && `${receipt.state}, ${counts?.sent} sent, ${counts?.pending} pending`],
        ["data", JSON.stringify(job.message.data)],
      ]
    : [...common, ["body", body]];
  return lines(rows.map(([name, value]) => [name, value && plain(value)]));
}
