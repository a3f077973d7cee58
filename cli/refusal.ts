import type { IncomingMessage } from "node:http";
import { parseJson } from "../shared/protocol/parse.ts";
import { hintFor, isReason, reasonLine } from "./failure.ts";

/** The most characters of an answer that are read. */
const MOST = 65_536;

/** Why a socket was refused: what the problem document in the answer says, or the status where there is none. */
export async function refusalOf(response: IncomingMessage): Promise<string> {
  const status = response.statusCode ?? 0;
  const problem = parseJson(await textOf(response));
  const why =
    problem.ok && isReason(problem.value)
      ? reasonLine(problem.value)
      : `the router refused the connection with ${status}`;
  return why + hintFor(status);
}

/** As much of the body as came before it ended or broke off. */
function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (part: string) => {
    text += part;
    if (text.length > MOST) response.destroy();
  });
  return new Promise((resolve) => {
    response.on("error", () => undefined);
    response.once("close", () => resolve(text));
  });
}
