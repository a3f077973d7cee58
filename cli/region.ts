/** The Region in the address of a queue: every one in an account has it. */
export const regionIn = (queueUrl: string): string | undefined =>
  /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(queueUrl)?.[1];
