import type { FunctionName } from "../../shared/settings/settings.ts";

/** What the stand-ins need to be told. They check that a request is signed, not by whom. */
export const ACCOUNT = "000000000000";
export const REGION = "us-east-1";
export const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };

/** Of one function: each has its own, as in Lambda, so that what stands before an endpoint can tell who calls. */
export const functionCredentials = (name: FunctionName) => ({
  accessKeyId: `local${name}`,
  secretAccessKey: `secret-of-${name}`,
  sessionToken: `token-of-${name}`,
});

export const queueArn = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
