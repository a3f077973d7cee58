import { afterAll, beforeAll, expect, test } from "vitest";
import { type Router, start } from "../../local/start.ts";
import { drive, judge, SPEED, STREAMS } from "../client/support/schedule.ts";
import { tokenFor } from "../support/client.ts";
import { patient } from "../support/patient.ts";
import { startBrowser, type TestBrowser } from "./support/browser.ts";

let router: Router;
let chromium: TestBrowser;
beforeAll(async () => {
  [router, chromium] = await Promise.all([
    start({ port: 0, settings: patient({ streams: STREAMS }) }),
    startBrowser(),
  ]);
});
afterAll(async () => {
  await Promise.all([router.stop(0), chromium.close()]);
});

const open = async (url: string, topic: string) =>
  chromium.open({ url, httpUrl: router.url, token: await tokenFor("anna"), topic, speed: SPEED });

const SCHEDULES = Number(process.env.SCHEDULES ?? 100);
const AT_ONCE = 4;

test.each([
  "whole",
  "little",
])("in Chromium, through random cuts, half-open sockets, sleeps and restarts, of a stream that is kept %s", async (kept) => {
  let gaps = 0;
  const seeds = Array.from({ length: SCHEDULES }, (_, i) => i + 1);
  const next = async (): Promise<void> => {
    const seed = seeds.shift();
    if (seed === undefined) return;
    const told = await drive(router, open, { topic: `${kept}/${seed}`, seed, steps: 10 });
    judge(told, `${kept}, seed ${seed}`);
    gaps += told.gaps.length;
    return next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  if (kept === "whole") expect(gaps).toBe(0);
  else expect(gaps).toBeGreaterThan(0);
});
