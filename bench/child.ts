import { fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

/** A server in a process of its own, so that its CPU time is not counted as ours. */
export interface Child<Ready, Question, Answer> {
  /** What it said when it was up. */
  readonly ready: Ready;
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts `bench/server/<name>.ts`. Questions are answered in order, one at a time. */
export async function startChild<Ready, Question = never, Answer = never>(
  name: string,
): Promise<Child<Ready, Question, Answer>> {
  const child = fork(resolve(`bench/server/${name}.ts`), {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
  });
  const next = async <T>() => ((await once(child, "message")) as [T])[0];
  let last: Promise<unknown> = next<Ready>();
  const ready = (await last) as Ready;
  return {
    ready,
    ask(question) {
      const answer = last.then(() => {
        child.send(question as object);
        return next<Answer>();
      });
      last = answer;
      return answer;
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, "exit");
    },
  };
}

/** The other end: says that it is up and answers questions until its parent lets go. */
export function serveParent<Ready, Question, Answer>(
  ready: Ready,
  answer: (question: Question) => Answer | Promise<Answer>,
): void {
  process.on("message", async (question) => {
    process.send?.((await answer(question as Question)) as object);
  });
  process.on("disconnect", () => process.exit());
  process.send?.(ready as object);
}
