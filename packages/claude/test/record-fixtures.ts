// Records what the real CLIs say, for the translator tests: `node --conditions=agent-relay-source test/record-fixtures.ts`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { ndjsonDuplex, spawnProcess } from 'agent-relay-wire/node';
import { claudeArguments } from '../src/provider/command-line.ts';
import { claudeEnvironment } from '../src/provider/environment.ts';
import { ClaudeConnection } from '../src/stream-json/claude-connection.ts';
import type { ClaudeFrame } from '../src/stream-json/frames.ts';

type Line = { sent: { uuid: string; text: string; messageIds: number[]; isContext: boolean } } | { frame: unknown };
type Step =
  | { prompt: string; messageIds?: number[]; priority?: 'now' | 'next' | 'later'; isContext?: boolean }
  | { waitFor: (frame: ClaudeFrame) => boolean }
  | { interrupt: true };

const isType = (type: string) => (frame: ClaudeFrame) => frame.type === type;
const isIdle = (frame: ClaudeFrame) => frame['state'] === 'idle';
const isDelta = (frame: ClaudeFrame) => JSON.stringify(frame).includes('content_block_delta');

const scenarios: Record<string, Step[]> = {
  answer: [{ prompt: 'think: hmm && then say: hello world', messageIds: [7] }, { waitFor: isIdle }],
  tools: [{ prompt: 'edit file: a.txt | hi && then run command: ls nowhere && then say: done' }, { waitFor: isIdle }],
  steered: [
    { prompt: 'run command: sleep 0.5 && then say: not reached' },
    { waitFor: isType('assistant') },
    { prompt: 'say: steered', messageIds: [8], priority: 'next' },
    { waitFor: isIdle },
  ],
  merged: [
    { prompt: 'slow 6 150' },
    { waitFor: isDelta },
    { prompt: 'say: b', messageIds: [1], priority: 'later' },
    { prompt: 'say: c', messageIds: [2], priority: 'later' },
    { waitFor: isIdle },
  ],
  interrupted: [{ prompt: 'slow 40 100' }, { waitFor: isDelta }, { interrupt: true }, { waitFor: isIdle }],
  failed: [{ prompt: 'error 529', messageIds: [9] }, { waitFor: isIdle }],
  context: [
    { prompt: 'the door is green', messageIds: [5], priority: 'later', isContext: true },
    { waitFor: isIdle },
    { prompt: 'say: thanks' },
    { waitFor: isIdle },
  ],
};

const { claude, claudeBetween, claudeDialling } = agentCliPaths();
const folder = join(import.meta.dirname, 'fixtures');
mkdirSync(folder, { recursive: true });
/** Those named on the command line, else all. */
const wanted = process.argv.slice(2);
for (const [version, command] of [['2.1.120', claudeDialling], ['2.1.329', claude], ...claudeBetween] as const) {
  if (command === undefined || (wanted.length > 0 && !wanted.includes(version))) continue;
  for (const [name, steps] of Object.entries(scenarios)) {
    const lines = await record(command, steps);
    writeFileSync(join(folder, `${version}-${name}.jsonl`), `${lines.join('\n')}\n`);
    console.log(version, name, lines.length);
  }
}

async function record(command: string, steps: Step[]): Promise<string[]> {
  await using home = await tempHome();
  const model = await startFakeAnthropic({ model: wordScript() });
  const lines: Line[] = [];
  const frames: ClaudeFrame[] = [];
  let wake = () => {};
  const connection = new ClaudeConnection({
    whenLinkEnds: 'exit',
    onPermission: () => ({ behavior: 'allow' }),
    onFrame: (frame) => {
      frames.push(frame);
      lines.push({ frame: shortened(frame) });
      wake();
    },
  });
  const args = claudeArguments({ permissionMode: 'default', vendorSessionId: crypto.randomUUID() });
  const env = claudeEnvironment({ ...home.env(), ...model.env() });
  const child = await spawnProcess({ command, args, cwd: home.workFolder, env });
  await connection.attach(ndjsonDuplex(child));
  let handled = 0;
  for (const step of steps) {
    if ('prompt' in step) {
      const { prompt: text, messageIds = [], priority, isContext = false } = step;
      const uuid = crypto.randomUUID();
      lines.push({ sent: { uuid, text, messageIds, isContext } });
      await connection.prompt({ content: text, uuid, ...(priority ? { priority } : {}), ...(isContext ? { shouldQuery: false } : {}) });
    } else if ('interrupt' in step) await connection.interrupt();
    else {
      while (!frames.slice(handled).some(step.waitFor))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      handled = frames.findIndex((frame, index) => index >= handled && step.waitFor(frame)) + 1;
    }
  }
  await connection.close();
  await child.kill();
  model.takeViolations();
  await model.close();
  return lines.map((line) => JSON.stringify(line).replaceAll(home.directory, '/home/ada'));
}

/** Without the long lists that tell nothing about a turn. */
function shortened(frame: ClaudeFrame): unknown {
  if (frame.subtype !== 'init') return frame;
  const { type, subtype, uuid, session_id, cwd, model, permissionMode, claude_code_version, mcp_servers } = frame;
  return {
    type,
    subtype,
    uuid,
    session_id,
    cwd,
    model,
    permissionMode,
    claude_code_version,
    mcp_servers,
    tools: ['Bash', 'Read', 'Write'],
  };
}
