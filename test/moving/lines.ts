import type { LineOf } from "../../shared/moving/line.ts";
import { type Content, writeExport } from "../../shared/moving/writer.ts";

export const HEAD = { id: "7-12-0", at: 5 };

export const WAITING: LineOf<"waiting"> = {
  ...{ kind: "waiting", entry: "12", lane: "high", body: "no job", receives: 1, sentAt: 4 },
};

export const written = (content: Iterable<Content>): string => [...writeExport(HEAD, content)].join("");
