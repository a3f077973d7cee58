import { afterAll, beforeAll, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { runSchedules, SPEED, STREAMS } from "../client/support/schedule.ts";
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

test.each(["whole", "little"])(
  "in Chromium, through random cuts, half-open sockets, sleeps and restarts, of a stream that is kept %s",
  async (kept) => {
    const gaps = await runSchedules(router, open, { kept, schedules: SCHEDULES });
    if (kept === "whole") expect(gaps).toBe(0);
    else expect(gaps).toBeGreaterThan(0);
  },
  SCHEDULES * 60_000,
);
