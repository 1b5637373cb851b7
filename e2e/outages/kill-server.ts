import { commandLineOf } from 'agent-relay-wire/node';
import { processesMentioning } from '../support/programs.ts';
import { until } from '../support/until.ts';

/** Kills the app-server among the processes whose environment carries a marker, as soon as there is one. */
export async function killServerOf(marker: string): Promise<void> {
  const servers = await until('an app-server', async () => {
    const pids = await processesMentioning(marker);
    const lines = await Promise.all(pids.map((pid) => commandLineOf(pid)));
    const found = pids.filter((_, index) => lines[index]?.includes('app-server'));
    return found.length > 0 && found;
  });
  for (const pid of servers) process.kill(pid, 'SIGKILL');
}
