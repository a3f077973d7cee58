import { expect, test } from "vitest";
import { dice } from "../../simulation/world/dice.ts";
import { type Actor, type Scheduler, scheduler } from "../../simulation/world/scheduler.ts";

const started = (): Scheduler => scheduler(dice("a seed"), 0);
const never = () => false;

test("whoever waits goes on in the order of time, on a clock that jumps from one to the next", async () => {
  const { sleep, now, run } = started();
  const seen: [string, number][] = [];
  for (const [name, wait] of [
    ["late", 300],
    ["soon", 10],
    ["then", 100],
  ] as const) {
    void sleep(wait).then(() => seen.push([name, now()]));
  }
  await run(never);
  expect(seen).toEqual([
    ["soon", 10],
    ["then", 100],
    ["late", 300],
  ]);
});

test("an actor that has died never goes on", async () => {
  const { turn, sleep, run } = started();
  const actor: Actor = { name: "run-1", skew: 0, alive: true };
  const seen: string[] = [];
  void turn(actor, 20).then(() => seen.push("it went on"));
  void sleep(10).then(() => {
    actor.alive = false;
  });
  await run(never);
  expect(seen).toEqual([]);
});

test("of those that wait for the same moment each may be first", async () => {
  const firsts = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const { sleep, run } = scheduler(dice(`seed ${seed}`), 0);
    const order: number[] = [];
    for (const one of [1, 2, 3]) void sleep(5).then(() => order.push(one));
    await run(never);
    firsts.add(order[0] ?? 0);
  }
  expect([...firsts].sort()).toEqual([1, 2, 3]);
});

test("one goes on only when the one before has come to its next await", async () => {
  const { sleep, run } = started();
  const seen: string[] = [];
  const busy = async (name: string) => {
    await sleep(1);
    for (let part = 0; part < 3; part++) {
      await Promise.resolve();
      seen.push(name);
    }
  };
  void busy("a");
  void busy("b");
  await run(never);
  expect([seen.slice(0, 3), seen.slice(3)].map((part) => new Set(part).size)).toEqual([1, 1]);
});
