import { messageOf } from 'agent-relay-protocol';
import { spelledOut } from 'agent-relay-wire';
import { runSidecar } from './sidecar/run-sidecar.ts';

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stopping.abort());
for (const end of ['end', 'close']) process.stdin.once(end, () => stopping.abort());

/** Claude Code keeps what its MCP servers say there, and shows it to nobody. */
const write =
  (level: string) =>
  (message: string, fields: object = {}) =>
    void process.stderr.write(spelledOut(`agent-relay ${level}: ${message} ${JSON.stringify(fields)}\n`));
const log = { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') };

try {
  await runSidecar({
    ...{ env: process.env, claudePid: process.ppid, cwd: process.cwd(), log, signal: stopping.signal },
    ...{ input: process.stdin, output: process.stdout },
  });
} catch (error) {
  log.error('the plugin cannot work', { reason: messageOf(error) });
  process.exitCode = 1;
}
process.exit();
