import type { FunctionName } from "../../../shared/settings/variables.ts";

/** The configuration of the emulators. They check that a request is signed, but not by whom. */
export const ACCOUNT = "000000000000";
export const REGION = "us-east-1";
export const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };

/** Of one function: each has its own, as in Lambda, so that a proxy in front of an endpoint can identify the caller. */
export const functionCredentials = (name: FunctionName) => ({
  accessKeyId: `local${name}`,
  secretAccessKey: `secret-of-${name}`,
  sessionToken: `token-of-${name}`,
});

export const queueArn = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
