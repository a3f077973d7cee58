import type { HistoryDeps } from "../../shared/pipeline/socket/history.ts";
import { rememberedRows } from "../../shared/pipeline/streams/remembered-rows.ts";
import type { HandlerPorts, StreamPorts } from "../ports.ts";

/** What reads streams for clients. Nothing if the settings keep none. */
export const readsOf = ({
  streams,
  clock,
  random,
  settings,
}: StreamPorts & Pick<HandlerPorts, "clock" | "random" | "settings">): HistoryDeps =>
  streams ? { reads: { streams: rememberedRows(streams, clock), clock, random, settings } } : {};
