import { App, CfnOutput, Stack } from "aws-cdk-lib";
import { Architecture, Runtime } from "aws-cdk-lib/aws-lambda";
import { NodejsFunction, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";
import { Tagwire } from "tagwire/infra";

const app = new App();
const endpoint: string | undefined = app.node.tryGetContext("tagwire:endpoint");
const stack = new Stack(app, "Shop");

const router = new Tagwire(stack, "Router", {
  settings: { lanes: { high: { concurrency: 4 } } },
  ...(endpoint ? { emulator: { endpoint } } : {}),
});

const ship = new NodejsFunction(stack, "Ship", {
  entry: "ship.ts",
  runtime: Runtime.NODEJS_24_X,
  architecture: Architecture.ARM_64,
  bundling: {
    format: OutputFormat.ESM,
    target: "node20",
    mainFields: ["module", "main"],
    bundleAwsSDK: true,
  },
});
router.addPublisher(ship);

new CfnOutput(stack, "ShipName", { value: ship.functionName });
for (const [name, value] of Object.entries(router.outputs())) new CfnOutput(stack, name, { value });
