import { readFileSync } from "node:fs";
import { isObject } from "../../server/request.ts";
import { messageOf } from "../../shared/protocol/errors.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { queueOutput } from "../../shared/settings/queues.ts";
import { Failure, UsageError } from "../failure.ts";

/** The parts of a stack that an import writes to, as its outputs name them. */
export interface StackOutputs {
  readonly laneUrls: Readonly<Record<Lane, string>>;
  readonly deadLetterUrl: string;
  readonly receiptsTable: string;
  /** Absent if the settings of the stack keep no stream. */
  readonly streamsTable?: string;
}

/**
 * Reads the file that `cdk deploy --outputs-file` writes: outputs by stack. Throws a Failure if no stack of it, or more
 * than one, has the outputs of a router; then `stack` names the one that is meant.
 */
export function readOutputs(path: string, stack: string | undefined): StackOutputs {
  const file = parsed(path);
  const routers = Object.entries(file).filter(
    ([name, outputs]) =>
      isObject(outputs) && "ReceiptsTableName" in outputs && (stack === undefined || name === stack),
  );
  const [[name, outputs] = []] = routers;
  if (name === undefined)
    throw new Failure(
      `${path} has no outputs of a router${stack === undefined ? "" : ` in a stack ${stack}`}; cdk deploy --outputs-file writes them`,
    );
  if (routers.length > 1)
    throw new UsageError(
      `${path} has routers in ${routers.map(([each]) => each).join(", ")}; name one with --stack`,
    );
  const value = (output: string): string => {
    const found = isObject(outputs) ? outputs[output] : undefined;
    if (typeof found === "string" && found !== "") return found;
    throw new Failure(`${path} has no ${output} of the stack ${name}`);
  };
  const hasStreams = isObject(outputs) && "StreamsTableName" in outputs;
  return {
    laneUrls: Object.fromEntries(LANES.map((lane) => [lane, value(queueOutput(lane))])) as Record<
      Lane,
      string
    >,
    deadLetterUrl: value("DeadLetterQueueUrl"),
    receiptsTable: value("ReceiptsTableName"),
    ...(hasStreams ? { streamsTable: value("StreamsTableName") } : {}),
  };
}

function parsed(path: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isObject(json) ? json : {};
  } catch (cause) {
    throw new Failure(`${path} cannot be read as JSON: ${messageOf(cause)}`, { cause });
  }
}
