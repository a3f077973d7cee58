/*
 * A count of what a load costs that uses no code of the router: it goes through the life of a connection and the way of a
 * message step by step, as DESIGN and the AWS documentation have them, and adds up what each step is billed as. All
 * numbers are written here.
 */

export interface Scenario {
  readonly connections: number;
  readonly sessionSeconds: number;
  readonly topics: number;
  readonly ping: { readonly after: number; readonly always: boolean };
  readonly tokenSeconds: number;
  readonly bytes: number;
  readonly perPost: number;
  readonly perRun: number;
  /** Whether receipts keep failures only; no message has an id of its producer's own. */
  readonly failuresOnly?: boolean;
  readonly traffic: readonly { readonly rate: number; readonly audience: number }[];
}

const DOLLARS = {
  http: 1 / 1e6,
  frame: 1 / 1e6,
  minute: 0.25 / 1e6,
  sqs: 0.4 / 1e6,
  fair: 0.1 / 1e6,
  run: 0.2 / 1e6,
  gigabyteSecond: 0.0000133334,
  write: 0.625 / 1e6,
  read: 0.125 / 1e6,
  /** Writes and reads of the item by which containers share the quota. */
  beat: 0.625 / 1e6,
  look: 0.125 / 1e6,
  storedGigabyte: 0.25,
  recoveryGigabyte: 0.2,
  logGigabyte: 0.5,
  outGigabyte: 0.09,
} as const;
type Item = keyof typeof DOLLARS;
export type Bill = Record<Item, number>;

const MONTH = 30 * 24 * 3_600;
const units = (bytes: number, each: number) => Math.max(1, Math.ceil(bytes / each));

/** START, END and REPORT of one run, as the Lambda documentation shows them. */
const ID = "8286a188-ba32-4475-8077-530cd35c09a9";
const PLATFORM = [
  `START RequestId: ${ID} Version: $LATEST\n`,
  `END RequestId: ${ID}\n`,
  `REPORT RequestId: ${ID}\tDuration: 15.40 ms\tBilled Duration: 16 ms\tMemory Size: 1024 MB\tMax Memory Used: 101 MB\t\n`,
].join("").length;
/** One record of the embedded metric format with these counts, as its specification has it. */
const record = (service: string, ...names: string[]) =>
  JSON.stringify({
    _aws: {
      Timestamp: 1_790_000_000_000,
      CloudWatchMetrics: [
        {
          Namespace: "Tagwire",
          Dimensions: [["service", "router"]],
          Metrics: names.map((Name) => ({ Name, Unit: "Count" })),
        },
      ],
    },
    router: "Tagwire/Router",
    service,
    ...Object.fromEntries(names.map((name) => [name, 1])),
  }).length + 1;
const ACCESS_LINE = 240;
/** What the log says of a message that is delivered at once. */
const MESSAGE = { messageId: ID, producer: "orders", lane: "normal", target: "user:1001" };
const STEP = { level: "INFO", timestamp: "2026-11-26T12:00:00.000Z", router: "Tagwire/Router" };
const STORY = [
  { ...STEP, service: "ingest", message: "message accepted", requestId: ID, ...MESSAGE },
  {
    ...{ ...STEP, service: "consume", message: "message delivered", runId: ID, receive: 1, ...MESSAGE },
    ...{ milliseconds: 100, sent: 1, gone: 0, failed: 0 },
  },
].reduce((bytes, line) => bytes + JSON.stringify(line).length + 1, 0);

