import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createLogger, runNode } from 'agent-relay-connect';
import { type AgentSession, type Provider, SessionEvents } from 'agent-relay-provider';

/**
 * A machine as relay-connect lends it, whose agents are line agents: each line is one entry of the agent's activity, kept on disk until the relay has it.
 * `node node-program.ts URL TOKEN STATE-FOLDER`
 */
const [url = '', token = '', stateDir = ''] = process.argv.slice(2);
const agent = fileURLToPath(new URL('line-agent.mjs', import.meta.url));

const provider: Provider = {
  id: 'lines',
  detect: async () => ({ available: true, version: '1', command: agent }),
  start: async ({ cwd }) => startSession(spawn(process.execPath, [agent], { cwd, stdio: ['pipe', 'pipe', 'inherit'] }), cwd),
  close: async () => {},
};

function startSession(child: ChildProcess, cwd: string): AgentSession {
  const events = new SessionEvents({ cwd });
  events.emit({ type: 'session.started', vendorSessionId: 's', cwd, version: '1' });
  events.emit({ type: 'session.status', status: 'idle' });
  let turns = 0;
  let left = 0;
  const printed = (text: string) => {
    events.emit({ type: 'output.line', stream: 'stdout', text });
    left -= 1;
    if (left === 0) events.emit({ type: 'turn.completed', turnId: `turn-${turns}`, outcome: 'finished' });
  };
  if (child.stdout) createInterface({ input: child.stdout }).on('line', printed);
  return {
    vendorSessionId: 's',
    model: null,
    events,
    prompt: async ({ text, messageIds }) => {
      turns += 1;
      left = Number(/lines: (\d+)/u.exec(text)?.[1]);
      for (const messageId of messageIds) events.emit({ type: 'input.accepted', messageId, evidence: 'turn', state: 'seen' });
      events.emit({ type: 'turn.started', turnId: `turn-${turns}` });
      child.stdin?.write(`${left}\n`);
    },
    interrupt: async () => false,
    close: async () => {
      child.kill();
      events.end({ reason: 'closed' });
    },
  };
}

const node = await runNode({
  url: new URL(url),
  readToken: async () => token,
  name: 'bench',
  stateDir,
  allowedFolders: [stateDir],
  providers: [provider],
  log: createLogger('error', null),
  env: process.env,
  clock: { now: Date.now },
});
console.log(JSON.stringify({ ready: true }));
process.on('SIGTERM', () => void node.stop('the measurement is over').then(() => process.exit(0)));
