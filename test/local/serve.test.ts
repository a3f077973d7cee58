import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, existsSync, openSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { temporary } from "../engine/store/temporary.ts";
import { tokenFor } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { publish } from "../support/issuer.ts";
import { dial, HANDSHAKE, rawRequest } from "../support/raw.ts";
import { buildRouters, freePort, programOf, startRouter } from "./crash/router.ts";

/* What `npm start` is beside its API: as a process, with what an operator gives it. */

buildRouters();

const CERTIFICATES = new URL("../support/certificates/", import.meta.url).pathname;
const certificate = (name: string) => join(CERTIFICATES, `${name}.pem`);

const run = (env: Readonly<Record<string, string>>) =>
  startRouter("main", { TAGWIRE_DATA: join(temporary(), "data"), PORT: "0", ...env });

const SECRET = "a secret of at least 32 bytes, as long as its hash";

test.each([
  {
    env: { HOST: "192.0.2.1", TAGWIRE_SECRET: SECRET },
    says: 'HOST must be an address of this machine, got "192.0.2.1"',
  },
  {
    env: { TAGWIRE_TLS_CERT: certificate("first"), TAGWIRE_TLS_KEY: certificate("second-key") },
    says: `the key in ${certificate("second-key")} is not that of the certificate in ${certificate("first")}`,
  },
])("$env is refused in one line: $says", async ({ env, says }) => {
  const router = run(env as Readonly<Record<string, string>>);
  expect(await router.ended).toBe(1);
  expect(router.output()).toBe("");
  expect(router.errors()).toMatch(/^tagwire: [^\n]+\n$/);
  expect(router.errors()).toContain(says);
});

