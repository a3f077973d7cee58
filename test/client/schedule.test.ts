import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Router } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { tokenFor } from "../support/client.ts";
import { patient } from "../support/patient.ts";
import { hastyPage } from "./support/hasty.ts";
import { runSchedules, SPEED, STREAMS } from "./support/schedule.ts";

let router: Router;
beforeAll(async () => {
  router = await start({ port: 0, settings: patient({ streams: STREAMS }) });
});
afterAll(() => router.stop(0));

const open = async (url: string, topic: string) =>
  hastyPage({ url, httpUrl: router.url, token: () => tokenFor("anna"), WebSocket }, topic, SPEED);

/** Schedules of each kind, all at once. `SCHEDULES=100 npx vitest run test/client/schedule.test.ts` runs more. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 4);

test.each(["whole", "little"])(
  "through random cuts, half-open sockets, sleeps and restarts, of a stream that is kept %s",
  async (kept) => {
    const gaps = await runSchedules(router, open, { kept, schedules: SCHEDULES });
    if (kept === "whole") expect(gaps).toBe(0);
    else expect(gaps).toBeGreaterThan(0);
  },
  SCHEDULES * 60_000,
);
