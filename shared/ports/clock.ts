export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary start; MUST NOT go back when the wall clock does. */
  monotonic(): number;
  /** Resolves after `milliseconds`. */
  pause(milliseconds: number): Promise<void>;
}
