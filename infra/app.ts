import { App, CfnOutput, RemovalPolicy, Stack } from "aws-cdk-lib";
import { Tagwire } from "./tagwire.ts";

/*
 * The stack by itself. Context: tagwire:endpoint, the address of an emulator; tagwire:settings, changes to the
 * settings as JSON; tagwire:removal, retain or destroy.
 */
const app = new App();
const context = (key: string): string | undefined => app.node.tryGetContext(`tagwire:${key}`);
const endpoint = context("endpoint");
const changes = context("settings");
const removal = context("removal");

const stack = new Stack(app, "Tagwire", {
  description: "Pushes events to browsers and apps over WebSockets.",
});
const router = new Tagwire(stack, "Router", {
  ...(endpoint ? { emulator: { endpoint } } : {}),
  ...(changes ? { settings: JSON.parse(changes) } : {}),
  ...(removal ? { removalPolicy: removal === "destroy" ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN } : {}),
});
for (const [name, value] of Object.entries(router.outputs())) new CfnOutput(stack, name, { value });
