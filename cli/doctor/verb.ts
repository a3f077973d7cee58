import { type Command, Option } from "commander";
import type { Settings } from "../../shared/settings/schema.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { Failure, missing } from "../failure.ts";
import type { Io } from "../io.ts";
import { filled, parseSettings } from "../option.ts";
import type { Check } from "./check.ts";

interface Options {
  readonly region?: string;
  readonly reserve: boolean;
  readonly qualifier: string;
  readonly settings?: Settings;
  readonly json?: true;
}

/** `tagwire doctor`: looks at the account before a deploy. The SDK is only loaded here. */
export function doctorVerb(program: Command, io: Io): void {
  program
    .command("doctor")
    .description("look at the AWS account before a deploy: what would fail, and what to do")
    .option("--region <region>", "where the deploy goes (default: where the AWS SDK looks)", filled)
    .option("--no-reserve", "as for a deploy with -c tagwire:reserve=false")
    .option("--qualifier <text>", "of the CDK's bootstrap stack", "hnb659fds")
    .addOption(
      new Option("--settings <json>", "settings that differ from the defaults").argParser(parseSettings),
    )
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { region, reserve, qualifier, settings = DEFAULTS, json = false } = options;
      const [{ openAccount }, { doctor }] = await Promise.all([
        import("./aws-account.ts").catch(missing("doctor asks AWS through clients", CLIENTS)),
        import("./doctor.ts"),
      ]);
      const checks = await doctor(await openAccount(io.env, region), { settings, reserve, qualifier });
      for (const check of checks) io.stdout.write(json ? `${JSON.stringify(check)}\n` : lines(check));
      const failing = checks.filter(({ status }) => status === "would fail");
      if (failing.length > 0)
        throw new Failure(`a deploy would fail: ${failing.map(({ name }) => name).join(", ")}`);
    });
}

/** The clients that only this verb needs: 10 MB, so they are optional peers of the package. */
const CLIENTS = "@aws-sdk/client-lambda @aws-sdk/client-service-quotas @aws-sdk/client-ssm";

/** A check for people to read. */
const lines = ({ status, name, detail, todo }: Check): string =>
  `${status.padEnd(10)}  ${name.padEnd(20)}  ${detail}\n${todo === undefined ? "" : `${" ".repeat(12)}→ ${todo}\n`}`;
