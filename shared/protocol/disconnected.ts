import * as v from "valibot";
import { Time } from "./message.ts";
import { exactObject } from "./parse.ts";

/** What a request to disconnect may have in its query. */
export const DisconnectQuery = exactObject({ before: v.exactOptional(Time) });
export type DisconnectQuery = v.InferOutput<typeof DisconnectQuery>;

/** What a request to disconnect has done. */
export const Disconnected = v.pipe(
  v.object({
    closed: v.pipe(v.number(), v.integer(), v.minValue(0)),
    more: v.boolean(),
  }),
  v.readonly(),
);
export type Disconnected = v.InferOutput<typeof Disconnected>;
