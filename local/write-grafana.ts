import { writeFileSync } from "node:fs";
import { grafanaDashboard } from "./grafana.ts";

/* Writes docs/run/grafana.json again, after a change of shared/metric.ts: npm run build:grafana */
writeFileSync(
  new URL("../docs/run/grafana.json", import.meta.url),
  `${JSON.stringify(grafanaDashboard(), undefined, 2)}\n`,
);
