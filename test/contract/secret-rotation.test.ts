import { expect, test } from "vitest";
import { PREVIOUS_HOLDS, type ReadSecret, secretTokens } from "../../shared/adapters/jwt/secret-tokens.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { signToken } from "../../testing/sign-token.ts";

const OLD = "the-first-secret-of-thirty-two-bytes-or-more";
const NEW = "the-second-secret-of-thirty-two-bytes-or-more";
const THIRD = "the-third-secret-of-thirty-two-bytes-or-more";
const MINUTE = 60_000;

const good = { ok: true, value: { sub: "ann" } };
const invalid = { ok: false, refusal: { code: "TOKEN_INVALID" } };
const unavailable = { name: "TagwireError", code: "KEYS_UNAVAILABLE", cause: expect.any(Error) };

/** A warm container, and the secret it reads, whose versions are rotated as Secrets Manager does it. */
function container(secret = OLD) {
  const clock = memoryClock();
  const versions: Record<string, { text: string; createdAt: number } | undefined> = {
    AWSCURRENT: { text: secret, createdAt: clock.now() - 30 * PREVIOUS_HOLDS },
  };
  let reads = 0;
  let failure: Error | undefined;
  const read: ReadSecret = async (stage) => {
    reads++;
    if (failure) throw failure;
    return versions[stage];
  };
  let tokens = secretTokens(read, clock);
  let serial = 0;
  return {
    clock,
    reads: () => reads,
    rotate(text: string) {
      versions["AWSPREVIOUS"] = versions["AWSCURRENT"];
      versions["AWSCURRENT"] = { text, createdAt: clock.now() };
    },
    withdrawPrevious: () => {
      versions["AWSPREVIOUS"] = undefined;
    },
    fail: (fault?: Error) => {
      failure = fault;
    },
    restart: () => {
      tokens = secretTokens(read, clock);
    },
    verify: (token: string) => tokens.verify(token),
    /** A token that was not seen before. */
    sign: (key: string) =>
      signToken({ sub: "ann", serial: ++serial, exp: clock.now() / 1000 + 40 * 86_400 }, { secret: key }),
  };
}

test("the secret is read once for all tokens that it signed", async () => {
  const { verify, sign, reads } = container();
  const tokens = await Promise.all(Array.from({ length: 20 }, () => sign(OLD)));
  expect(await Promise.all(tokens.map(verify))).toMatchObject(tokens.map(() => good));
  expect(reads()).toBe(1);
});

test("while it rotates, a warm container takes tokens of both secrets", async () => {
  const { verify, sign, rotate, clock } = container();
  expect(await verify(await sign(OLD))).toMatchObject(good);
  clock.advance(MINUTE);
  rotate(NEW);
  expect(await verify(await sign(OLD))).toMatchObject(good);
  expect(await verify(await sign(NEW))).toMatchObject(good);
  expect(await verify(await sign(OLD))).toMatchObject(good);
});

test("while it rotates, a new container takes tokens of both secrets", async () => {
  const { verify, sign, rotate, restart } = container();
  rotate(NEW);
  restart();
  expect(await verify(await sign(OLD))).toMatchObject(good);
  expect(await verify(await sign(NEW))).toMatchObject(good);
});

test("a day after the rotation the old secret does not hold any more, in warm containers and new ones", async () => {
  const { verify, sign, rotate, restart, clock } = container();
  rotate(NEW);
  expect(await verify(await sign(OLD))).toMatchObject(good);
  clock.advance(PREVIOUS_HOLDS);
  expect(await verify(await sign(OLD))).toMatchObject(invalid);
  expect(await verify(await sign(NEW))).toMatchObject(good);
  restart();
  expect(await verify(await sign(OLD))).toMatchObject(invalid);
});

