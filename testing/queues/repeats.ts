import type { Layer } from "../front.ts";
import { inputOf, json, outputOf, withInput, withOutput } from "../json.ts";
import { operationOf } from "../service.ts";

export interface RepeatsOptions {
  readonly random: () => number;
  /** Chance that a received message is in its batch twice. @default 0 */
  readonly twice?: number;
  /** Chance that a delete has no effect and the message comes again. @default 0 */
  readonly lateDelete?: number;
  /** Chance that a receive comes to nothing, as one that Lambda throttles does: the receive counts. @default 0 */
  readonly usedUp?: number;
  /** Whether a batch is in another order than its messages were sent in. @default false */
  readonly disorder?: boolean;
}

interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
}

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}

interface Input {
  readonly QueueUrl: string;
  readonly MaxNumberOfMessages?: number;
  readonly ReceiptHandle?: string;
  readonly Entries?: readonly Entry[];
}

/** A standard queue as SQS promises it and no more: at least once, in any order. */
export function repeats({
  random,
  twice = 0,
  lateDelete = 0,
  usedUp = 0,
  disorder = false,
}: RepeatsOptions): Layer {
  const happens = (chance: number) => chance > 0 && random() < chance;
  const shuffled = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => [random(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item);

  return async (request, next) => {
    const input = inputOf<Input>(request);
    /** Makes messages visible again, at once. */
    const release = async (messages: readonly { readonly ReceiptHandle: string }[]) => {
      if (messages.length === 0) return;
      const Entries = messages.map(({ ReceiptHandle }, index) => ({
        ...{ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 },
      }));
      const target = { "x-amz-target": "AmazonSQS.ChangeMessageVisibilityBatch" };
      const change = withInput(request, { QueueUrl: input.QueueUrl, Entries });
      await next({ ...change, headers: { ...request.headers, ...target } });
    };

    switch (operationOf(request)) {
      case "ReceiveMessage": {
        const response = await next(request);
        if (response.status !== 200) return response;
        const output = outputOf<{ readonly Messages?: readonly Message[] }>(response);
        const lost = (output.Messages ?? []).filter(() => happens(usedUp));
        await release(lost);
        const kept = (output.Messages ?? []).filter((message) => !lost.includes(message));
        const spare = (input.MaxNumberOfMessages ?? 1) - kept.length;
        const doubled = kept.filter(() => happens(twice)).slice(0, spare);
        const all = kept.flatMap((message) => (doubled.includes(message) ? [message, message] : [message]));
        const Messages = disorder ? shuffled(all) : all;
        return withOutput(response, Messages.length > 0 ? { ...output, Messages } : {});
      }
      case "DeleteMessage": {
        if (!happens(lateDelete)) return next(request);
        await release([{ ReceiptHandle: input.ReceiptHandle ?? "" }]);
        return json({});
      }
      case "DeleteMessageBatch": {
        const entries = input.Entries ?? [];
        const late = entries.filter(() => happens(lateDelete));
        if (late.length === 0) return next(request);
        await release(late);
        const soon = entries.filter((entry) => !late.includes(entry));
        const gone = soon.length > 0 ? await next(withInput(request, { ...input, Entries: soon })) : json({});
        const output = outputOf<{ readonly Successful?: readonly object[] }>(gone);
        const Successful = [...(output.Successful ?? []), ...late.map(({ Id }) => ({ Id }))];
        return withOutput(gone, { ...output, Successful });
      }
      default:
        return next(request);
    }
  };
}
