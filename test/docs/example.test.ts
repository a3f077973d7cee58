import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Disconnected } from "../../shared/protocol/disconnected.ts";
import { ERRORS, type Problem, problem } from "../../shared/protocol/errors.ts";
import { parseFrame, type ServerFrame } from "../../shared/protocol/frame.ts";
import { identityOf } from "../../shared/protocol/grant.ts";
import { type Message, MessageId, PublishRequest } from "../../shared/protocol/message.ts";
import { type MessageFrame, messageFrame } from "../../shared/protocol/message-frame.ts";
import { parse } from "../../shared/protocol/parse.ts";
import { type History, SERVER_FRAMES } from "../../shared/protocol/server-frame.ts";
import { Target } from "../../shared/protocol/target.ts";
import { fold } from "../../shared/receipts/fold.ts";
import type { Ending, Receipt } from "../../shared/receipts/receipt.ts";
import { MESSAGE_PART } from "../../shared/receipts/row.ts";

const TEXT = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

type Fields = Readonly<Record<string, unknown>>;

/** What an example claims to be, told by its fields, and the real code's word on whether it is. */
const KINDS: readonly { is: (it: Fields) => boolean; check: (it: unknown) => void }[] = [
  { is: Array.isArray, check: (it) => (it as unknown[]).forEach(checkItem) },
  { is: (it) => "sub" in it, check: (it) => expect(identityOf(it as Fields)).toMatchObject({ ok: true }) },
  { is: (it) => "counts" in it, check: (it) => checkReceipt(it as Receipt) },
  { is: (it) => "state" in it, check: checkItem },
  { is: (it) => "status" in it, check: (it) => expect(problem(it as Problem)).toEqual(it) },
  { is: (it) => it.type === "message", check: (it) => checkMessage(it as MessageFrame) },
  { is: (it) => it.type === "error", check: (it) => expect(ERRORS).toHaveProperty((it as Problem).code) },
  { is: (it) => "gap" in it && !("type" in it), check: (it) => checkMessages(it as History) },
  {
    is: (it) => /^((un)?subscribed|pong)$/.test(String(it.type)) || "gap" in it,
    check: (it) => checkReply(it as ServerFrame),
  },
  { is: (it) => "removed" in it, check: (it) => accepted(SERVER_FRAMES.token, it) },
  { is: (it) => "type" in it, check: (it) => expect(parseFrame(JSON.stringify(it)).ok).toBe(true) },
  { is: (it) => "closed" in it, check: (it) => accepted(Disconnected, it) },
  { is: (it) => "target" in it, check: (it) => accepted(PublishRequest, it) },
];

const examples = [...TEXT.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = ""]) => JSON.parse(json));

test.each(examples)("the example in docs/protocol.md is what the code takes and gives: %j", (example) => {
  const kind = KINDS.find(({ is }) => is(example));
  expect(kind, "an example of a known kind").toBeDefined();
  kind?.check(example);
});

const targets = [...TEXT.matchAll(/^\| `(\{.+?\})` \| /gm)].map(([, json = ""]) => JSON.parse(json));

test("all five kinds of target are shown, and each is one", () => {
  const kinds = targets.flatMap(Object.keys).sort();
  expect(kinds).toEqual(["connection", "everyone", "tags", "topic", "user"]);
  for (const target of targets) accepted(Target, target);
});

test("the bad fields of the examples are refused in the words of the code", () => {
  const post = { id: "a-2", target: { everyone: true }, data: 1, priority: "top" };
  const [, refused] = examples.find(Array.isArray) ?? [];
  expect(parse(PublishRequest, post, "MESSAGE_INVALID", "/1")).toMatchObject({
    refusal: { errors: refused.problem.errors },
  });
  const missing = examples.find((it) => it.code === "MESSAGE_INVALID");
  expect(parse(PublishRequest, { data: 1, prio: "high" }, "MESSAGE_INVALID")).toMatchObject({
    refusal: { detail: missing.detail, errors: missing.errors },
  });
});

function accepted(schema: Parameters<typeof parse>[0], input: unknown): void {
  expect(parse(schema, input, "MESSAGE_INVALID")).toMatchObject({ ok: true });
}

function checkItem(item: unknown): void {
  const { id, state, problem: reason } = item as { id: string; state: string; problem?: Problem };
  accepted(MessageId, id);
  if (state === "refused" && reason) expect(problem(reason)).toEqual(reason);
  else expect(item).toEqual({ id, state: "queued" });
}

/** Exactly one of `topic` and `to`, as the code makes them from a target. */
function checkMessage(frame: MessageFrame): void {
  const { seq, ...rest } = frame;
  const target = "topic" in frame ? { topic: frame.topic } : TARGETS[frame.to];
  expect(messageFrame({ ...frame, target } as unknown as Message)).toEqual(rest);
  expect(seq === undefined || Number.isSafeInteger(seq)).toBe(true);
}

const TARGETS = {
  connection: { connection: "a=" },
  user: { user: "ann" },
  tags: { tags: { all: ["region:gd"] } },
  everyone: { everyone: true },
};

/** A reply names what the request of the same ref asked for. */
function checkReply(reply: ServerFrame): void {
  if (!("topics" in reply || reply.type === "pong" || reply.type === "history")) throw new Error(reply.type);
  const type = reply.type === "pong" ? "ping" : reply.type.replace(/d$/, "");
  const asked = examples.find((it) => it.type === type && it.ref === reply.ref && !("gap" in it));
  expect(asked, `a ${type} with the ref ${reply.ref}`).toBeDefined();
  checkMessages(reply as Partial<History>);
  if (reply.type === "pong") {
    expect(Object.keys(reply.positions ?? {})).toEqual(Object.keys(asked.positions ?? {}));
  } else if (reply.type === "history") {
    expect(reply.topic).toBe(asked.topic);
  } else {
    expect([...reply.topics, ...(reply.refused ?? []).map(({ topic }) => topic)]).toEqual(asked.topics);
  }
}

function checkMessages({ messages = [] }: Partial<History>): void {
  for (const message of messages) checkMessage(message);
}

/** The receipt is what the code makes of a row that says the same. */
function checkReceipt(receipt: Receipt): void {
  const { counts, state, attempts, failed = [], ...rest } = receipt;
  const { sent, gone, failed: lost } = counts;
  const updatedAt = Date.parse(receipt.updatedAt);
  const row = {
    ...rest,
    v: 1,
    part: MESSAGE_PART,
    counts: { sent, gone, failed: lost },
    details: "run",
    ending: state as Ending,
    receive: attempts,
    updatedAt,
  };
  const details = new Map([[MESSAGE_PART, { pending: [], failed }]]);
  expect(fold([row], updatedAt, details)).toEqual(receipt);
}
