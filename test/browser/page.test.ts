import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Router, StartOptions } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { publisher } from "../../server/index.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { launch } from "./support/chromium.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The page of a router of its own, and what it said on the console that is no 404 of a receipt. */
async function opened({ user = "ann", options = {} as StartOptions, view = {} } = {}) {
  const router = await start(options);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...view });
  // How long a busy machine takes is not what a test is about.
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (fault) => faults.push(String(fault)));
  page.on("console", (line) => {
    if (line.type() === "error" && !line.text().includes("404")) faults.push(line.text());
  });
  onTestFinished(async () => {
    await context.close();
    await router.stop(0);
  });
  await page.goto(`${router.url}/?user=${user}`);
  return { router, page, faults };
}

const state = (page: Page, is: string) => page.waitForSelector(`#state[data-state="${is}"]`);
const shop = ({ url }: Router) => publisher({ url, secret: DEV_SECRET, user: "shop" });
const rowWith = (page: Page, list: string, text: string) =>
  page.locator(`#${list} li`, { hasText: text }).first().waitFor();

test("the page connects by itself, receives what it publishes, and shows the receipt until it ends", async () => {
  const { page, faults, router } = await opened();
  await state(page, "connected");
  expect(await page.textContent("#state")).toBe("connected as ann");
  await router.spy.waitFor({ kind: "connected" });
  await page.fill("#data", '{ "order": 4711 }');
  await page.fill("#event", "order.shipped");
  await page.click("#publish button[type=submit]");
  await rowWith(page, "received", '{"order":4711}');
  await rowWith(page, "received", "order.shipped");
  await page.locator("#published .badge.good", { hasText: "delivered" }).first().waitFor();
  await rowWith(page, "published", "1 sent");
  expect(faults).toEqual([]);
});

/** A page that has published a message to everyone, which waits for its delay. */
async function delayed(seconds: number): Promise<Page> {
  const { page } = await opened();
  await state(page, "connected");
  await page.selectOption("#target", "everyone");
  await page.fill("#delay", String(seconds));
  await page.click("#publish button[type=submit]");
  await rowWith(page, "published", "queued");
  return page;
}

test("a receipt changes before the eyes: queued, then cancelled", async () => {
  const page = await delayed(600);
  await page.click("#published button");
  await rowWith(page, "published", "cancelled");
  expect(await page.isVisible("#published button")).toBe(false);
});

test("a message shows its receipt to the end, though the page connects as somebody else meanwhile", async () => {
  const page = await delayed(2);
  await page.fill("#user", "bob");
  await page.click("#connect-button");
  await page.locator("#state", { hasText: "connected as bob" }).waitFor();
  await rowWith(page, "published", "delivered");
});

test.each([
  { kind: "user", value: "ann", shown: "to user" },
  { kind: "tags", value: "region:gd none user:bob", shown: "to tags" },
  { kind: "everyone", value: undefined, shown: "to everyone" },
  { kind: "connection", value: undefined, shown: "to connection" },
])("a message to $kind comes", async ({ kind, value, shown }) => {
  const { page } = await opened();
  await page.fill("#tags", "region:gd");
  await page.click("#connect-button");
  await state(page, "connected");
  await page.selectOption("#target", kind);
  if (value !== undefined) await page.fill("#value", value);
  if (kind === "connection") await expect.poll(() => page.inputValue("#value")).toMatch(/=$/);
  await page.click("#publish button[type=submit]");
  await rowWith(page, "received", shown);
});

test("a connection that is cut comes back when it is restored, and messages come again", async () => {
  const { page, router } = await opened();
  await state(page, "connected");
  await page.click("#cut");
  await state(page, "connecting");
  await rowWith(page, "events", "cut");
  expect(await page.getAttribute("#cut", "aria-pressed")).toBe("true");
  await router.spy.waitFor({ kind: "disconnected" });
  await page.click("#cut");
  await state(page, "connected");
  await shop(router).publish({ target: { topic: "orders" }, data: "after the cut" });
  await rowWith(page, "received", "after the cut");
});

test("what was published while the connection was cut is recovered, in order, and the page says so", async () => {
  const kept = { seconds: 600, count: 100 };
  const settings = { streams: [{ topics: "*", ...kept }], userStreams: kept };
  const { page, router, faults } = await opened({ options: { settings } });
  await state(page, "connected");
  await shop(router).publish({ target: { topic: "orders" }, data: "before" });
  await rowWith(page, "received", "before");
  await page.click("#cut");
  await rowWith(page, "events", "cut");
  for (const data of ["first", "second"]) {
    const { id } = await shop(router).publish({ target: { topic: "orders" }, data });
    await shop(router).waitFor(id);
  }
  const direct = await shop(router).publish({ target: { user: "ann" }, data: "to ann alone" });
  await shop(router).waitFor(direct.id);
  expect(await page.textContent("#received-count")).toBe("1");
  await page.click("#cut");
  await rowWith(page, "events", "orders: all that was missed, from number");
  await rowWith(page, "received", "to ann alone");
  await rowWith(page, "received", "second");
  const rows = await page.locator("#received pre").allTextContents();
  expect(rows.filter((text) => !text.includes("alone"))).toEqual(['"second"', '"first"', '"before"']);
  expect(faults.filter((fault) => !fault.includes("WebSocket"))).toEqual([]);
});

