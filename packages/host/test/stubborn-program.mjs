// A vendor's program at its worst: asked for its version it says none, never ends, and hears no signal that can be ignored; nor does its child,
// which has left its group.
import { spawn } from 'node:child_process';

const deaf = `for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => {}); setInterval(() => {}, 1000);`;
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => {});
setInterval(() => {}, 1000);
const child = spawn(process.execPath, ['-e', `${deaf} process.stdout.write('ready')`], {
  detached: true,
  stdio: ['ignore', 'pipe', 'ignore'],
});
child.stdout.once('data', () => process.stdout.write(`${JSON.stringify({ pids: [process.pid, child.pid] })}\n`));
