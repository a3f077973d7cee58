import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { command, tagwire } from "../support/command.ts";
import { httpPeer, socketPeer } from "../support/peer.ts";

test("--url and --token name the router and the token, before or after the verb, in the place of their variables", async () => {
  const { url, requests } = await httpPeer(() => ({ status: 200, body: { state: "cancelled" } }));
  const env = { TAGWIRE_URL: "http://127.0.0.1:1", TAGWIRE_TOKEN: "of-the-variable" };
  const orders = [
    ["--url", url, "--token", "t-1", "cancel", "m-1"],
    ["cancel", "m-1", "--url", url, "--token", "t-1"],
  ];
  for (const argv of orders) expect(await tagwire(argv, { env })).toMatchObject({ code: 0, err: "" });
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer t-1", "Bearer t-1"]);
});

test("--socket-url names the WebSocket", async () => {
  const peer = await socketPeer();
  const socketUrl = peer.url.replace("http", "ws");
  const argv = ["listen", "--url", "https://router.example", "--socket-url", socketUrl, "--topic", "orders"];
  const { child } = command(argv);
  expect((await peer.next()).frame).toMatchObject({ type: "subscribe", topics: ["orders"] });
  child.kill();
});

test("the grant stands under the claim that --claim or TAGWIRE_CLAIM names", async () => {
  const claim = "https://acme.example/tagwire";
  const argv = ["token", "--user", "ann", "--subscribe", "orders"];
  const byOption = await tagwire([...argv, "--claim", claim], { env: { TAGWIRE_CLAIM: "other" } });
  const byVariable = await tagwire(argv, { env: { TAGWIRE_CLAIM: claim } });
  for (const { out } of [byOption, byVariable])
    expect(decodeJwt(out.trim())).toMatchObject({ sub: "ann", [claim]: { subscribe: ["orders"] } });
});

test.each([
  "bash",
  "zsh",
  "fish",
])("completion prints a script for %s that asks the command itself", async (shell) => {
  const { child, finished } = command(["completion", shell]);
  child.stdin.end();
  const [code, out] = await finished;
  expect(code).toBe(0);
  expect(out).toContain("tagwire complete --");
});

test.each([
  { typed: ["dead"], offers: "dead-letters" },
  { typed: ["dead-letters", "re"], offers: "redrive" },
  { typed: ["send", "--prio"], offers: "--priority" },
])("completion of $typed offers $offers", async ({ typed, offers }) => {
  const { child, finished } = command(["complete", "--", ...typed]);
  child.stdin.end();
  const [code, out] = await finished;
  expect(code).toBe(0);
  expect(out).toContain(offers);
});
