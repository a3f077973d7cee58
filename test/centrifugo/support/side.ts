/** How long and how much the topics of each kind keep, on both sides. */
export const KEPT = {
  long: { seconds: 600, count: 1_000 },
  few: { seconds: 600, count: 5 },
  brief: { seconds: 3, count: 1_000 },
} as const;
export type Kept = keyof typeof KEPT;

/** What a page was told when it subscribed from a place: all that it missed is there, or not. */
export type Told = "nothing" | "recovered" | "gap";

/** What a page got since it was opened or cut. */
export interface Answer {
  readonly told: Told;
  /** The data of what came, in its order. */
  readonly got: readonly number[];
}

export interface Page<Place> {
  answer(): Answer;
  /** Up to where the page has got everything. */
  place(): Place;
  /** Breaks its connection, and lets it have no other until `restore`. Its answer begins anew. */
  cut(): Promise<void>;
  /** Returns once it is subscribed again. */
  restore(): Promise<void>;
  close(): void;
}

export interface Start<Place> {
  readonly from?: Place;
  readonly last?: number;
}

/** What is read without a subscription. */
export interface Past {
  /** `gap`: what was asked for is lost in part. `refused`: the place is of no use. */
  readonly told: "whole" | "gap" | "refused";
  readonly got: readonly number[];
  readonly pages: "one" | "more";
}

/** A router and its client: Tagwire with `tagwire/client`, or Centrifugo with centrifuge-js. */
export interface Side<Place = unknown> {
  /** Keeps one number after the other. Each is kept before the next is sent. */
  publish(topic: string, numbers: readonly number[], bytes: number): Promise<void>;
  /** A page of its own that is subscribed: from a place that it has from before, or with the last few messages. */
  page(topic: string, start?: Start<Place>): Promise<Page<Place>>;
  /** All after a place, in as many pages as it takes, or the last few. */
  history(topic: string, query: { readonly since: Place } | { readonly last: number }): Promise<Past>;
  /** The place 0, of somebody who was never there. */
  readonly zero: Place;
  /** A place that lies as many messages further on. */
  beyond(place: Place, messages: number): Place;
  /** Ends, and starts at the same address. What was kept is lost, or is there as before if the side can keep it. */
  restart(kept: "lost" | "there"): Promise<void>;
  stop(): Promise<void>;
}

/** What is published: a number, and as many bytes beside it. */
export const dataOf = (number: number, bytes: number) => ({ number, ballast: "x".repeat(bytes) });
export const numberOf = (data: unknown): number => (data as { number: number }).number;
