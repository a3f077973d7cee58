import { socketHandler } from "../socket.ts";
import { readSecret } from "./secret.ts";
import { lambdaWorld } from "./world.ts";

export const handler = socketHandler(lambdaWorld(readSecret));
