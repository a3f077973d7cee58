import { once } from "node:events";
import { connect } from "node:net";
import type { Dialect, Publisher } from "../dialect.ts";

/** Subscribers over its WebSocket listener, publishers over TCP with an `+OK` for each message. */
export const nats: Dialect = {
  socketUrl: ({ port }) => `ws://127.0.0.1:${port}`,
  converse({ topics, say, subscribed, refused, messages }) {
    const take = natsReader({
      message: messages,
      line(line) {
        if (line.startsWith("PING")) say("PONG\r\n");
        else if (line.startsWith("PONG")) subscribed();
        else if (line.startsWith("-ERR")) refused(line);
      },
    });
    return {
      opened() {
        const subscriptions = topics.map((topic, i) => `SUB ${topic} ${i + 1}\r\n`).join("");
        say(`CONNECT {"verbose":false,"pedantic":false}\r\n${subscriptions}PING\r\n`);
      },
      heard: take,
    };
  },
  async publisher({ tcpPort }, connections) {
    const lines = await Promise.all(Array.from({ length: connections }, () => line(tcpPort)));
    const idle = [...lines];
    const wanted: ((line: Publisher) => void)[] = [];
    return {
      async publish(topic, data) {
        const mine = idle.pop() ?? (await new Promise<Publisher>((resolve) => wanted.push(resolve)));
        await mine.publish(topic, data).finally(() => {
          const next = wanted.shift();
          if (next) next(mine);
          else idle.push(mine);
        });
      },
      async close() {
        await Promise.all(lines.map((each) => each.close()));
      },
    };
  },
};

/** One TCP connection, one message at a time. */
async function line(port: number): Promise<Publisher> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let answered: (fault?: Error) => void = () => {};
  const answer = () =>
    new Promise<void>((resolve, reject) => {
      answered = (fault) => (fault ? reject(fault) : resolve());
    });
  socket.on("error", answered);
  socket.on(
    "data",
    natsReader({
      message() {},
      line(text) {
        if (text.startsWith("PING")) socket.write("PONG\r\n");
        else if (text.startsWith("+OK")) answered();
        else if (text.startsWith("-ERR")) answered(new Error(`NATS refused a message: ${text}`));
      },
    }),
  );
  const connected = answer();
  socket.write('CONNECT {"verbose":true,"pedantic":false}\r\n');
  await connected;
  return {
    publish(topic, data) {
      const text = JSON.stringify(data);
      const done = answer();
      socket.write(`PUB ${topic} ${text.length}\r\n${text}\r\n`);
      return done;
    },
    async close() {
      socket.end();
    },
  };
}

interface NatsEvents {
  /** A line of the protocol that carries no message. */
  line(line: string): void;
  message(payload: Buffer): void;
}

/** Reads the protocol from chunks that end anywhere, as those of its WebSocket listener do. */
export function natsReader({ line, message }: NatsEvents): (chunk: Buffer) => void {
  let kept: Buffer = Buffer.alloc(0);
  return (chunk) => {
    let bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    for (let end = bytes.indexOf("\r\n"); end >= 0; end = bytes.indexOf("\r\n")) {
      const text = bytes.toString("latin1", 0, end);
      if (!text.startsWith("MSG ")) {
        line(text);
        bytes = bytes.subarray(end + 2);
        continue;
      }
      const from = end + 2;
      const to = from + Number(text.slice(text.lastIndexOf(" ") + 1));
      if (bytes.length < to + 2) break;
      message(bytes.subarray(from, to));
      bytes = bytes.subarray(to + 2);
    }
    kept = bytes;
  };
}
