import { expect, test } from "vitest";
import { progress } from "../../cli/progress.ts";

function terminal(isTTY: boolean) {
  const written: string[] = [];
  const stderr = { isTTY, write: (text: string) => written.push(text) };
  let time = 0;
  const advance = (milliseconds: number) => {
    time += milliseconds;
  };
  return { written, io: { stderr, now: () => time }, advance };
}

test("the bar fills up, is drawn ten times a second at most, and is wiped in the end", () => {
  const { written, io, advance } = terminal(true);
  const bar = progress(io);
  bar.show(0, 4, "none of 4");
  bar.show(1, 4, "one of 4");
  advance(100);
  bar.show(2, 4, "2 of 4");
  advance(100);
  bar.show(9, 4, "9 of 4");
  bar.end();
  expect(written).toEqual([
    "\r\x1b[K[------------------------] none of 4",
    "\r\x1b[K[############------------] 2 of 4",
    "\r\x1b[K[########################] 9 of 4",
    "\r\x1b[K",
  ]);
});

test.each([
  { where: "no terminal", isTTY: false, quiet: false },
  { where: "a terminal, but asked to be quiet", isTTY: true, quiet: true },
])("nothing is drawn on $where", ({ isTTY, quiet }) => {
  const { written, io } = terminal(isTTY);
  const bar = progress(io, quiet);
  bar.show(1, 2, "half");
  bar.end();
  expect(written).toEqual([]);
});
