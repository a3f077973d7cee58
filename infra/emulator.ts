/** A stand-in for AWS, such as LocalStack or MiniStack. */
export interface Emulator {
  /** Where it listens, as functions and clients reach it: http://127.0.0.1:4566 */
  readonly endpoint: string;
}

/** The path by which an emulator serves a stage. AWS gives it a host name of its own, which may not resolve there. */
export const executeApi = ({ endpoint }: Emulator, apiId: string, stage: string): string =>
  `${endpoint.replace(/\/$/, "")}/_aws/execute-api/${apiId}/${stage}`;
