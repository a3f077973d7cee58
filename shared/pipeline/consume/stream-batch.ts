import { frameText } from "../../protocol/message-frame.ts";
import type { Job } from "../../receipts/job.ts";
import type { KeptStream } from "../../streams/kept.ts";
import type { StreamName } from "../../streams/stream.ts";
import { type Appender, append } from "../streams/append.ts";
import { findAppended } from "../streams/find.ts";
import { headOf, type StreamDeps } from "../streams/head.ts";

/** A message that the run may append to its stream. */
export interface StreamMember {
  /**
   * Returns the number of the stream's last message before the run claims the message, for its lease. 0 if no head
   * counts. One read for all members of a batch.
   */
  after(): Promise<number>;
  /** Returns the number that an earlier run may have appended it at after `after`, but did not leave. */
  find(after: number): Promise<number | undefined>;
  /**
   * Appends the message once every other member of the batch is to be appended too, or has left. Returns its number, or
   * undefined if the run's end came first. Throws if the table failed: the message may have a number all the same.
   */
  append(): Promise<number | undefined>;
  /** The run does not append the message. Does nothing after `append`. */
  leave(): void;
}

export interface StreamBatchOptions extends KeptStream {
  readonly run: Appender;
  /** Messages were appended: what was read of the stream's list before does not serve them. */
  readonly onAppended: (stream: StreamName) => void;
}

interface Member {
  readonly frame: string;
  state: "undecided" | "appends" | "left";
}

/** The messages of one stream that a run appends together, so that they are one row. */
export function streamBatch(
  deps: StreamDeps,
  { stream, retention, run, onAppended }: StreamBatchOptions,
  jobs: readonly Job[],
): readonly StreamMember[] {
  const members = jobs.map(({ message }): Member => ({ frame: frameText(message), state: "undecided" }));
  let head: Promise<number> | undefined;
  let begin = () => {};
  const allDecided = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const decide = (member: Member, state: Member["state"]): void => {
    if (member.state !== "undecided") return;
    member.state = state;
    if (members.every((one) => one.state !== "undecided")) begin();
  };
  const appendAll = async (): Promise<ReadonlyMap<Member, number>> => {
    const appending = members.filter(({ state }) => state === "appends");
    const frames = appending.map(({ frame }) => frame);
    const numbers = await append(deps, stream, retention, run, frames);
    onAppended(stream);
    return new Map(numbers.flatMap((number, i) => (appending[i] ? [[appending[i], number]] : [])));
  };
  let appended: Promise<ReadonlyMap<Member, number>> | undefined;

  return members.map((member) => ({
    after() {
      head ??= headOf(deps, stream).then((number) => number ?? 0);
      return head;
    },
    // 0: no head counted, so an earlier run has started the stream.
    find: (after) => findAppended(deps, stream, after === 0 ? undefined : after, member.frame),
    async append() {
      decide(member, "appends");
      await allDecided;
      appended ??= appendAll();
      return (await appended).get(member);
    },
    leave: () => decide(member, "left"),
  }));
}
