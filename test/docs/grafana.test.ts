import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { start } from "../../local/start.ts";
import { METRIC_NAMES, METRICS } from "../../shared/metric.ts";
import { post } from "../support/http.ts";

const text = readFileSync("docs/run/grafana.json", "utf8");
const { panels } = JSON.parse(text) as {
  panels: { title: string; description: string; targets: { expr: string }[] }[];
};
const named = new Set(
  panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/tagwire_\w+/g) ?? [])),
);

test("docs/run/grafana.json is as npm run build:grafana writes it", async () => {
  const { grafanaDashboard } = await import("../../local/grafana.ts");
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(grafanaDashboard())));
});

test("the Grafana dashboard shows every metric and says what each is", () => {
  for (const name of METRIC_NAMES) {
    const words = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    expect([...named].filter((each) => each.startsWith(`tagwire${words}_`))).toHaveLength(1);
    expect(panels.some(({ description }) => description.includes(METRICS[name].help))).toBe(true);
  }
});

test("/metrics has what the dashboard asks for, by those names", async () => {
  const router = await start();
  await post(router, { target: { everyone: true }, data: 1 });
  await router.spy.idle();
  const found = await (await fetch(`${router.url}/metrics`)).text();
  await router.stop(0);
  const present = [...found.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = "", type]) =>
    type === "histogram" ? `${name}_bucket` : name,
  );
  expect(present.filter((name) => !named.has(name))).toEqual([]);
  expect(present).toEqual(
    expect.arrayContaining([
      "tagwire_messages_accepted_total",
      "tagwire_lane_wait_seconds_bucket",
      "tagwire_lane_messages",
    ]),
  );
});
