import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Level, log } from "../../local/log.ts";

const NOW = Date.UTC(2026, 0, 31, 12, 30, 15, 7);

function written(level: Level, isTerminal = false) {
  const texts: string[] = [];
  return { texts, ...log({ level, isTerminal, now: () => NOW, output: (text) => texts.push(text) }) };
}

const WARNING = JSON.stringify({ level: "WARN", service: "consume", message: "lane full", lane: "low" });

test("a record is one line of JSON, whoever wrote it, and the lines of a turn are written together", async () => {
  const { texts, write, read, note } = written("info");
  write("error", "certificate not read again", { fault: "two\nlines" });
  read(WARNING);
  read("no JSON");
  note?.("message delivered", { id: "a", sent: 1 });
  expect(texts).toEqual([]);
  await turn();
  expect(texts).toHaveLength(1);
  const time = "2026-01-31T12:30:15.007Z";
  expect(
    texts[0]
      ?.trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { time, level: "ERROR", message: "certificate not read again", fault: "two\nlines" },
    { time, level: "WARN", message: "lane full", service: "consume", lane: "low" },
    { time, level: "INFO", message: "no JSON" },
    { time, level: "INFO", message: "message delivered", id: "a", sent: 1 },
  ]);
});

test.each([
  { level: "info", messages: ["e", "w", "i"] },
  { level: "warn", messages: ["e", "w"] },
  { level: "error", messages: ["e"] },
] as const)("at $level the records are $messages", ({ level, messages }) => {
  const { texts, write, flush, note } = written(level);
  write("error", "e");
  write("warn", "w");
  write("info", "i");
  flush();
  expect(
    texts
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).message),
  ).toEqual(messages);
  expect(note !== undefined).toBe(level === "info");
});

test("on a terminal a record is a line to read", () => {
  const { texts, read, note, flush } = written("info", true);
  read(WARNING);
  note?.("message delivered", { id: "a", producer: "ann smith", sent: 1, reason: 'a "b"', user: undefined });
  flush();
  expect(texts).toEqual([
    '12:30:15 WARN  lane full service=consume lane=low\n12:30:15 INFO  message delivered id=a producer="ann smith" sent=1 reason="a \\"b\\""\n',
  ]);
});
