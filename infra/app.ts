import { App, CfnOutput, Stack } from "aws-cdk-lib";
import { propsOf } from "./context.ts";
import { Tagwire } from "./tagwire.ts";

/* The stack by itself. docs/deploy.md lists its context keys. */
const app = new App();
const stack = new Stack(app, "Tagwire", {
  description: "Pushes events to browsers and apps over WebSockets.",
});
const router = new Tagwire(stack, "Router", propsOf(app.node.getAllContext()));
for (const [name, value] of Object.entries(router.outputs())) new CfnOutput(stack, name, { value });
