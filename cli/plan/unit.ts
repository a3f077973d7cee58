/** Bytes of one SQS request, of one DynamoDB write unit, and of one read unit, as they are priced. */
export const QUEUE_UNIT = 65_536;
export const WRITE_UNIT = 1_024;
export const READ_UNIT = 4_096;

/** Units that have been started: at least one. */
export const started = (bytes: number, unit: number): number => Math.max(1, Math.ceil(bytes / unit));
