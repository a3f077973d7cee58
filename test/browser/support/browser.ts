import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { type Browser, chromium, type Page as Tab } from "playwright-core";
import type { Page } from "../../client/support/hasty.ts";
import type { Opening } from "./page.ts";

export interface TestBrowser {
  readonly browser: Browser;
  /** Where pages are served, on an origin of the loopback address. */
  readonly url: string;
  /** A tab whose client a schedule drives. */
  open(opening: Opening): Promise<Page>;
  close(): Promise<void>;
}

/** A headless Chromium, and a server with one page whose script is `support/page.ts` or another one. */
export async function startBrowser(entry = "test/browser/support/page.ts"): Promise<TestBrowser> {
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm" });
  const script = outputFiles[0]?.text ?? "";
  const server = createServer(({ url }, response) => {
    const isScript = url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(
      isScript ? script : '<!doctype html><title>page</title><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  return {
    browser,
    url,
    async open(opening) {
      const tab = await browser.newPage();
      const thrown: string[] = [];
      tab.on("pageerror", (fault) => thrown.push(String(fault)));
      await tab.goto(url);
      await tab.evaluate((it) => (globalThis as unknown as { open(it: Opening): void }).open(it), opening);
      return driven(tab, thrown);
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

function driven(tab: Tab, thrown: readonly string[]): Page {
  const ask = <K extends keyof Page>(what: K, milliseconds = 0) =>
    tab.evaluate(
      ([name, value]) =>
        (globalThis as unknown as { ask(name: string, value: number): unknown }).ask(name, value),
      [what, milliseconds] as const,
    ) as ReturnType<Page[K]>;
  return {
    got: () => ask("got"),
    gaps: () => ask("gaps"),
    position: () => ask("position"),
    state: () => ask("state"),
    faults: async () => [...(await ask("faults")), ...thrown],
    wake: () => ask("wake"),
    sleep: (milliseconds) => ask("sleep", milliseconds),
    async close() {
      await ask("close");
      await tab.close();
    },
  };
}
