import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ClientErrorCode, ClientEvents } from "../../client/index.ts";
import { ERRORS } from "../../shared/protocol/errors.ts";

// tsc holds these to the types: a code that is missing or unknown here does not compile.
const CODES = {
  CLOSED: 1,
  SIGNED_OUT: 1,
  REFUSED: 1,
  TOKEN_UNAVAILABLE: 1,
  UNREACHABLE: 1,
  CONNECTION_LOST: 1,
  NO_ANSWER: 1,
  GATEWAY: 1,
  FRAME_UNKNOWN: 1,
  HANDLER_FAILED: 1,
} satisfies Record<ClientErrorCode, 1>;
const EVENTS = { state: 1, recovered: 1, gap: 1, error: 1 } satisfies Record<keyof ClientEvents, 1>;

const PAGE = readFileSync(new URL("../../docs/client.md", import.meta.url), "utf8");
const words = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, word = ""]) => word);
/** The cells of the tables below a heading. */
const tables = (heading: string) =>
  (PAGE.split(`### ${heading}\n`)[1]?.split(/^##/m)[0] ?? "")
    .split(/\n\n/)
    .filter((part) => part.startsWith("|"))
    .map((table) =>
      table
        .split("\n")
        .slice(2)
        .map((row) => row.split(/ ?\| ?/).slice(1, -1)),
    );

test("docs/client.md lists exactly the codes there are, what has them, and of the router's only such as there are", () => {
  const [own = [], router = []] = tables("Codes");
  expect(own.map(([code = ""]) => words(code).join())).toEqual(Object.keys(CODES));
  expect(router.length).toBeGreaterThan(0);
  for (const code of router.flatMap(([codes = ""]) => words(codes))) expect(ERRORS).toHaveProperty(code);
  for (const [, of = "", why, act] of [...own, ...router]) {
    expect(["state", "error", "publish"]).toEqual(expect.arrayContaining(words(of)));
    expect([words(of).length > 0, why !== "", act !== ""]).toEqual([true, true, true]);
  }
});

test("docs/client.md lists exactly the events there are", () => {
  const rows = [...(PAGE.split("| event |")[1]?.split("\n\n")[0] ?? "").matchAll(/^\| `(\w+)` \|/gm)];
  expect(rows.map(([, type]) => type).sort()).toEqual(Object.keys(EVENTS).sort());
});
