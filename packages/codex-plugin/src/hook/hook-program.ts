import { text } from 'node:stream/consumers';
import { logPath, SessionLog } from '../relay/session-log.ts';
import { runCodexHook } from './run-hook.ts';

/** `agent-relay-codex hook`: Codex's word on stdin, the answer on stdout. Answers 0 whatever happens, for a hook stands in no session's way. */
export async function runHookProgram(): Promise<number> {
  const log = new SessionLog({ path: logPath(process.env), clock: Date, print: () => {} });
  log.lendTerminal();
  const output = await runCodexHook(await text(process.stdin), { env: process.env, tell: log.tell });
  if (output !== null) process.stdout.write(`${JSON.stringify(output)}\n`);
  return 0;
}
