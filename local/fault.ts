/** Faults that a test switches on. The gateway only knows the question, never this. */
export interface Faults {
  /** The next posts to the connection fail with these statuses, one each. */
  failPosts(connectionId: string, statuses: readonly number[]): void;
  /** The status that this post fails with, if it must. */
  next(connectionId: string): number | undefined;
}

export function faults(): Faults {
  const planned = new Map<string, number[]>();
  return {
    failPosts(connectionId, statuses) {
      planned.set(connectionId, [...(planned.get(connectionId) ?? []), ...statuses]);
    },
    next(connectionId) {
      const statuses = planned.get(connectionId);
      const status = statuses?.shift();
      if (statuses?.length === 0) planned.delete(connectionId);
      return status;
    },
  };
}