/** What a month costs, item by item, in units. */
export function walk(scenario: Scenario, random: () => number): Bill {
  const bill = Object.fromEntries(Object.keys(DOLLARS).map((item) => [item, 0])) as Bill;
  let weight = 1;
  const add = (item: Item, amount = 1) => {
    bill[item] += weight * amount;
  };
  const run = (megabytes: number, milliseconds: number, logged: number) => {
    add("run");
    add("gigabyteSecond", (megabytes / 1_024) * (milliseconds / 1_000));
    add("logGigabyte", (PLATFORM + logged) / 1e9);
  };
  const out = (bytes: number) => add("outGigabyte", bytes / 1024 ** 3);

  const socketRun = (counts: string[] = []) =>
    run(256, 15, counts.length > 0 ? record("socket", ...counts) : 0);
  /** A frame, its reply, and the read of the row that stands between them. */
  const frame = (held: number, reply: number) => {
    add("frame", 2);
    add("read", units(260 + 24 * held, 4_096));
    out(reply + 30);
  };
  const changeOf = (held: number, marked: number) => {
    const row = 260 + 24 * held + 40 + 24 * marked;
    add("write", 2 * units(row, 1_024));
  };

  /** One connection, from its connect to its disconnect. */
  const visit = (framesPerSecond: number) => {
    const { sessionSeconds: end, topics, ping, tokenSeconds } = scenario;
    socketRun(["ConnectionsOpened"]);
    add("write", 1 + 2);
    out(250);
    let held = 0;
    while (held < topics) {
      const more = Math.min(50, topics - held);
      socketRun(["Subscribed"]);
      frame(held, 60 + 24 * more);
      held += more;
      changeOf(held, more);
      add("write", more);
    }
    for (let at = tokenSeconds; tokenSeconds > 0 && at < end; at += tokenSeconds) {
      socketRun();
      frame(held, 80);
      changeOf(held, held + 2);
      add("write", held + 2);
    }
    let heard = 0;
    let next = framesPerSecond > 0 ? -Math.log(1 - random()) / framesPerSecond : Number.POSITIVE_INFINITY;
    while (ping.after > 0 && heard + ping.after < end) {
      if (!ping.always && next < heard + ping.after) {
        heard = next;
        next += -Math.log(1 - random()) / framesPerSecond;
        continue;
      }
      heard += ping.after;
      socketRun();
      frame(held, 80);
    }
    socketRun(["ConnectionsClosed"]);
    add("write", units(260 + 24 * held, 1_024) + 2 + held);
  };

  const queued = scenario.bytes + 300;
  const send = (messages: number) => {
    add("sqs", units(queued * messages, 65_536));
    add("fair");
  };
  /** A receive of this many and the delete after it. */
  const taken = (messages: number) => add("sqs", units(queued * messages, 65_536) + 1);
  const consumed = ["Claims", "Endings", "FramesSent", "MeteredUnits"];

  /** Sends a second of all containers: 97 % of 80 % of 10,000. Fifty in flight of 20 ms each are the most of one. */
  const ALL = 7_760;
  const speed = (sideBySide: number) => Math.min(2_500, ALL / sideBySide);
  const lot = (perSecond: number) => -Math.log(1 - random()) / perSecond;

  /**
   * One run of a container: it begins at half of its part of 28, with what it has not sent in a quarter of a second.
   * Once a send has to wait it beats, and again where it knows nothing of the others any more, which is after ten
   * seconds; then every half second, and when it ends.
   */
  const share = (sends: number, sideBySide: number, isForgotten: boolean) => {
    const begin = ALL / 28 / 2;
    if (sends <= begin / 4) return;
    add("beat", isForgotten ? 2 : 1);
    let left = sends;
    const each = Math.max(500, 25 * sideBySide);
    for (let ms = 1; left > 0; ms++) {
      left -= speed(sideBySide) / 1_000;
      if (left > 0 && ms % each === 0) add("beat");
    }
    add("beat");
  };

  /** Reads a list of so many rows, page by page, and sends to each. */
  const serve = (rows: number, sideBySide = 1) => {
    // A claim, and an ending; that of a job is always written.
    const isSpared = scenario.failuresOnly === true && sideBySide === 1 && rows > 0;
    add("write", isSpared ? 1 : 2);
    let left = rows;
    let limit = 100;
    for (let page = 0; page === 0 || left > 0; page++) {
      if (page > 0) add("read");
      add("read", units(Math.min(left, limit) * 85, 4_096));
      left -= Math.min(left, limit);
      limit = 1_000;
    }
    add("frame", rows * units(scenario.bytes, 32_768));
    out(rows * (scenario.bytes + 30));
    return (rows * 1_000) / speed(sideBySide);
  };

  /** Those of the four containers of jobs that have beaten for this message. */
  const remembers = new Set<number>();
  /** Splits so many rows into jobs, and those again that are for more than one run can serve. */
  const split = (rows: number, runsPerSecond: number) => {
    const jobs = Math.min(100, Math.ceil(rows / 2_500));
    add("write", 1 + 2 * units(500 + 32 * jobs, 1_024));
    add("read", 3);
    for (let sent = 0; sent < jobs; sent += 10) send(Math.min(10, jobs - sent));
    for (let job = 0; job < jobs; job++) {
      taken(1);
      // Whether the message was cancelled.
      add("read");
      const each = rows / jobs;
      const sending = each > 5_000 ? 0 : serve(each, 4);
      if (each > 5_000) split(each, runsPerSecond);
      else {
        share(each, 4, !remembers.has(job % 4) && lot(runsPerSecond) > 10);
        remembers.add(job % 4);
      }
      busy += 20 + sending;
      run(1_024, 20 + sending, record("consume", ...consumed));
    }
  };

  /** Milliseconds of the jobs of one message. */
  let busy = 0;
  const messages = (audience: number, runsPerSecond: number) => {
    const { perPost, perRun } = scenario;
    add("http");
    run(512, 10, record("ingest", "MessagesAccepted") + ACCESS_LINE);
    for (let sent = 0; sent < perPost; sent += 10) send(Math.min(10, perPost - sent));
    out(350 + 90 * perPost);
    weight /= perRun;
    for (let i = 0; i < perPost; i++) {
      add("logGigabyte", (perRun * STORY) / 1e9);
      taken(perRun);
      let time = 12;
      for (let of = 0; of < perRun; of++) {
        time += 8;
        if (audience > 5_000) split(audience, runsPerSecond);
        else time += serve(audience);
      }
      // The sends of a run are side by side: one takes 20 ms, as fifty do.
      if (audience > 0 && audience <= 5_000)
        time = 12 + 8 * perRun + Math.max(20, (perRun * audience * 1_000) / 2_500);
      if (audience <= 5_000) share(perRun * audience, 1, lot(runsPerSecond) > 10);
      run(1_024, time, record("consume", ...consumed));
      for (let of = 0; of < perRun; of++) {
        const isSpared = scenario.failuresOnly === true && audience <= 5_000 && audience > 0;
        // Six minutes until it could be back, and a day.
        const days = isSpared ? 1 + 6 / 1_440 : 15;
        const kept = (500 * days) / 30 / 1e9;
        add("storedGigabyte", kept);
        add("recoveryGigabyte", kept);
      }
    }
    weight *= perRun;
  };

  const framesPerSecond =
    scenario.traffic.reduce((sum, { rate, audience }) => sum + rate * audience, 0) / scenario.connections;
  // Of those that ping in silence each has another luck.
  const visits = scenario.ping.always ? 1 : 4_000;
  weight = ((scenario.connections / scenario.sessionSeconds) * MONTH) / visits;
  for (let i = 0; i < visits; i++) visit(framesPerSecond);
  weight = 1;
  add("minute", (scenario.connections * MONTH) / 60);
  // Runs that have to wait for turns, a second.
  const sharing = scenario.traffic.reduce(
    (sum, { rate, audience }) =>
      sum + (audience * scenario.perRun > ALL / 28 / 8 ? rate / (audience > 5_000 ? 1 : scenario.perRun) : 0),
    0,
  );
  const posts = scenario.traffic.reduce((sum, { rate }) => sum + rate, 0) / scenario.perPost;
  const TRIES = 50;
  const LUCKS = 20;
  for (const { rate, audience } of scenario.traffic) {
    for (let i = 0; i < TRIES; i++) {
      weight = (rate * MONTH) / scenario.perPost / TRIES;
      busy = 0;
      remembers.clear();
      messages(audience, sharing);
      // While jobs wait, ingest looks at the shares with a POST, at most every five seconds.
      for (let luck = 0; luck < LUCKS; luck++)
        for (let at = 5 * random() + lot(posts); at < busy / 4_000; at += 5 + lot(posts))
          add("look", 1 / LUCKS);
    }
  }
  weight = 1;
  // Six lanes, five long polls each, which come back after 20 s.
  add("sqs", (6 * 5 * MONTH) / 20);
  return bill;
}

/** Dollars of each item; tiers where a month reaches them (a billion frames, 10 TB out). */
export function dollarsOf(bill: Bill): Bill {
  const dollars = Object.fromEntries(
    Object.entries(bill).map(([item, amount]) => [item, amount * DOLLARS[item as Item]]),
  ) as Bill;
  const over = Math.max(0, bill.frame - 1e9);
  const post = Math.max(0, bill.http - 300e6);
  const far = Math.max(0, bill.outGigabyte - 10_240);
  return {
    ...dollars,
    frame: dollars.frame - over * 0.2e-6,
    http: dollars.http - post * 0.1e-6,
    outGigabyte: dollars.outGigabyte - far * 0.005,
  };
}
