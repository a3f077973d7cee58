import { expect, test } from "vitest";
import { ERRORS, messageOf, problem, TagwireError } from "../../shared/protocol/errors.ts";

test("a problem document has its code in its type, and the title and status of the code", () => {
  expect(problem({ code: "LANE_FULL", detail: "the lane is full", retryAfter: 3 })).toEqual({
    type: "urn:tagwire:error:LANE_FULL",
    ...ERRORS.LANE_FULL,
    code: "LANE_FULL",
    detail: "the lane is full",
    retryAfter: 3,
  });
});

test.each([
  { fault: new TypeError("no such table"), says: "no such table" },
  { fault: "a text", says: "a text" },
  { fault: undefined, says: "undefined" },
])("$fault says $says", ({ fault, says }) => {
  expect(messageOf(fault)).toBe(says);
});

test("a fault of ours has a name, a code and the foreign error as its cause", () => {
  const cause = new Error("socket hang up");
  const fault = new TagwireError("QUEUE_UNAVAILABLE", "not sent", { cause });
  expect(fault).toMatchObject({
    name: "TagwireError",
    code: "QUEUE_UNAVAILABLE",
    message: "not sent",
    cause,
  });
});
