/** The door `tagwire/react`. */
export { useConnectionState, useLatest, useSubscription } from "./hooks.ts";
export { TagwireProvider, type TagwireProviderProps, useTagwire } from "./provider.ts";
