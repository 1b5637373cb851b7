import type { AgentEvent } from 'agent-relay-protocol';
import { EventLog } from 'agent-relay-provider/testing';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { ClaudeSession } from '../src/provider/claude-session.ts';
import { launchClaude } from '../src/provider/launch-claude.ts';
import { dialled } from './dialling.ts';
import { brief } from './replay.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Way = 'stdio' | 'sdk-url' | 'dial';
interface Entered {
  readonly session: ClaudeSession;
  readonly log: EventLog;
}

async function through(way: Way, command: string): Promise<Entered> {
  if (way !== 'stdio') {
    const { sessions, close } = await dialled(command, { way });
    cleanUps.push(close);
    await expect.poll(() => sessions.length, { timeout: 30_000 }).toBe(1);
    return sessions[0] as Entered; // its length was looked at
  }
  const home = await tempHome();
  cleanUps.push(() => home.remove());
  const model = await startFakeAnthropic({ model: wordScript() });
  cleanUps.push(() => model.close());
  const session = await launchClaude({ command, cwd: home.workFolder, env: { ...home.env(), ...model.env() } });
  cleanUps.push(() => session.close());
  return { session, log: new EventLog(session) };
}

const answering =
  (outcome: 'allow' | 'deny') =>
  async ({ session, log }: Entered) => {
    await session.prompt('edit file: a.txt | x && then run command: touch b.txt && then say: after');
    for (let asked = 0; asked < 2; asked += 1) {
      await expect.poll(() => log.ofType('approval.requested').length, { timeout: 20_000 }).toBeGreaterThan(asked);
      const { approvalId } = log.ofType('approval.requested')[asked] ?? { approvalId: '' };
      await session.resolveApproval(approvalId, { outcome, by: 'me' });
    }
    await log.waitForTurnEnd();
  };

const scenarios: Readonly<Record<string, (entered: Entered) => Promise<unknown>>> = {
  'an answer with thoughts': async ({ session, log }) => {
    await session.prompt('think: hmm && then say: hello world');
    await log.waitForTurnEnd();
  },
  'tools that a person allows': answering('allow'),
  'tools that a person denies': answering('deny'),
  'tools that need no person': async ({ session, log }) => {
    await session.prompt('run command: ls nowhere && then say: looked');
    await log.waitForTurnEnd();
  },
  'a word in the running turn': async ({ session, log }) => {
    await session.prompt('run command: sleep 2 && then say: not reached');
    await log.waitFor('tool.started');
    await session.prompt('say: steered', { mode: 'now' });
    await log.waitFor('text.completed', ({ text }) => text === 'steered');
    await log.waitForTurnEnd();
  },
  'two prompts that wait for a turn': async ({ session, log }) => {
    await session.prompt('slow 6 150');
    await log.waitFor('text.delta');
    await session.prompt('say: b');
    await session.prompt('say: c');
    await log.waitFor('text.completed', ({ text }) => text === 'c');
    await expect.poll(() => log.ofType('turn.completed').length, { timeout: 20_000 }).toBe(2);
  },
  'an interrupted turn, and the next': async ({ session, log }) => {
    await session.prompt('slow 40 100');
    await log.waitFor('text.delta');
    await session.interrupt();
    await log.waitForTurnEnd();
    const after = log.events.length;
    await session.prompt('say: again');
    await log.waitForTurnEnd(after);
  },
  'a question that is withdrawn': async ({ session, log }) => {
    await session.prompt('run command: touch c.txt && then say: not reached');
    await log.waitFor('approval.requested');
    await session.interrupt();
    await log.waitForTurnEnd();
  },
  'a model that fails': async ({ session, log }) => {
    await session.prompt('error 400');
    await log.waitForTurnEnd();
  },
  'context, then a turn': async ({ session, log }) => {
    await session.prompt('the door is green', { mode: 'fyi' });
    await expect.poll(() => log.ofType('session.status').length, { timeout: 20_000 }).toBe(2);
    await session.prompt('say: thanks');
    await log.waitForTurnEnd();
  },
};

/** Without what tells of the way itself, and without what is cut into pieces by chance, or off by an interrupt. */
const told = (events: readonly AgentEvent[]): string[] =>
  events
    .filter(
      ({ type }) => !['session.started', 'vendor.event', 'text.delta', 'reasoning.delta', 'agent.error', 'tool.updated'].includes(type),
    )
    .map((event) =>
      brief(event)
        .replaceAll(/\S*\/work\//gu, '')
        .replace(/(?:word\d{3} )+/u, 'words'),
    );

const { claude, claudeDialling } = agentCliPaths();
const comparisons: readonly (readonly [name: string, command: string | undefined, way: Way])[] = [
  ['2.1.120 by --sdk-url', claudeDialling, 'sdk-url'],
  ['2.1.120 by dial', claudeDialling, 'dial'],
  ['2.1.329 by dial', claude, 'dial'],
];

describe.each(comparisons.filter(([, command]) => command !== undefined))(
  'Claude Code %s is as on stdio',
  { timeout: 90_000 },
  (_, command = '', way) => {
    test.each(Object.entries(scenarios))('%s', async (_name, play) => {
      const both: string[][] = [];
      for (const each of ['stdio', way] as const) {
        const entered = await through(each, command);
        await play(entered);
        await expect.poll(() => entered.log.ofType('session.status').at(-1)?.status, { timeout: 20_000 }).toBe('idle');
        both.push(told(entered.log.events));
      }
      const [onStdio = [], onTheWay] = both;
      expect(onStdio.length).toBeGreaterThan(3);
      expect(onTheWay).toEqual(onStdio);
    });
  },
);
