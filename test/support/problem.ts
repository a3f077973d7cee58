import { expect } from "vitest";
import { ERRORS, type ErrorCode } from "../../shared/protocol/errors.ts";

/** What a refusal looks like over HTTP (RFC 9457). */
export function expectProblem(answer: { status: number; body: unknown }, code: ErrorCode): void {
  const { status, title } = ERRORS[code];
  expect(answer).toMatchObject({
    status,
    body: { type: `urn:tagwire:error:${code}`, title, status, code, detail: expect.stringMatching(/./) },
  });
}

/** The bad fields that a problem document names. */
export const pointersIn = (body: unknown): readonly string[] =>
  ((body as { errors?: readonly { pointer: string }[] }).errors ?? []).map(({ pointer }) => pointer);
