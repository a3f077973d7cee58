import { expect } from "vitest";
import { listedUntil } from "../../shared/pipeline/socket/follow-row.ts";
import { answer, connect, disconnect } from "../../shared/pipeline/socket/socket.ts";
import type { Connections } from "../../shared/ports.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import type { Stepwise } from "../support/interleave.ts";
import { NOW } from "../support/message.ts";

export const SOCKET = { connectionId: "c1=" as ConnectionId, connectedAt: NOW };

export const ANN = {
  sub: "ann" as UserId,
  tags: ["region:gd"] as Tag[],
  subscribe: ["*"],
  publish: [],
  admin: false,
  exp: NOW / 1000 + 3_600,
};

export interface Frame {
  readonly type: "subscribe" | "unsubscribe";
  readonly topics: readonly string[];
}

export interface TokenFrame {
  readonly type: "token";
  readonly token: string;
}

type Look = Awaited<ReturnType<Connections["read"]>>;

/** One open connection over memory adapters, and actors that do something to it step by step. */
export async function openConnection(held: readonly string[] = []) {
  const [connections, subscriptions] = [memoryConnections(), memorySubscriptions()];
  const clock = memoryClock(NOW);
  const deps = {
    connections,
    subscriptions,
    clock,
    policy: { maxAgeSeconds: 7_200, rowMarginSeconds: 600 },
    telemetry: memoryTelemetry(),
    random: Math.random,
    frameLimit: () => undefined,
    tokens: memoryTokens(),
  };
  /** A frame with a token of Ann's that says something else. */
  const refresh = (claims: Partial<typeof ANN> = {}): TokenFrame => ({
    type: "token",
    token: deps.tokens.sign({ ...ANN, exp: ANN.exp + 600, ...claims }),
  });
  const ask = (frame: Frame | TokenFrame) => answer(deps, SOCKET.connectionId, JSON.stringify(frame));
  await connect(deps, SOCKET, ANN);
  if (held.length > 0) await ask({ type: "subscribe", topics: held });

  /** Answers a frame. A reply that says yes must be what the row said at the frame's last look. */
  const asking =
    (frame: Frame | TokenFrame) =>
    async (stepwise: Stepwise): Promise<ServerFrame> => {
      let look: Look;
      const looking: Connections = {
        ...connections,
        read: async (...asked) => {
          look = await connections.read(...asked);
          return look;
        },
        settle: async (...asked) => {
          const settled = await connections.settle(...asked);
          look = await connections.read(SOCKET.connectionId, clock.now());
          return settled;
        },
      };
      const ports = { connections: stepwise(looking), subscriptions: stepwise(subscriptions) };
      const reply = await answer({ ...deps, ...ports }, SOCKET.connectionId, JSON.stringify(frame));
      if (reply.type === "token") {
        expect(look?.tokenExpiresAt).toBe(Date.parse(reply.expiresAt));
        for (const tag of reply.removed) expect(look?.tags).not.toContain(tag);
      } else if (reply.type === "subscribed" || reply.type === "unsubscribed") {
        const bearsOut = reply.topics.map((topic) => look?.tags.includes(`topic:${topic}` as Tag));
        expect(bearsOut).toEqual(reply.topics.map(() => frame.type === "subscribe"));
      }
      return reply;
    };
  const leaving = async (stepwise: Stepwise): Promise<undefined> => {
    const ports = { connections: stepwise(connections), subscriptions: stepwise(subscriptions) };
    await disconnect({ ...deps, ...ports }, SOCKET);
  };
  const listed = () => subscriptions.rows().map(({ tag }) => tag);
  const row = () => connections.read(SOCKET.connectionId, clock.now());
  /** The lists hold the connection exactly where its row says, and nobody is still at work on it. */
  const expectAgreement = async () => {
    const found = await row();
    expect(listed().toSorted()).toEqual(found?.tags.toSorted());
    expect(found?.changes).toEqual([]);
    const ends = new Set(subscriptions.rows().map(({ expiresAt }) => expiresAt));
    expect([...ends]).toEqual([found && listedUntil(found)]);
  };
  const expectNothingLeft = async () => {
    expect(listed()).toEqual([]);
    expect(await row()).toBeUndefined();
  };
  return {
    ask,
    asking,
    refresh,
    leaving,
    listed,
    row,
    clock,
    deps,
    connections,
    expectAgreement,
    expectNothingLeft,
  };
}
