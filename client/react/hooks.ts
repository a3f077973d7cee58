import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { SubscribeOptions } from "../api.ts";
import type { ConnectionState } from "../emitter.ts";
import type { Handler, Message } from "../message.ts";
import { useLatestRef, useTagwire } from "./provider.ts";

/**
 * Calls the handler that was rendered last for each message of a topic while the component is mounted; no topic
 * (null) is no subscription. A topic of `@user`, `@everyone`, `@connection` or `@tags` is what `client.receive` takes.
 */
export function useSubscription<Data = unknown>(
  topic: string | null | undefined,
  handler: Handler<Message<Data>>,
  { last = 0 }: Pick<SubscribeOptions, "last"> = {},
): void {
  const client = useTagwire<Record<string, Data>>();
  const latest = useLatestRef(handler);
  useEffect(() => {
    if (!client || !topic) return;
    const { unsubscribe } = client.subscribe(topic, (message) => latest.current(message), { last });
    return unsubscribe;
  }, [client, topic, last, latest]);
}

/** The last message of a topic: the last one that is kept, then each one that comes. Undefined before the first. */
export function useLatest<Data = unknown>(topic: string | null | undefined): Message<Data> | undefined {
  const client = useTagwire();
  const [latest, setLatest] = useState<{ client: unknown; topic: string; message: Message<Data> }>();
  useSubscription<Data>(topic, (message) => setLatest({ client, topic: topic ?? "", message }), { last: 1 });
  // What another topic or another client left behind is not this one's.
  return latest && latest.topic === topic && latest.client === client ? latest.message : undefined;
}

/** The state of the connection; `connecting` before the provider has connected. */
export function useConnectionState(): ConnectionState {
  const client = useTagwire();
  const onChange = useCallback((changed: () => void) => client?.on("state", changed) ?? (() => {}), [client]);
  return useSyncExternalStore(
    onChange,
    () => client?.state ?? "connecting",
    () => "connecting",
  );
}
