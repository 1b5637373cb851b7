import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { logPath, SessionLog } from '../relay/session-log.ts';
import { runCodexHook } from './run-hook.ts';

/** Follows `hook` where this one is the process that another hook has started to do the rest. */
const APART = 'apart';

/** `agent-relay-codex hook`: Codex's word on stdin, the answer on stdout. Answers 0 whatever happens, for a hook stands in no session's way. */
export async function runHookProgram(argv: readonly string[]): Promise<number> {
  const log = new SessionLog({ path: logPath(process.env), clock: Date, print: () => {} });
  log.lendTerminal();
  const word = await text(process.stdin);
  const endApart = () => goOnApart(argv.slice(1), word);
  const output = await runCodexHook(word, { env: process.env, tell: log.tell, ...(argv[3] === APART ? {} : { endApart }) });
  if (output !== null) process.stdout.write(`${JSON.stringify(output)}\n`);
  return 0;
}

/** The same hook in a process of its own. Answers whether that has been told. */
async function goOnApart(program: readonly string[], word: string): Promise<boolean> {
  const child = spawn(process.execPath, [...process.execArgv, ...program, APART], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    windowsHide: true,
  });
  child.unref();
  try {
    await once(child, 'spawn');
    child.stdin.end(word);
    await finished(child.stdin, { readable: false });
    return true;
  } catch {
    return false;
  }
}
