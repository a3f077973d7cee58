import fc from "fast-check";
import { expect, test } from "vitest";
import { traceparentFrom } from "../../shared/protocol/traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

test.each([
  { header: `00-${TRACE}-${PARENT}-01`, gives: `00-${TRACE}-${PARENT}-01` },
  { header: `00-${TRACE}-${PARENT}-00`, gives: `00-${TRACE}-${PARENT}-00` },
  // Of another version only what version 00 knows is passed on.
  { header: `01-${TRACE}-${PARENT}-03`, gives: `00-${TRACE}-${PARENT}-01` },
  { header: `01-${TRACE}-${PARENT}-ff`, gives: `00-${TRACE}-${PARENT}-01` },
  { header: `01-${TRACE}-${PARENT}-fe`, gives: `00-${TRACE}-${PARENT}-00` },
  { header: `cc-${TRACE}-${PARENT}-02-what-the-future-adds`, gives: `00-${TRACE}-${PARENT}-00` },
])("$header is passed on as $gives", ({ header, gives }) => {
  expect(traceparentFrom(header)).toBe(gives);
});

// The cases of the test suite of W3C Trace Context.
test.each([
  { why: "there is none", header: undefined },
  { why: "it is empty", header: "" },
  { why: "the trace id is zero", header: `00-${"0".repeat(32)}-${PARENT}-01` },
  { why: "the parent id is zero", header: `00-${TRACE}-${"0".repeat(16)}-01` },
  { why: "the version is ff", header: `ff-${TRACE}-${PARENT}-01` },
  { why: "version 00 goes on", header: `00-${TRACE}-${PARENT}-01-what` },
  { why: "it has capitals", header: `00-${TRACE.toUpperCase()}-${PARENT}-01` },
  { why: "the trace id is short", header: `00-${TRACE.slice(1)}-${PARENT}-01` },
  { why: "the parent id is long", header: `00-${TRACE}-${PARENT}0-01` },
  { why: "the flags are no hex", header: `00-${TRACE}-${PARENT}-0x` },
  { why: "a later version goes on without a dash", header: `cc-${TRACE}-${PARENT}-01.what` },
  { why: "two headers were joined", header: `00-${TRACE}-${PARENT}-01,00-${TRACE}-${PARENT}-01` },
])("a header is ignored if $why", ({ header }) => {
  expect(traceparentFrom(header)).toBeUndefined();
});

test("whatever is passed on is valid, and is passed on as it is from then on", () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
  const header = fc
    .tuple(hex(2), hex(32), hex(16), hex(2), fc.constantFrom("", "-", "-x", "x"))
    .map(([version, trace, parent, flags, rest]) => `${version}-${trace}-${parent}-${flags}${rest}`);
  fc.assert(
    fc.property(header, (text) => {
      const given = traceparentFrom(text);
      if (given === undefined) return;
      expect(given).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
      expect(traceparentFrom(given)).toBe(given);
      expect(given.slice(3, 52)).toBe(text.slice(3, 52));
    }),
  );
});
