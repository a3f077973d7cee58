import { expect, test } from "vitest";
import { problem } from "../../shared/protocol/errors.ts";
import { tagwire } from "../support/command.ts";
import { httpPeer } from "../support/peer.ts";

/** A router that gives these answers, one after the other. */
async function router(...answers: readonly { readonly closed: number; readonly more: boolean }[]) {
  let next = 0;
  const peer = await httpPeer(() => ({ status: 200, body: answers[next++] ?? expect.fail() }));
  const disconnect = (...args: string[]) =>
    tagwire(["disconnect", ...args], { env: { TAGWIRE_URL: peer.url } });
  const asked = () => peer.requests.map(({ method, path }) => `${method} ${path}`);
  return { disconnect, asked };
}

test.each([
  { args: ["--user", "ann"], path: "/v1/users/ann/connections" },
  { args: ["--user", "a/b c"], path: "/v1/users/a%2Fb%20c/connections" },
  { args: ["--connection", "Zx3k/QcLPjo="], path: "/v1/connections/Zx3k%2FQcLPjo%3D" },
  {
    args: ["--user", "ann", "--before", "2026-01-31T12:00:00+01:00"],
    path: "/v1/users/ann/connections?before=2026-01-31T12%3A00%3A00%2B01%3A00",
  },
])("disconnect $args asks the router once, and says how many it closed", async ({ args, path }) => {
  const { disconnect, asked } = await router({ closed: 1, more: false });
  expect(await disconnect(...args)).toEqual({ code: 0, out: "closed 1 connection\n", err: "" });
  expect(asked()).toEqual([`DELETE ${path}`]);
});

test("it asks again as long as there are more, also after a request that closed none", async () => {
  const answers = [
    { closed: 100, more: true },
    { closed: 0, more: true },
    { closed: 3, more: false },
  ];
  const { disconnect, asked } = await router(...answers);
  expect(await disconnect("--user", "ann")).toMatchObject({ code: 0, out: "closed 103 connections\n" });
  expect(asked()).toHaveLength(3);
});

test("--json prints the number", async () => {
  const { disconnect } = await router({ closed: 0, more: false });
  expect(JSON.parse((await disconnect("--user", "ann", "--json")).out)).toEqual({ closed: 0 });
});

test.each([
  { args: [] },
  { args: ["--user", "ann", "--connection", "c="] },
])("a command line that names neither or both is wrong: $args", async ({ args }) => {
  const { disconnect, asked } = await router();
  expect(await disconnect(...args)).toMatchObject({
    code: 2,
    err: "tagwire: name either --user or --connection\n",
  });
  expect(asked()).toEqual([]);
});

test("a refusal is told with its code", async () => {
  const body = problem({ code: "DISCONNECT_FORBIDDEN", detail: "no" });
  const { url } = await httpPeer(() => ({ status: 403, body }));
  const done = await tagwire(["disconnect", "--user", "ann"], { env: { TAGWIRE_URL: url } });
  expect(done).toMatchObject({ code: 1, err: expect.stringContaining("DISCONNECT_FORBIDDEN: no") });
});