test("a previous secret that is withdrawn holds for eleven minutes at most, remembered tokens included", async () => {
  const { verify, sign, rotate, withdrawPrevious, clock } = container();
  rotate(NEW);
  const token = await sign(OLD);
  expect(await verify(token)).toMatchObject(good);
  clock.advance(9.5 * MINUTE);
  withdrawPrevious();
  expect(await verify(token)).toMatchObject(good);
  clock.advance(MINUTE);
  expect(await verify(token)).toMatchObject(invalid);
});

test("a secret that was rotated twice holds no longer", async () => {
  const { verify, sign, rotate, clock } = container();
  const token = await sign(OLD);
  expect(await verify(token)).toMatchObject(good);
  rotate(NEW);
  rotate(THIRD);
  clock.advance(MINUTE);
  expect(await verify(await sign(THIRD))).toMatchObject(good);
  expect(await verify(token)).toMatchObject(invalid);
  expect(await verify(await sign(NEW))).toMatchObject(good);
});

test("a flood of bad tokens is no flood of reads: one reading in 30 seconds", async () => {
  const { verify, sign, reads, clock } = container();
  expect(await verify(await sign(OLD))).toMatchObject(good);
  clock.advance(MINUTE);
  const before = reads();
  for (let second = 0; second < 60; second++) {
    const forged = await Promise.all([sign(NEW), sign(NEW), sign(NEW)]);
    for (const answer of await Promise.all(forged.map(verify))) expect(answer).toMatchObject(invalid);
    clock.advance(1_000);
  }
  expect(reads() - before).toBe(2);
});

test("tokens that are bad for another reason cause no read", async () => {
  const { verify, reads, clock } = container();
  await verify("abc");
  clock.advance(MINUTE);
  const before = reads();
  for (const token of ["abc", "a.b.c", `${"e30".repeat(3)}..`])
    expect(await verify(token)).toMatchObject(invalid);
  expect(reads() - before).toBe(0);
});

test("known secrets hold on while Secrets Manager cannot be reached", async () => {
  const { verify, sign, rotate, fail, reads, clock } = container();
  rotate(NEW);
  expect(await verify(await sign(NEW))).toMatchObject(good);
  fail(new Error("no route to host"));
  for (let minute = 0; minute < 90; minute++) {
    clock.advance(MINUTE);
    expect(await verify(await sign(NEW))).toMatchObject(good);
    expect(await verify(await sign(OLD))).toMatchObject(good);
  }
  expect(reads()).toBeLessThan(100);
});

test("while it cannot be read, a token of no known secret is not called bad: it may be of a new one", async () => {
  const { verify, sign, rotate, fail, clock } = container();
  expect(await verify(await sign(OLD))).toMatchObject(good);
  clock.advance(MINUTE);
  rotate(NEW);
  fail(new Error("no route to host"));
  await expect(verify(await sign(NEW))).rejects.toMatchObject(unavailable);
  await expect(verify(await sign(NEW))).rejects.toMatchObject(unavailable);
  fail();
  clock.advance(MINUTE);
  expect(await verify(await sign(NEW))).toMatchObject(good);
});

test("a secret that could never be read is read again after a second", async () => {
  const { verify, sign, fail, reads, clock } = container();
  fail(new Error("no such secret"));
  for (let i = 0; i < 5; i++) await expect(verify(await sign(OLD))).rejects.toMatchObject(unavailable);
  expect(reads()).toBe(1);
  fail();
  clock.advance(1_000);
  expect(await verify(await sign(OLD))).toMatchObject(good);
});

test("a clock that is set back puts no reading off and keeps no token longer", async () => {
  const { verify, sign, rotate, clock } = container();
  const token = await sign(OLD);
  expect(await verify(token)).toMatchObject(good);
  rotate(NEW);
  rotate(THIRD);
  clock.advance(-60 * MINUTE);
  expect(await verify(await sign(THIRD))).toMatchObject(good);
  expect(await verify(token)).toMatchObject(invalid);
});

test.each(["", "too-short"])("a secret of %j signs nothing", async (secret) => {
  const { verify, sign } = container(secret);
  await expect(verify(await sign(OLD))).rejects.toMatchObject(unavailable);
});
