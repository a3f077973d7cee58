import { expect, test } from "vitest";
import type { Entry, MessageQueue } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { readBody } from "../../shared/receipts/job-body.ts";
import { aJob } from "../support/message.ts";

export interface QueueUnderTest {
  readonly queue: MessageQueue;
  /** The bodies that a consumer could receive now. */
  bodies(lane: Lane): Promise<readonly string[]>;
  deadLetters(): Promise<
    readonly { readonly body: string; readonly reason: string; readonly lane: string }[]
  >;
}

/** What every MessageQueue owes its callers, whatever it is made of. Each test gets an empty one. */
export function messageQueueContract(open: () => Promise<QueueUnderTest>): void {
  const entries = (count: number, data: unknown = "x"): Entry[] =>
    Array.from({ length: count }, (_, i) => ({ job: aJob({ acceptanceId: `a-${i}`, data }) }));
  const jobs = async ({ bodies }: QueueUnderTest, lane: Lane) =>
    (await bodies(lane))
      .map(readBody)
      .flatMap((body) => (body.kind === "job" ? [body.job] : []))
      .toSorted((a, b) => placeOf(a) - placeOf(b));
  const placeOf = ({ message }: Job) => Number(message.acceptanceId.replace(/\D/g, ""));

  test("carries a job as it is, in its lane and no other", async () => {
    const under = await open();
    const job = { ...aJob({ event: "e", expiresAt: 5 }), range: { from: "00000000", to: "80000000" } };
    expect(await under.queue.send("fanout-normal", [{ job }])).toEqual([true]);
    expect(await jobs(under, "fanout-normal")).toEqual([job]);
    expect(await under.bodies("normal")).toEqual([]);
  });

  test("sends nothing where there is nothing", async () => {
    const under = await open();
    expect(await under.queue.send("low", [])).toEqual([]);
  });

  test("carries more entries than one call may hold", async () => {
    const under = await open();
    const sent = entries(25);
    expect(await under.queue.send("high", sent)).toEqual(sent.map(() => true));
    expect(await jobs(under, "high")).toEqual(sent.map(({ job }) => job));
  });

  test("carries more bytes than one call may hold", async () => {
    const under = await open();
    const sent = entries(10, "x".repeat(130_000));
    expect(await under.queue.send("high", sent)).toEqual(sent.map(() => true));
    expect(await jobs(under, "high")).toHaveLength(10);
  });

  test("an entry that is too large is refused alone", async () => {
    const under = await open();
    const [first, last] = entries(2) as [Entry, Entry];
    const large = { job: aJob({ data: "x".repeat(1_048_576) }) };
    expect(await under.queue.send("normal", [first, large, last])).toEqual([true, false, true]);
    expect(await jobs(under, "normal")).toEqual([first.job, last.job]);
  });

  test("carries any text, of any producer", async () => {
    const under = await open();
    const data = "emoji 🎉, \ufffe\uffff, lone \ud800, \u0000\u007f\u0085\u2028";
    const sent = ["王芳", "a/b#c@d|e", "x".repeat(128)].map((producer, i) => ({
      job: aJob({ producer: producer as UserId, acceptanceId: `a-${i}`, data, event: data }),
    }));
    expect(await under.queue.send("normal", sent)).toEqual([true, true, true]);
    expect(await jobs(under, "normal")).toEqual(sent.map(({ job }) => job));
  });

  test("shows an entry with a delay to nobody before it is due, and counts it as held by the lane", async () => {
    const under = await open();
    const [now, later] = entries(2) as [Entry, Entry];
    const before = await under.queue.backlog("normal");
    expect(await under.queue.send("normal", [now, { ...later, delaySeconds: 900 }])).toEqual([true, true]);
    expect(await under.queue.backlog("normal")).toBe(before + 2);
    expect(await jobs(under, "normal")).toEqual([now.job]);
  });

  test("counts what waits in a lane", async () => {
    const under = await open();
    const before = await under.queue.backlog("normal");
    await under.queue.send("normal", entries(12));
    expect(await under.queue.backlog("normal")).toBe(before + 12);
    expect(await under.queue.backlog("low")).toBe(0);
  });

  test("takes no offence at a receipt handle that is not valid any more", async () => {
    const { queue } = await open();
    await expect(queue.changeVisibility("normal", "long-gone", 30)).resolves.toBeUndefined();
  });

  test("a dead letter may hold what SQS refuses, as JSON", async () => {
    const under = await open();
    const body = JSON.stringify({ data: "\ufffe\uffff" });
    await under.queue.deadLetter("low", body, "503");
    const [letter] = await under.deadLetters();
    expect(JSON.parse(letter?.body ?? "")).toEqual({ data: "\ufffe\uffff" });
  });

  test("dead-letters a body with its reason and its lane", async () => {
    const under = await open();
    await under.queue.deadLetter("low", "not json", "BODY_NOT_JSON: the text is not JSON");
    expect(await under.deadLetters()).toEqual([
      { body: "not json", reason: "BODY_NOT_JSON: the text is not JSON", lane: "low" },
    ]);
  });

  test.each([
    { what: "control characters", reason: "got \u0000\u0001\u001f" },
    { what: "half a character", reason: "got \ud83d" },
    { what: "no characters", reason: "got \ufffe\uffff" },
    { what: "thousands of characters", reason: "x".repeat(50_000) },
    { what: "an emoji where it is cut", reason: `${"x".repeat(999)}🎉` },
    { what: "nothing", reason: "" },
  ])("a reason of $what does not prevent a body from being dead-lettered", async ({ reason }) => {
    const under = await open();
    await under.queue.deadLetter("normal", "{}", reason);
    const [deadLetter] = await under.deadLetters();
    expect(deadLetter?.body).toBe("{}");
    expect(deadLetter?.reason.length).toBeGreaterThan(0);
  });
}
