import { socketHandler } from "../socket.ts";
import { lambdaWorld } from "./world.ts";

export const handler = socketHandler(lambdaWorld());
