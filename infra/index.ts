/** The door `tagwire/infra`: what an app of the CDK puts into its stack. */
export * from "./tagwire.ts";
