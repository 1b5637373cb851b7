import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { messageOf } from 'agent-relay-protocol';
import { logPath, SessionLog } from '../relay/session-log.ts';
import type { StoredSession } from '../session/stored-session.ts';
import { runCodexHook } from './run-hook.ts';

/** Follows `hook` where this one is the process that another hook has started to tell the end of the session that it is given. */
const APART = 'apart';

/** `agent-relay-codex hook`: Codex's word on stdin, the answer on stdout. Answers 0 whatever happens, for a hook stands in no session's way. */
export async function runHookProgram(argv: readonly string[]): Promise<number> {
  const log = new SessionLog({ path: logPath(process.env), clock: Date, print: () => {} });
  log.lendTerminal();
  const word = await text(process.stdin);
  if (argv[3] === APART) {
    await tellEndOf(word, log.tell);
    return 0;
  }
  const endApart = (session: StoredSession) => goOnApart(argv.slice(1), JSON.stringify(session));
  const output = await runCodexHook(word, { env: process.env, now: Date.now, tell: log.tell, endApart });
  if (output !== null) process.stdout.write(`${JSON.stringify(output)}\n`);
  return 0;
}

async function tellEndOf(word: string, tell: (sentence: string) => void): Promise<void> {
  try {
    const [{ tellEnd }, { parseSession }] = await Promise.all([import('./plain-session.ts'), import('../session/stored-session.ts')]);
    await tellEnd(process.env, parseSession(word));
  } catch (error) {
    tell(`The end of a session was not told: ${messageOf(error)}`);
  }
}

/** The same program in a process of its own. Answers whether that has been told. */
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
