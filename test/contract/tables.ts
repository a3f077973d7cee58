import { describe } from "vitest";
import type { Connections, Receipts, Streams, Subscriptions } from "../../shared/ports.ts";
import { connectionsContract } from "./connections.ts";
import { connectionsRefreshContract } from "./connections-refresh.ts";
import { receiptsContract } from "./receipts.ts";
import { receiptsCancelContract } from "./receipts-cancel.ts";
import { receiptsDeathsContract } from "./receipts-deaths.ts";
import { receiptsFailuresContract } from "./receipts-failures.ts";
import { receiptsPlaceContract } from "./receipts-place.ts";
import { receiptsSplitContract } from "./receipts-split.ts";
import { streamsContract } from "./streams.ts";
import { subscriptionsContract } from "./subscriptions.ts";

/** Makes the adapters of one kind of table. */
export interface Store {
  readonly connections: () => Connections;
  readonly receipts: () => Receipts;
  readonly streams: () => Streams;
  readonly subscriptions: () => Subscriptions;
}

/** The contracts of all ports that stand on tables. */
export function tableContracts({ connections, receipts, streams, subscriptions }: Store): void {
  describe("connections", () => {
    connectionsContract(connections);
    describe("whose tokens are refreshed", () => connectionsRefreshContract(connections));
  });
  describe("receipts", () => {
    receiptsContract(receipts);
    describe("of split messages", () => receiptsSplitContract(receipts));
    describe("of messages in streams", () => receiptsPlaceContract(receipts));
    describe("of cancelled messages", () => receiptsCancelContract(receipts));
    describe("that keep failures only", () => receiptsFailuresContract(receipts));
    describe("of messages whose runs died", () => receiptsDeathsContract(receipts));
  });
  describe("streams", () => streamsContract(streams));
  describe("subscriptions", () => subscriptionsContract(subscriptions));
}