// Only Linux has a file that is always full.
test.skipIf(process.platform !== "linux")("a log that finds no room takes no message with it", async () => {
  const port = await freePort();
  const env = { TAGWIRE_DATA: join(temporary(), "data"), PORT: `${port}` };
  const full = openSync("/dev/full", "w");
  const router = spawn(process.execPath, [programOf("main")], {
    env: { ...process.env, ...env },
    stdio: ["ignore", full, "inherit"],
  });
  closeSync(full);
  onTestFinished(() => void router.kill("SIGKILL"));
  const ended = once(router, "exit");
  const url = `http://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(`${url}/health`).then(
      () => true,
      () => router.exitCode !== null,
    );
  await expect.poll(isUp).toBe(true);
  expect(await post({ url }, { id: "a", target: { topic: "plain" }, data: 1 })).toMatchObject({
    status: 202,
  });
  await expect.poll(() => receipt({ url }, "a")).toMatchObject({ state: "no-recipients" });
  router.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

test.skipIf(process.platform === "win32").each(["SIGHUP", "SIGTERM"] as const)(
  "a %s during the start waits for it",
  async (signal) => {
    const data = temporary();
    const database = join(data, "store.db");
    // Whoever opens it waits for somebody who writes.
    spawnSync("mkfifo", [database]);
    const files = { TAGWIRE_TLS_CERT: certificate("first"), TAGWIRE_TLS_KEY: certificate("first-key") };
    const router = run({ TAGWIRE_DATA: data, ...files });
    await expect.poll(() => existsSync(join(data, "lock"))).toBe(true);
    const ended = router.kill(signal);
    await expect.poll(() => router.output()).toMatch(/certificate read again|stopping/);
    writeFileSync(database, "not what a router can read");
    expect(await ended).toBe(1);
    expect(router.errors()).toMatch(/^tagwire: STORE_UNAVAILABLE: [^\n]+\n$/);
  },
);

test.skipIf(process.platform === "win32")(
  "a second signal ends a router that the disk holds up",
  async () => {
    const data = temporary();
    // Whoever opens it waits for somebody who writes, and there is nobody.
    spawnSync("mkfifo", [join(data, "store.db")]);
    const router = run({ TAGWIRE_DATA: data });
    await expect.poll(() => existsSync(join(data, "lock"))).toBe(true);
    const again = setInterval(() => void router.kill("SIGTERM"), 400);
    await router.ended;
    clearInterval(again);
    expect(router.output()).toContain("stopping");
  },
);

/** The common name of the certificate that a port shows. */
function shownAt(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("HTTPS and WSS are served with the certificate, which a SIGHUP reads again; what came before goes on", async () => {
  const folder = temporary();
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const install = (name: string) => {
    copyFileSync(certificate(name), files.cert);
    copyFileSync(certificate(`${name}-key`), files.key);
  };
  install("first");
  const router = run({ TAGWIRE_TLS_CERT: files.cert, TAGWIRE_TLS_KEY: files.key });
  const url = await router.ready;
  expect(url).toMatch(/^https:/);
  const port = Number(new URL(url).port);
  const socket = new WebSocket(`${url.replace("https", "wss")}/?token=${await tokenFor("anna")}`, {
    rejectUnauthorized: false,
  });
  await new Promise((resolve) => socket.once("open", resolve));
  // Node has stopped to read such a request as HTTP, so it goes in again.
  const headers = { upgrade: "h2c", connection: "upgrade" };
  const health = await new Promise<string>((resolve, reject) =>
    request(`${url}/health`, { headers, rejectUnauthorized: false }, (response) => resolve(text(response)))
      .on("error", reject)
      .end(),
  );
  expect(JSON.parse(health)).toMatchObject({ status: "ok" });

  expect(await shownAt(port)).toBe("first.example");
  install("second");
  void router.kill("SIGHUP");
  await expect.poll(() => shownAt(port)).toBe("second.example");
  copyFileSync(certificate("first"), files.cert);
  void router.kill("SIGHUP");
  await expect.poll(router.output).toContain("certificate not read again, the former one stays");
  expect(await shownAt(port)).toBe("second.example");
  socket.send('{"type":"ping"}');
  expect(String(await new Promise((resolve) => socket.once("message", resolve)))).toContain("pong");
  expect(await router.kill("SIGTERM")).toBe(0);
});

test("tokens of an issuer are taken and others refused, and no token is printed", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const issuer = await publish({
    "/.well-known/jwks.json": [{ ...(await exportJWK(publicKey)), kid: "a", alg: "ES256" }],
  });
  const router = run({ TAGWIRE_ISSUER: issuer.url, TAGWIRE_AUDIENCE: "push", TAGWIRE_CLAIM: "grant" });
  await expect.poll(router.output).toContain('"message":"ready"');
  const { url } = JSON.parse(router.output());
  const token = await new SignJWT({ grant: { publish: ["*"] } })
    .setProtectedHeader({ alg: "ES256", kid: "a" })
    .setSubject("shop")
    .setIssuer(issuer.url)
    .setAudience("push")
    .setExpirationTime("1m")
    .sign(privateKey);
  const message = { target: { topic: "orders" }, data: "a secret" };
  expect(await post({ url }, message, token)).toMatchObject({ status: 202 });
  expect(await post({ url }, message)).toMatchObject({ status: 401 });
  expect(router.output()).not.toContain("eyJ");
  expect(await router.kill("SIGTERM")).toBe(0);
  await issuer.stop();
});

const isWithin = (most: number) => (value: unknown) =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;

test("a message and a connection are a line of JSON each, without a payload or a token", async () => {
  const router = run({});
  const url = await router.ready;
  const began = performance.now();
  const socket = new WebSocket(`${url.replace("http", "ws")}/?token=${await tokenFor("anna")}`);
  await new Promise((resolve) => socket.once("open", resolve));
  const { id } = await post({ url }, { target: { user: "anna" }, data: "a secret" });
  await new Promise((resolve) => socket.once("message", resolve));
  // The frame may be there before the outcome is.
  await expect.poll(router.output).toContain("message delivered");
  socket.close();
  await expect.poll(router.output).toContain("connection closed");
  const most = Math.ceil((performance.now() - began) / 1_000);
  const records = router
    .output()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  const base = { time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), level: "INFO" };
  const requestId = expect.any(String);
  const [opened] = records;
  const connection = { requestId, connectionId: opened.connectionId, user: "anna", address: "127.0.0.1" };
  const message = { messageId: id, producer: "producer", lane: "normal", target: "user:anna" };
  const of = (service: string) => ({ ...base, service, router: "local" });
  expect(opened.connectionId).toMatch(/=$/);
  expect(records).toEqual([
    { ...of("socket"), message: "connection opened", ...connection },
    { ...of("ingest"), message: "message accepted", requestId, ...message },
    {
      ...{
        ...of("consume"),
        message: "message delivered",
        ...message,
        runId: expect.any(String),
        receive: 1,
      },
      ...{ milliseconds: expect.any(Number), sent: 1, gone: 0, failed: 0 },
    },
    {
      ...{ ...of("socket"), message: "connection closed", ...connection },
      ...{ code: 1005, seconds: expect.toSatisfy(isWithin(most)) },
    },
  ]);
  expect(await router.kill("SIGTERM")).toBe(0);
});

test("above info nothing is written of a message", async () => {
  const router = run({ LOG_LEVEL: "warn" });
  const url = await router.ready;
  const { id } = await post({ url }, { target: { user: "anna" }, data: 1 });
  await expect.poll(() => receipt({ url }, id)).toMatchObject({ state: "no-recipients" });
  expect(await router.kill("SIGTERM")).toBe(0);
  expect(router.output()).not.toMatch(/^\{/m);
});

test("a second signal ends a stop at once", async () => {
  const router = run({});
  const url = await router.ready;
  // A client that does not answer the close keeps the router for a second.
  const mute = await dial(url);
  mute.write(rawRequest(`GET /?token=${await tokenFor("anna")}`, { host: "127.0.0.1", ...HANDSHAKE }));
  await once(mute, "data");
  const again = setInterval(() => void router.kill("SIGTERM"), 50);
  expect(await router.ended).toBe(1);
  clearInterval(again);
  mute.destroy();
  expect(router.output()).not.toContain("stopped");
});
