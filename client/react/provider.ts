import { createContext, createElement, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import type { Client, ConnectOptions } from "../api.ts";
import { connect } from "../client.ts";
import type { TopicTypes } from "../message.ts";

const Context = createContext<Client<object> | null>(null);

/** Either a client that the app has made and closes, or what to connect with while the provider is mounted. */
export type TagwireProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: Client<object> | null }
  | (ConnectOptions & { readonly client?: undefined })
);

/**
 * Gives a client to the components below it. With `url` and `token` it connects when it is mounted, again if `url` or
 * `httpUrl` changes, and closes when it is unmounted. A new `token` function is used from the next token on.
 */
export function TagwireProvider({ children, ...props }: TagwireProviderProps): ReactNode {
  const own = useOwnClient("token" in props ? props : undefined);
  return createElement(Context.Provider, { value: props.client ?? own }, children);
}

function useOwnClient(options: ConnectOptions | undefined): Client<object> | null {
  const [client, setClient] = useState<Client<object> | null>(null);
  const latest = useLatestRef(options);
  const url = options && String(options.url);
  const httpUrl = options?.httpUrl && String(options.httpUrl);
  useEffect(() => {
    const { current } = latest;
    if (url === undefined || !current) return;
    const token = () => (latest.current ?? current).token();
    const made = connect({ ...current, url, ...(httpUrl && { httpUrl }), token });
    setClient(made);
    return () => made.close();
  }, [url, httpUrl, latest]);
  return client;
}

/** The client, or null before the provider has connected, and without a provider. */
export function useTagwire<Topics extends object = TopicTypes>(): Client<Topics> | null {
  // A client hands any topic's data to whoever says what it is.
  return useContext(Context) as Client<Topics> | null;
}

/** A reference to what was rendered last, so that an effect need not run again for it. */
export function useLatestRef<T>(value: T): { readonly current: T } {
  const ref = useRef(value);
  useEffect(() => {
    ref.current = value;
  });
  return ref;
}
