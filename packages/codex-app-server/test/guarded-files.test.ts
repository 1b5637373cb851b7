import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Provider, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { CodexExecProvider } from '../src/provider/exec/exec-provider.ts';
import { type CodexBench, codexBench, codexVersions, wasModelSent } from './harness.ts';

const edit = (path: string) => `edit file: ${path} | x`;
const command = (words: string) => `run command: ${words}`;
const steps = (...each: readonly string[]) => [...each, 'say: over'].join(' && then ');
const refusalOf = (part: string) => `This session may not edit ${part}: what is in there can run commands.`;

describe.each(codexVersions)('what can run commands, and Codex %s', (_version, codex) => {
  let bench: CodexBench;
  let provider: Provider;

  beforeEach(async () => {
    bench = await codexBench(codex);
  });

  afterEach(async () => {
    await provider.close();
    await bench[Symbol.asyncDispose]();
  });

  const start = async (of: Provider, rights: Pick<StartOptions, 'mode' | 'ask'>) => {
    provider = of;
    const session = await provider.start({
      ...{ agentId: 'agent', sessionId: 'session', cwd: bench.home.workFolder, approval: 'open', instructions: '', mcp: [] },
      ...{ ...rights, env: bench.env, onProcess: () => {} },
    });
    const log = new EventLog(session);
    const turn = async (text: string) => {
      const after = log.events.length;
      await session.prompt({ text, messageIds: [] }, { mode: 'next' });
      await log.waitForTurnEnd(after);
    };
    const refused = () => log.ofType('approval.resolved').map(({ by, outcome, message }) => `${by} ${outcome}: ${message}`);
    return { session, log, turn, refused };
  };
  const there = (...names: readonly string[]) => names.filter((name) => existsSync(join(bench.home.workFolder, name)));

  test.each([
    ['the app-server', {}, () => new CodexProvider({ command: codex })],
    ['the app-server that may ask', { ask: true }, () => new CodexProvider({ command: codex })],
    ['codex exec', {}, () => new CodexExecProvider({ command: codex })],
  ] as const)('is left alone by patches and commands of %s in agentic mode, and its model is told why', async (_, may, provide) => {
    mkdirSync(join(bench.home.workFolder, '.claude'));
    symlinkSync('.claude', join(bench.home.workFolder, 'notes'));
    const { session, log, turn, refused } = await start(provide(), { mode: 'agentic', ...may });
    const edited = ['.mcp.json', '.gemini/settings.json', 'notes/settings.json', '.env'];
    const commands = [command('touch .envrc'), command('cp free.txt sub/.husky/pre-commit')];
    await turn(steps(edit('free.txt'), ...edited.map(edit), ...commands, command('touch free.sh')));
    expect(there('free.txt', 'free.sh', '.envrc', 'sub', ...edited)).toEqual(['free.txt', 'free.sh']);
    const parts = ['.mcp.json', '.gemini', '.claude', '.env', '.envrc', '.husky'];
    expect(refused()).toEqual(parts.map((part) => `policy denied: ${refusalOf(part)}`));
    expect(wasModelSent(bench.model, refusalOf('.husky'))).toBe(true);
    await session.close();
    expect(brokenEventRules(log.events)).toEqual([]);
  });

  test('is kept by its own sandbox from commands that do not say what they write, as far as that is git’s or its own', async () => {
    const folders = ['.git', '.codex', '.agents', '.claude', '.husky'];
    for (const folder of ['.git', '.claude']) mkdirSync(join(bench.home.workFolder, folder));
    const { turn, refused } = await start(new CodexProvider({ command: codex }), { mode: 'agentic' });
    await turn(steps(command(`for each in git codex agents claude husky; do mkdir -p .$each; touch .$each/made; done`)));
    expect(there(...folders.map((folder) => `${folder}/made`))).toEqual(['.claude/made', '.husky/made']);
    expect(refused()).toEqual([]);
  });

  test('is an unrestricted session’s to edit', async () => {
    const { turn, refused } = await start(new CodexProvider({ command: codex }), { mode: 'unrestricted' });
    await turn(steps(edit('.mcp.json'), command('touch .envrc')));
    expect([there('.mcp.json', '.envrc'), refused()]).toEqual([['.mcp.json', '.envrc'], []]);
  });
});
