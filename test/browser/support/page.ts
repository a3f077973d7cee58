import { hastyPage, type Page } from "../../client/support/hasty.ts";

/** What a test asks of its page. */
export interface Opening {
  readonly url: string;
  readonly httpUrl: string;
  readonly token: string;
  readonly topic: string;
  readonly speed: number;
}

let page: Page | undefined;
Object.assign(globalThis, {
  open({ url, httpUrl, token, topic, speed }: Opening) {
    page = hastyPage({ url, httpUrl, token: () => token }, topic, speed);
  },
  ask: (what: keyof Page, milliseconds: number) => page?.[what](milliseconds),
});
