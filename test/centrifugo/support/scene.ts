import { expect } from "vitest";
import type { Answer, Kept, Page, Past, Side, Start } from "./side.ts";

/** One topic of a side, whose messages have the data 1, 2, 3 and so on. */
export interface Scene<Place> {
  readonly side: Side<Place>;
  publish(count: number, bytes?: number): Promise<void>;
  page(start?: Start<Place>): Promise<Page<Place>>;
  /** The place of somebody who has got everything so far. */
  place(): Promise<Place>;
  history(query: { readonly since: Place } | { readonly last: number }): Promise<Past>;
  /** Returns once nothing is kept any more. */
  forgotten(): Promise<void>;
  /** Publishes one more, and returns the answer of a page that has got it. */
  end(page: Page<Place>): Promise<Answer>;
  /** A page that got three messages, and was cut. */
  cutAfterThree(): Promise<Page<Place>>;
}

/** What happens to a page, on either side. */
export type Script<Told> = <Place>(scene: Scene<Place>) => Promise<Told>;

let topics = 0;

export function sceneOf<Place>(side: Side<Place>, kept: Kept): Scene<Place> {
  topics += 1;
  const topic = `${kept}:${topics}`;
  let last = 0;
  const has = (page: Page<Place>, number: number) => expect.poll(() => page.answer().got).toContain(number);
  const scene: Scene<Place> = {
    side,
    async publish(count, bytes = 10) {
      const numbers = Array.from({ length: count }, (_, i) => last + 1 + i);
      last += count;
      await side.publish(topic, numbers, bytes);
    },
    page: (start) => side.page(topic, start),
    async place() {
      const page = await side.page(topic);
      page.close();
      return page.place();
    },
    history: (query) => side.history(topic, query),
    forgotten: () => expect.poll(async () => (await side.history(topic, { last: 1 })).got).toEqual([]),
    async end(page) {
      await scene.publish(1);
      await has(page, last);
      return page.answer();
    },
    async cutAfterThree() {
      const page = await side.page(topic);
      await scene.publish(3);
      await has(page, 3);
      await page.cut();
      return page;
    },
  };
  return scene;
}

/** The numbers from one to another. */
export const upTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);
