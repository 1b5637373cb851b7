import type { AgentEvent } from 'agent-relay-protocol';
import { EventLog } from 'agent-relay-provider/testing';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ClaudeSession } from '../src/provider/claude-session.ts';
import { launchClaude } from '../src/provider/launch-claude.ts';
import { dialled } from './dialling.ts';
import { brief } from './replay.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Way = 'stdio' | 'sdk-url' | 'dial';
interface Entered {
  readonly session: ClaudeSession;
  readonly log: EventLog;
}
/** A session, and how many events it had told before. */
interface Stage extends Entered {
  readonly after: number;
}

async function through(way: Way, command: string): Promise<Entered> {
  if (way !== 'stdio') {
    const { sessions, close } = await dialled(command, { way });
    cleanUps.push(close);
    await vi.waitUntil(() => sessions.length === 1, { timeout: 60_000 });
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
  async ({ session, log, after }: Stage) => {
    await session.prompt('edit file: a.txt | x && then run command: touch b.txt && then say: after');
    const answered: string[] = [];
    for (let asked = 0; asked < 2; asked += 1) {
      const isNew = ({ approvalId }: { readonly approvalId: string }) => !answered.includes(approvalId);
      const { approvalId } = await log.waitFor('approval.requested', isNew, { after });
      answered.push(approvalId);
      await session.resolveApproval(approvalId, { outcome, by: 'me' });
    }
    await log.waitForTurnEnd(after);
  };

const scenarios: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  'an answer with thoughts': async ({ session, log, after }) => {
    await session.prompt('think: hmm && then say: hello world');
    await log.waitForTurnEnd(after);
  },
  'tools that a person allows': answering('allow'),
  'tools that a person denies': answering('deny'),
  'tools that need no person': async ({ session, log, after }) => {
    await session.prompt('run command: ls nowhere && then say: looked');
    await log.waitForTurnEnd(after);
  },
  'a word in the running turn': async ({ session, log, after }) => {
    await session.prompt('run command: sleep 2 && then say: not reached');
    await log.waitFor('tool.started', undefined, { after });
    await session.prompt('say: steered', { mode: 'now' });
    await log.waitFor('text.completed', ({ text }) => text === 'steered', { after });
    await log.waitForTurnEnd(after);
  },
  'two prompts that wait for a turn': async ({ session, log, after }) => {
    await session.prompt('slow 6 150');
    await log.waitFor('text.delta', undefined, { after });
    await session.prompt('say: b');
    await session.prompt('say: c');
    await log.waitFor('text.completed', ({ text }) => text === 'c', { after });
    await log.until(() => count(log, after, 'turn.completed') === 2, 'both turns');
  },
  'an interrupted turn, and the next': async ({ session, log, after }) => {
    await session.prompt('slow 40 100');
    await log.waitFor('text.delta', undefined, { after });
    await session.interrupt();
    await log.waitForTurnEnd(after);
    const { length } = log.events;
    await session.prompt('say: again');
    await log.waitForTurnEnd(length);
  },
  'a question that is withdrawn': async ({ session, log, after }) => {
    await session.prompt('run command: touch c.txt && then say: not reached');
    await log.waitFor('approval.requested', undefined, { after });
    await session.interrupt();
    await log.waitForTurnEnd(after);
  },
  'a model that fails': async ({ session, log, after }) => {
    await session.prompt('error 400');
    await log.waitForTurnEnd(after);
  },
  'context, then a turn': async ({ session, log, after }) => {
    await session.prompt('the door is green', { mode: 'fyi' });
    await log.until(() => count(log, after, 'session.status') === 1, 'the context to be taken');
    await session.prompt('say: thanks');
    await log.waitForTurnEnd(after);
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
const versions = [
  { version: '2.1.120', command: claudeDialling, ways: ['sdk-url', 'dial'] },
  { version: '2.1.329', command: claude, ways: ['dial'] },
] as const;

/** Plays every scenario in one session, one after the other; answers what each of them told. */
async function playAll(way: Way, command: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const { session, log } = await through(way, command);
  await log.until(() => isAtRest(log), 'its beginning');
  const played = new Map<string, readonly string[]>();
  for (const [name, play] of Object.entries(scenarios)) {
    const after = log.events.length;
    await play({ session, log, after });
    // What ended a turn is told before that the session rests.
    await log.until(() => isAtRest(log), `rest after "${name}"`);
    played.set(name, told(log.events.slice(after)));
  }
  return played;
}

const isAtRest = (log: EventLog): boolean => log.ofType('session.status').at(-1)?.status === 'idle';
const count = (log: EventLog, after: number, type: AgentEvent['type']): number =>
  log.events.slice(after).filter((event) => event.type === type).length;

// Side by side: most of it is waiting.
describe.each(versions.filter(({ command }) => command !== undefined))('Claude Code $version', ({ command = '', ways }) => {
  const told = new Map<Way, ReadonlyMap<string, readonly string[]>>();
  beforeAll(async () => {
    const played = (['stdio', ...ways] as const).map(async (way) => void told.set(way, await playAll(way, command)));
    const failed = (await Promise.allSettled(played)).find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  });

  describe.each([...ways])('by %s is as on stdio', (way) => {
    test.each(Object.keys(scenarios))('%s', (name) => {
      const onStdio = told.get('stdio')?.get(name) ?? [];
      expect(onStdio.length).toBeGreaterThan(3);
      expect(told.get(way)?.get(name)).toEqual(onStdio);
    });
  });
});
