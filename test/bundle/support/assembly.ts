import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Template as Assertions } from "aws-cdk-lib/assertions";
import { Tagwire } from "../../../infra/tagwire.ts";
import type { SettingsOverrides } from "../../../shared/settings/schema.ts";
import type { Template } from "../../../testing/template.ts";

export interface Assembly {
  readonly folder: string;
  readonly template: Template;
  remove(): void;
}

/** The stack as `cdk deploy` would upload it: its template and the code of its functions. */
export function synthesise(settings: SettingsOverrides): Assembly {
  const folder = mkdtempSync(join(tmpdir(), "tagwire-bundle-"));
  const stack = new Stack(new App({ outdir: folder, builtinCloudFormationValidation: false }), "Test");
  new Tagwire(stack, "Router", { settings });
  return {
    folder,
    template: Assertions.fromStack(stack).toJSON() as Template,
    remove: () => rmSync(folder, { recursive: true }),
  };
}
