/*
 * Runs one function as Lambda's Node runtime does: loads its module, then takes invocations one at a time, each with
 * a trace id in the environment. Invocations come from the parent process. Argument: the module.
 */
import { pathToFileURL } from "node:url";

const [, , module] = process.argv;
const { handler } = await import(pathToFileURL(module).href);

const contextOf = ({ requestId, deadline, arn }) => ({
  awsRequestId: requestId,
  invokedFunctionArn: arn,
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => deadline - Date.now(),
});

process.on("message", async ({ event, trace, ...invocation }) => {
  process.env._X_AMZN_TRACE_ID = trace;
  try {
    process.send({ value: await handler(event, contextOf(invocation)) });
  } catch (fault) {
    process.send({ fault: fault?.stack ?? String(fault) });
  }
});
process.send({ ready: true });
