import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { CREDENTIALS, REGION } from "../local/twin/emulators/aws.ts";
import { signedSockets } from "../shared/adapters/apigateway/signed-sockets.ts";
import { requestHandler } from "../shared/adapters/sdk/client.ts";
import type { Sockets } from "../shared/ports.ts";
import type { ConnectionId } from "../shared/protocol/tag.ts";
import { startChild } from "./child.ts";
import { perCpuSecond, rateOf, ratio } from "./measure.ts";
import { unsignedNodePost, unsignedPost } from "./plain/post.ts";
import type { BenchReport } from "./report.ts";
import type { GatewayReady } from "./server/gateway.ts";

const IN_FLIGHT = 50;
const BYTES = 500;

const SHIPPED = "SDK client as shipped";
const TUNED = "SDK client, tuned";
const OURS = "Tagwire";
const SHARED = "Tagwire, one frame for all";
const UNSIGNED = "undici, unsigned";
const NODE = "node:http, unsigned";

/** Posts per CPU-second by each way to post. */
export async function post(): Promise<BenchReport> {
  const gateway = await startChild<GatewayReady, "posts", number>("gateway");
  const { endpoint } = gateway.ready;
  const common = { region: REGION, credentials: CREDENTIALS, endpoint };
  const shipped = new ApiGatewayManagementApiClient(common);
  const tuned = new ApiGatewayManagementApiClient({
    ...common,
    cacheMiddleware: true,
    maxAttempts: 1,
    requestHandler: requestHandler(3_000, IN_FLIGHT),
  });
  const ours = signedSockets({
    endpoint,
    region: async () => REGION,
    credentials: tuned.config.credentials,
    timeout: 3_000,
    connections: IN_FLIGHT,
    now: Date.now,
  });
  const unsigned = unsignedPost(endpoint, IN_FLIGHT);
  const node = unsignedNodePost(endpoint, IN_FLIGHT);

  let posted = 0;
  const frame = () => Buffer.alloc(BYTES, String(posted++ % 10));
  const only = frame();
  const through =
    (sockets: Sockets, next: () => Buffer = frame) =>
    async () => {
      const ending = await sockets.send(idOf(posted), next());
      if (ending.kind !== "sent") throw new Error(`a post ended ${JSON.stringify(ending)}`);
    };
  const command = () => new PostToConnectionCommand({ ConnectionId: idOf(posted), Data: frame() });
  const contestants = [
    { name: SHIPPED, run: () => shipped.send(command()) },
    { name: TUNED, run: () => tuned.send(command()) },
    { name: OURS, run: through(ours) },
    { name: SHARED, run: through(ours, () => only) },
    { name: UNSIGNED, run: () => unsigned.post(idOf(posted), frame()) },
    { name: NODE, run: () => node.post(idOf(posted), frame()) },
  ].map((one) => ({ ...one, inFlight: IN_FLIGHT }));
  const rates = await perCpuSecond(contestants, { rounds: 9, window: 500 });

  shipped.destroy();
  tuned.destroy();
  node.destroy();
  ours.destroy();
  await unsigned.destroy();
  await gateway.stop();
  return {
    name: "post",
    title: "Posts to connections",
    method:
      `Frames of ${BYTES} bytes to a loopback HTTP server in another process, ${IN_FLIGHT} in flight; each post has ` +
      "a frame of its own but in the row that says otherwise, which is what a topic does. Counted is the CPU time of " +
      "the posting process. Rows take turns of half a second, nine rounds, medians; ratios compare within a round. " +
      "The SDK's client as shipped has no option set; tuned, it has `cacheMiddleware` and no retries. The unsigned " +
      "rows are undici's fastest interface and Node's own client without signature or credentials, which no signed path can reach. Tagwire signs with `@smithy/signature-v4` and sends with Node's client.",
    packages: ["undici", "@aws-sdk/client-apigatewaymanagementapi"],
    columns: ["posts per CPU-second", "median", "× SDK as shipped", "× node:http"],
    rows: contestants.map(({ name }) => ({
      control: name !== OURS && name !== SHARED,
      cells: [name, rateOf(rates, name), ratio(rates, name, SHIPPED), ratio(rates, name, NODE)],
    })),
    invariants: [
      {
        what: "Tagwire to the SDK client as shipped",
        got: ratio(rates, OURS, SHIPPED),
        wants: { least: 2.5 },
      },
      { what: "Tagwire to node:http unsigned", got: ratio(rates, OURS, NODE), wants: { least: 0.25 } },
    ],
    chart: {
      title: "Posts per CPU-second",
      bars: contestants.map(({ name }) => ({
        label: name,
        value: rateOf(rates, name),
        control: name !== OURS && name !== SHARED,
      })),
    },
  };
}

/** As API Gateway makes them: they end in "=", which a path must escape. */
const idOf = (n: number): ConnectionId =>
  `${Buffer.from(String(n % 10_000).padStart(11, "c")).toString("base64")}` as ConnectionId;
