import { type Step, type Stream, type StreamReply, stream } from "../../client/stream.ts";
import type { MessageFrame, ServerFrame } from "../../shared/protocol/server-frame.ts";
import { OWN_STREAM } from "../../shared/protocol/stream-frame.ts";
import { type Topic, topicTag, type UserId, userTag } from "../../shared/protocol/tag.ts";
import type { Follower } from "../oracle/streams.ts";
import type { Socket } from "../world/gateway.ts";
import type { Reader } from "../world/reader.ts";
import type { Simulation } from "../world/world.ts";
import { join, leave, say } from "./client.ts";
import { identityOf } from "./people.ts";

/** One page: what it was told, and what its handler has not done with. */
interface Page {
  readonly place: Stream<MessageFrame>;
  readonly queue: MessageFrame[];
  /** The number of the last message that was handed on. */
  last: number;
  isAlive: boolean;
  isBusy: boolean;
  isWaiting: boolean;
  /** Replies that brought nothing. */
  futile: number;
}

/** Milliseconds until a hole is fetched, and up to as many again. */
const HOLE_AGE = 2_000;
/** Replies that bring nothing until a hole counts as one that cannot be filled. */
const FUTILE = 3;

export function reader(world: Simulation, name: Topic | typeof OWN_STREAM, known?: UserId): Reader {
  const { scheduler, dice, oracle, gateway, bugs, trace } = world;
  const anyone = identityOf(world);
  const user = known ?? anyone.sub;
  const identity = { ...anyone, sub: user };
  const streamName = name === OWN_STREAM ? userTag(user) : topicTag(name);
  const follower: Follower = {
    ...{ name: `reader-${world.readers.length}`, stream: streamName, done: new Set(), gaps: [] },
  };
  let page = pageFrom(undefined);
  let lines: Socket[] = [];
  let isConnecting = false;

  function pageFrom(start: number | undefined): Page {
    const plain = stream<MessageFrame>(start);
    const place = bugs?.place?.(plain, (from) => stream(from)) ?? plain;
    return {
      place,
      queue: [],
      last: start ?? 0,
      ...{ isAlive: true, isBusy: false, isWaiting: false, futile: 0 },
    };
  }

  /** Hands on what a page was told, in order. */
  const handOn = (of: Page, steps: readonly Step<MessageFrame>[]): void => {
    if (!of.isAlive) return;
    if (steps.length > 0) {
      const what = steps.map((step) =>
        step.kind === "gap" ? `gap ${step.since}-${step.position}` : step.message.seq,
      );
      trace.note(
        follower.name,
        "is told",
        () => `${what.join(", ")} of ${name}, and stands at ${of.place.position()}`,
      );
    }
    for (const step of steps) {
      if (step.kind === "gap") {
        const { since, position = since } = step;
        oracle.gapped(follower, since, position);
        // What it has of the messages in between comes all the same.
        of.last = Math.min(since, position);
      } else {
        oracle.handedOn(follower, { ...step.message }, of.last);
        of.last = step.message.seq ?? of.last;
        of.queue.push(step.message);
      }
    }
    void handle(of);
    if (of.place.hasHole()) void waitForHole(of);
  };

  /** The app's handler: one message after the other, and some take their time. */
  const handle = async (of: Page): Promise<void> => {
    if (of.isBusy) return;
    of.isBusy = true;
    for (let message = of.queue[0]; message && of.isAlive; message = of.queue[0]) {
      if (dice.chance(0.3)) await scheduler.sleep(dice.whole(1, 3_000));
      if (!of.isAlive) return;
      of.queue.shift();
      if (message.seq !== undefined) follower.done.add(message.seq);
    }
    of.isBusy = false;
  };

  const givenOut = ({ place, queue }: Page): number | undefined => {
    const position = place.position();
    const [unfinished] = queue;
    if (bugs?.isEarly || position === undefined || unfinished?.seq === undefined) return position;
    return Math.min(position, unfinished.seq - 1);
  };

  const waitForHole = async (of: Page): Promise<void> => {
    if (of.isWaiting) return;
    of.isWaiting = true;
    const position = of.place.position();
    await scheduler.sleep(HOLE_AGE * (1 + dice.next()));
    of.isWaiting = false;
    if (!of.isAlive || !of.place.hasHole()) return;
    if (of.place.position() === position) await fetchHistory(of);
    else void waitForHole(of);
  };

  const fetchHistory = async (of: Page): Promise<void> => {
    const since = of.place.position();
    const line = lines.at(-1);
    if (of.isWaiting || since === undefined || !line) return;
    of.isWaiting = true;
    const reply = await ask(line, { type: "history", topic: name, since });
    of.isWaiting = false;
    if (reply?.type !== "history") return;
    const { messages, position, more, gap } = reply;
    handOn(of, of.place.history({ messages, position, more, gap }, since));
    if (of.place.position() !== since) of.futile = 0;
    else if (of.place.hasHole() && ++of.futile >= FUTILE) handOn(of, of.place.abandon(since));
    if (more && of.place.hasHole()) await fetchHistory(of);
  };

  /** Undefined if no answer came over the socket, which is then given up. */
  const ask = async (line: Socket, frame: Parameters<typeof say>[2]): Promise<ServerFrame | undefined> => {
    while (!gateway.admits()) await scheduler.sleep(dice.whole(100, 1_000));
    const end = line.state === "open" ? await say(world, line, frame) : undefined;
    if (end?.kind !== "returned" || line.state !== "open") {
      await drop(line);
      return undefined;
    }
    return bugs?.reply?.(end.value, user) ?? end.value;
  };

  const drop = async (line: Socket): Promise<void> => {
    lines = lines.filter((one) => one !== line);
    delete line.onFrame;
    await leave(world, line);
  };

  const subscribe = async (line: Socket): Promise<boolean> => {
    const of = page;
    const since = of.place.position();
    if (name !== OWN_STREAM) {
      const tag = topicTag(name);
      line.tags.set(tag, "maybe");
      oracle.changed(line);
    }
    const asked = since === undefined ? {} : { since: { [name]: since } };
    const reply = await ask(line, { type: "subscribe", topics: [name], ...asked });
    if (reply?.type !== "subscribed") {
      await drop(line);
      return false;
    }
    if (name !== OWN_STREAM) line.tags.set(topicTag(name), "yes");
    oracle.changed(line);
    const told: StreamReply<MessageFrame> = {
      messages: reply.messages ?? [],
      position: reply.positions?.[name],
      recovered: reply.recovered?.[name],
      more: reply.more?.[name],
    };
    if (told.position === undefined)
      oracle.violate("a subscribe to a stream says where it is", follower.name);
    follower.since ??= scheduler.now();
    handOn(of, of.place.subscribed(told, since));
    if (told.more) void fetchHistory(of);
    return true;
  };

  const receive = (text: string): void => {
    const frame = JSON.parse(text) as MessageFrame;
    const isMine =
      name === OWN_STREAM ? "to" in frame && frame.to === "user" : "topic" in frame && frame.topic === name;
    if (isMine) handOn(page, page.place.live(frame));
  };

  const open = async (): Promise<boolean> => {
    if (isConnecting) return false;
    isConnecting = true;
    const line = await join(world, identity);
    if (line) {
      line.onFrame = receive;
      lines.push(line);
    }
    const isHeld = line !== undefined && (await subscribe(line));
    isConnecting = false;
    return isHeld;
  };

  return {
    name,
    follower,
    connect: open,
    async cut() {
      for (const line of lines) await drop(line);
    },
    async rotate() {
      const before = [...lines];
      if (!(await open())) return;
      await scheduler.sleep(dice.whole(0, 2_000));
      for (const line of before) await drop(line);
    },
    async ping() {
      const position = page.place.position();
      const line = lines.at(-1);
      if (!line) return;
      const of = page;
      const reply = await ask(line, {
        type: "ping",
        ...(position === undefined ? {} : { positions: { [name]: position } }),
      });
      const head = reply?.type === "pong" ? reply.positions?.[name] : undefined;
      if (head !== undefined) of.place.head(head);
      handOn(of, []);
    },
    reload() {
      page.isAlive = false;
      const start = givenOut(page);
      trace.note(follower.name, "loads its page again", () => `from ${start}`);
      if (start !== undefined) oracle.reloaded(follower, start);
      page = pageFrom(start);
    },
    isConnected: () => lines.some(({ state }) => state === "open"),
    isBehind: () => page.place.hasHole() || page.queue.length > 0,
    position: () => page.place.position(),
  };
}
