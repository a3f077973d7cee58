// Prints what importing the file in its argument takes, in milliseconds: CPU time, wall time, and the CPU time of what
// it goes on to load by itself.
import { setTimeout as pause } from "node:timers/promises";

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const [cpuBefore, before] = [cpu(), performance.now()];
await import(process.argv[2]);
const [cpuAfter, after] = [cpu(), performance.now()];
await pause(150);
console.log(JSON.stringify({ cpu: cpuAfter - cpuBefore, wall: after - before, settled: cpu() - cpuBefore }));
process.exit();
