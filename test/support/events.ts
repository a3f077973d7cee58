import { readdirSync, readFileSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A sample in a public event format, in the two fields of a message that it fills. */
export interface SampleEvent {
  readonly event: string;
  readonly data: unknown;
}

const FOLDER = fileURLToPath(new URL("../events", import.meta.url));

/** Every event under test/events, in the order of its path; its name is the one its own format gives it. */
export function sampleEvents(): readonly SampleEvent[] {
  const paths = readdirSync(FOLDER, { recursive: true, encoding: "utf8" });
  return paths
    .filter((path) => path.endsWith(".json"))
    .sort()
    .map((path) => {
      const data = JSON.parse(readFileSync(join(FOLDER, path), "utf8"));
      const [format = ""] = path.split(sep);
      return { event: nameOf(format, basename(path, ".json"), data), data };
    });
}

/** GitHub names an event in a header, which is what the file is called; S3 and CloudEvents in the body. */
function nameOf(format: string, file: string, data: { Records?: { eventName: string }[]; type?: string }) {
  return data.Records?.[0]?.eventName ?? data.type ?? `${format}.${file}`;
}
