/**
 * What a port may return at once where the service is in the process. A caller that is called often awaits only what is a
 * promise.
 */
export type Awaitable<T> = T | Promise<T>;
