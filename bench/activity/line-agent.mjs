// An agent that costs nothing: for each number on its input it prints so many lines, as fast as they are taken.
import { createInterface } from 'node:readline';

const line = `${JSON.stringify({ tool: 'Bash', output: 'what a build prints while it works, in one line of a usual length' })}\n`;
for await (const count of createInterface({ input: process.stdin })) {
  for (let left = Number(count); left > 0; left -= 256) {
    if (process.stdout.write(line.repeat(Math.min(left, 256)))) continue;
    await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}
