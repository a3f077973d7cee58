import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { tagwire } from "../support/command.ts";
import { httpPeer } from "../support/peer.ts";

test("an empty TAGWIRE_CLAIM is as good as none: the grant stands under tagwire", async () => {
  const argv = ["token", "--user", "ann", "--subscribe", "orders"];
  const { out } = await tagwire(argv, { env: { TAGWIRE_CLAIM: "" } });
  expect(decodeJwt(out.trim())).toMatchObject({ sub: "ann", tagwire: { subscribe: ["orders"] } });
});

test("an empty TAGWIRE_TOKEN is as good as none: a token is signed", async () => {
  const { url, requests } = await httpPeer(() => ({ status: 200, body: { state: "cancelled" } }));
  const env = { TAGWIRE_URL: url, TAGWIRE_TOKEN: "" };
  expect(await tagwire(["cancel", "m-1"], { env })).toMatchObject({ code: 0 });
  const [, token = ""] = /^Bearer (\S+)$/.exec(String(requests[0]?.headers.authorization)) ?? [];
  expect(decodeJwt(token)).toMatchObject({ sub: "dev" });
});

test("a secret is as long as its bytes, not its characters", async () => {
  const argv = ["token", "--user", "ann"];
  expect(await tagwire(argv, { env: { TAGWIRE_SECRET: "ü".repeat(16) } })).toMatchObject({ code: 0 });
});
