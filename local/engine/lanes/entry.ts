import type { Lane } from "../../../shared/protocol/lane.ts";
import type { Job } from "../../../shared/receipts/job.ts";

/** An entry of a lane as the process knows it. Its body is on the disk. */
export interface LaneEntry {
  /** Grows in order of arrival, over restarts too. */
  readonly key: number;
  readonly lane: Lane;
  readonly producer: string;
  /** When it was sent, in milliseconds since 1970. */
  readonly sentAt: number;
  /** The number of receives that have begun. Of an entry of an earlier process: the most there can have been. */
  receives: number;
  /** Those of earlier processes. */
  readonly receivesBefore: number;
  state: "visible" | "hidden" | "taken" | "removed";
  /** When it is visible again, if it is not, in milliseconds of the monotonic clock. */
  visibleAt: number;
  /** The handle of its last receive. */
  receiptHandle: string;
  /** The job as it was accepted, while there is room for it in memory. */
  job: Job | undefined;
  /** Bytes of its body. */
  readonly bytes: number;
  /** The next visible entry of its producer. */
  next: LaneEntry | undefined;
}

/** An entry that is not in its lane yet. */
export const laneEntry = ({
  key,
  lane,
  producer,
  sentAt,
  receives,
  visibleAt,
  bytes,
}: Pick<
  LaneEntry,
  "key" | "lane" | "producer" | "sentAt" | "receives" | "visibleAt" | "bytes"
>): LaneEntry => ({
  key,
  lane,
  producer,
  sentAt,
  receives,
  receivesBefore: receives,
  state: "hidden",
  visibleAt,
  receiptHandle: "",
  job: undefined,
  bytes,
  next: undefined,
});
