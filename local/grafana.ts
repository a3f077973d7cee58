import { describe, type MetricDescription, metricPanels } from "../shared/metric.ts";
import { GAUGES } from "./gauges.ts";
import { prometheusName } from "./prometheus-name.ts";

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

/** The dashboard of a router on one machine for Grafana 10 and later, over what Prometheus reads from `/metrics`. */
export function grafanaDashboard(): object {
  const own = metricPanels().map(({ title, names }) => {
    const described = names.map((name) => ({ name, of: describe(name) }));
    const [first] = described;
    return {
      title,
      description: described.map(({ name, of }) => `${name}: ${of.help}`).join("\n"),
      unit: UNITS[first?.of.unit ?? "Count"],
      targets: described.flatMap(({ name, of }) => targetsOf(name, of)),
    };
  });
  const gauges = Object.entries(GAUGES).map(([name, help]) => ({
    title: help.replace(/[:.].*$/, ""),
    description: help,
    unit: "short",
    targets: [{ expr: name, legendFormat: name === "tagwire_lane_messages" ? "{{lane}} {{state}}" : "" }],
  }));
  return {
    title: "Tagwire on one machine",
    uid: "tagwire-one-machine",
    tags: ["tagwire"],
    timezone: "browser",
    schemaVersion: 39,
    refresh: "10s",
    time: { from: "now-3h", to: "now" },
    templating: {
      list: [{ name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" }],
    },
    panels: [...own, ...gauges].map(({ title, description, unit, targets }, at) => ({
      id: at + 1,
      type: "timeseries",
      ...{ title, description },
      datasource: DATASOURCE,
      gridPos: { x: (at % 3) * 8, y: Math.floor(at / 3) * 8, w: 8, h: 8 },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: targets.map((target, i) => ({ refId: `Q${i}`, datasource: DATASOURCE, ...target })),
    })),
  };
}

const DATASOURCE = { type: "prometheus", uid: "$datasource" };

/** Grafana's names of units. */
const UNITS: Readonly<Record<MetricDescription["unit"], string>> = {
  Count: "ops",
  Milliseconds: "s",
  Percent: "percentunit",
};

/** A counter by the second; of a measurement the median and the 99th percentile. */
function targetsOf(metric: string, { unit, byLane, by }: MetricDescription): Target[] {
  const name = prometheusName(metric, unit);
  const label = byLane ? "lane" : by.length > 1 ? "service" : undefined;
  const group = label === undefined ? "" : ` by (${label})`;
  const legend = label === undefined ? metric : `${metric} {{${label}}}`;
  if (unit === "Count")
    return [{ expr: `sum(rate(${name}[$__rate_interval]))${group}`, legendFormat: legend }];
  const buckets = label === undefined ? "le" : `le, ${label}`;
  return [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum(rate(${name}_bucket[$__rate_interval])) by (${buckets}))`,
    legendFormat: `${label === undefined ? metric : `{{${label}}}`} p${quantile * 100}`,
  }));
}