test("a topic is subscribed and given back, by keyboard alone", async () => {
  const { page, router } = await opened();
  await state(page, "connected");
  await page.focus("#topic");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("news");
  await page.keyboard.press("Enter");
  await page.getByLabel("Unsubscribe from news").waitFor();
  await shop(router).waitFor((await shop(router).publish({ target: { user: "ann" }, data: "first" })).id);
  await shop(router).publish({ target: { topic: "news" }, data: "by keyboard" });
  await rowWith(page, "received", "by keyboard");
  await page.getByLabel("Unsubscribe from news").focus();
  await page.keyboard.press("Enter");
  expect(await page.locator("#topics li").count()).toBe(1);
  await page.focus("#tab-0");
  await page.keyboard.press("ArrowLeft");
  expect(await page.textContent("#tabs [aria-selected=true]")).toBe("curl");
});

test("the snippets have the address, and what curl's says is received", async () => {
  const { page, router } = await opened();
  await state(page, "connected");
  for (const name of ["Browser", "React", "Node", "Python", "curl"]) {
    await page.click(`#tabs >> text=${name}`);
    expect(await page.textContent("#code")).toContain(new URL(router.url).host);
  }
  await promisify(execFile)("bash", ["-c", (await page.textContent("#code")) ?? ""]);
  await rowWith(page, "received", '{"order":1}');
});

test("what a message says is text, whatever it says", async () => {
  const { page, router, faults } = await opened();
  await state(page, "connected");
  const data = "<img src=x onerror=alert(1)><script>alert(2)</script>";
  await shop(router).publish({ target: { user: "ann" }, event: data, data });
  await rowWith(page, "received", "<script>alert(2)");
  expect(await page.locator("#received img, #received script").count()).toBe(0);
  expect(faults).toEqual([]);
});

test("data that is no JSON, and a refusal of the router, are said beside the form", async () => {
  const { page } = await opened();
  await state(page, "connected");
  await page.fill("#data", "{ no json");
  await page.click("#publish button[type=submit]");
  await page.locator("#publish-problem", { hasText: "must be JSON" }).waitFor();
  await page.fill("#data", "1");
  await page.fill("#value", "no topic");
  await page.click("#publish button[type=submit]");
  await page.locator("#publish-problem", { hasText: "must be a topic" }).waitFor();
});

test("a router with a secret of its own asks for a token, and takes one that is pasted", async () => {
  const { page } = await opened({ options: { secret: "a-secret-of-thirty-two-bytes-or-more" } });
  await page.locator("#connect-problem", { hasText: "tagwire token" }).waitFor();
  const { mintToken } = await import("../../server/index.ts");
  const token = await mintToken({
    user: "ann",
    subscribe: ["*"],
    publish: ["*"],
    secret: "a-secret-of-thirty-two-bytes-or-more",
  });
  await page.fill("#token", token);
  await page.click("#connect-button");
  await state(page, "connected");
  await page.click("#publish button[type=submit]");
  await rowWith(page, "published", "delivered");
});

test.each(
  (["light", "dark"] as const).flatMap((colorScheme) => [1280, 390].map((width) => ({ colorScheme, width }))),
)("nothing is cut off in $colorScheme at $width", async ({ colorScheme, width }) => {
  const { page } = await opened({
    user: "a".repeat(100),
    view: { colorScheme, viewport: { width, height: 900 } },
  });
  await state(page, "connected");
  await page.fill("#data", JSON.stringify({ long: "x".repeat(500) }));
  await page.click("#publish button[type=submit]");
  await rowWith(page, "published", "delivered");
  for (const name of ["Browser", "React", "Node", "curl", "Python"]) {
    await page.click(`#tabs >> text=${name}`);
    expect(await page.evaluate<unknown>(BEYOND), name).toEqual([]);
  }
  const folder = process.env["SCREENSHOTS"];
  if (folder) await page.screenshot({ path: `${folder}/page-${colorScheme}-${width}.png`, fullPage: true });
});

/** What of the page lies right of the window, or of its own box if it is code. Text, since this file knows no DOM. */
const BEYOND = `[document.documentElement, ...document.querySelectorAll("body *")]
  .filter((it) => Math.max(it.getBoundingClientRect().right, it === document.documentElement ? it.scrollWidth : 0) > innerWidth + 0.5
    || (it.matches("pre") && it.scrollWidth > it.clientWidth))
  .map((it) => it.outerHTML.slice(0, 80))`;
