import { expect, test } from "vitest";
import { streamBatch } from "../../../shared/pipeline/consume/stream-batch.ts";
import { append } from "../../../shared/pipeline/streams/append.ts";
import { messageFrame } from "../../../shared/protocol/message-frame.ts";
import type { Tag } from "../../../shared/protocol/tag.ts";
import { aMessageOf } from "../../support/consumer.ts";
import { framesOf, idsOf, ORDERS, oneStream, RETENTION, RUN, START } from "./support.ts";

/** The batch of a run for these messages of one stream. */
function batchOf(...ids: readonly string[]) {
  const under = oneStream();
  const read: Tag[] = [];
  const options = { stream: ORDERS, retention: RETENTION, run: RUN, onAppended: (of: Tag) => read.push(of) };
  const jobs = ids.map((id) => aMessageOf(id));
  const members = streamBatch(under.deps, options, jobs);
  const member = (index: number) => {
    const found = members[index];
    if (!found) throw new Error(`there is no member ${index}`);
    return found;
  };
  const frames = jobs.map(({ message }) => JSON.stringify(messageFrame(message)));
  const rows = () =>
    under.memory.rowsOf(ORDERS).flatMap(({ messages }) => {
      return messages.length > 0 ? [idsOf(messages.map((frame) => ({ frame })))] : [];
    });
  return { ...under, member, read, frames, rows };
}

/** All that can go on without a timer has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a batch is one row, which is appended when the last of its messages is decided", async () => {
  const { member, rows, read } = batchOf("a", "b", "c");
  const numbers = [member(0).append(), member(2).append()];
  await settled();
  expect(rows()).toEqual([]);
  expect(read).toEqual([]);
  member(1).leave();
  expect(await Promise.all(numbers)).toEqual([START, START + 1]);
  expect(rows()).toEqual([["a", "c"]]);
  expect(read).toEqual([ORDERS]);
});

test("a batch that all leave appends nothing", async () => {
  const { member, calls } = batchOf("a", "b");
  for (const index of [0, 1]) member(index).leave();
  await settled();
  expect(calls).toEqual([]);
});

test("a message that is to be appended does not leave any more, and one that left does not return", async () => {
  const { member, rows } = batchOf("a", "b", "c");
  const first = member(0).append();
  member(0).leave();
  member(1).leave();
  const second = member(1).append();
  const third = member(2).append();
  expect(await Promise.all([first, second, third])).toEqual([START, undefined, START + 1]);
  expect(rows()).toEqual([["a", "c"]]);
});

test("the head is read once for all claims of a batch, and is 0 if no head counts", async () => {
  const { member, calls, deps } = batchOf("a", "b");
  expect(await Promise.all([member(0).after(), member(1).after()])).toEqual([0, 0]);
  expect(calls).toEqual(["last"]);
  await append(deps, ORDERS, RETENTION, RUN, framesOf("x"));
  const later = batchOf("a");
  await append(later.deps, ORDERS, RETENTION, RUN, framesOf("x", "y"));
  expect(await later.member(0).after()).toBe(START + 1);
});

test("a message that an earlier run appended is found after the number that the run knew, 0 being the start", async () => {
  const { member, frames, deps } = batchOf("a", "b");
  expect(await member(0).find(0)).toBeUndefined();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("x"));
  await append(deps, ORDERS, RETENTION, RUN, frames);
  expect(await member(0).find(0)).toBe(START + 1);
  expect(await member(1).find(START)).toBe(START + 2);
  expect(await member(0).find(START + 1)).toBeUndefined();
});
