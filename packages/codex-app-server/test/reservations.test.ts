import { existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnedProcess, Provider, ReservedAgainst, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { CodexExecProvider } from '../src/provider/exec/exec-provider.ts';
import { threadSettingsPath } from '../src/provider/use-door.ts';
import { type CodexBench, codexBench, codexVersions, wasModelSent } from './harness.ts';

const reason = 'Ann has reserved these files';
const edit = (path: string) => `edit file: ${path} | x`;
const command = (words: string) => `run command: ${words}`;
const steps = (...each: readonly string[]) => [...each, 'say: over'].join(' && then ');

describe.each(codexVersions)('what another agent has reserved, and Codex %s', (_version, codex) => {
  let bench: CodexBench;
  let provider: Provider;
  let processes: OwnedProcess[];

  beforeEach(async () => {
    bench = await codexBench(codex);
    processes = [];
  });

  afterEach(async () => {
    await provider.close();
    await bench[Symbol.asyncDispose]();
  });

  const reservedAgainst: ReservedAgainst = async ({ cwd, input }) => (`${cwd} ${JSON.stringify(input)}`.includes('kept') ? reason : null);

  const start = async (of: Provider, mode: StartOptions['mode']) => {
    provider = of;
    const session = await provider.start({
      ...{ agentId: 'agent', sessionId: 'session', cwd: bench.home.workFolder, mode, approval: 'open', instructions: '' },
      ...{ mcp: [], env: bench.env, onProcess: (owned) => void processes.push(owned), reservedAgainst },
    });
    const log = new EventLog(session);
    const turn = async (text: string) => {
      const after = log.events.length;
      await session.prompt({ text, messageIds: [] }, { mode: 'next' });
      await log.waitForTurnEnd(after);
    };
    const refused = () => log.ofType('approval.resolved').map(({ by, outcome, message }) => [by, outcome, message]);
    return { session, log, turn, refused };
  };
  /** Has the user trust the folder's own settings, and answers where they stand. */
  const trustProject = async (settings: string): Promise<string> => {
    const { workFolder, codexHome } = bench.home;
    const path = join(workFolder, '.codex', 'config.toml');
    for (const folder of ['.git', '.codex']) await mkdir(join(workFolder, folder));
    await writeFile(path, settings);
    await appendFile(join(codexHome, 'config.toml'), `\n[projects.${JSON.stringify(workFolder)}]\ntrust_level = "trusted"\n`);
    return path;
  };
  const there = (...names: readonly string[]) => names.filter((name) => existsSync(join(bench.home.workFolder, name)));

  test.each([
    ['the app-server', 'agentic', () => new CodexProvider({ command: codex })],
    ['codex exec', 'unrestricted', () => new CodexExecProvider({ command: codex })],
  ] as const)('is left alone by patches and commands of %s in %s mode, and its model is told why', async (_, mode, provide) => {
    const { session, log, turn, refused } = await start(provide(), mode);
    await turn(steps(edit('kept.txt'), edit('free.txt'), command('touch kept.sh'), command('touch free.sh')));
    expect(there('kept.txt', 'free.txt', 'kept.sh', 'free.sh')).toEqual(['free.txt', 'free.sh']);
    expect(wasModelSent(bench.model, reason)).toBe(true);
    const denied = ['policy', 'denied', reason];
    expect(refused()).toEqual([denied, denied]);
    const asked = log.ofType('approval.requested').map(({ kind, title, options }) => [kind, title, options]);
    expect(asked).toEqual([
      ['edit', 'Apply a patch', []],
      ['execute', 'Run touch kept.sh', []],
    ]);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
    await session.close();
    expect(brokenEventRules(log.events)).toEqual([]);
  });

  test('is left alone on a server of somebody else’s, from another folder, by a patch within a command and by a sub-agent, and no other hook is trusted by that', async () => {
    await mkdir(join(bench.home.workFolder, 'kept'));
    const others = { type: 'command', command: `touch '${join(bench.home.workFolder, 'hooked')}'` };
    await writeFile(join(bench.home.codexHome, 'hooks.json'), JSON.stringify({ hooks: { PreToolUse: [{ hooks: [others] }] } }));
    // As Codex keeps it where somebody has switched one off.
    const off = `\n[hooks.state."${threadSettingsPath}:pre_tool_use:0:0"]\nenabled = false\n`;
    await appendFile(join(bench.home.codexHome, 'config.toml'), off);
    await trustProject(off);
    await using server = await CodexAppServer.start({ command: codex, env: bench.env });
    const { turn, refused } = await start(new CodexProvider({ command: codex, endpoint: server.endpoint }), 'unrestricted');
    const patch = "apply_patch <<'P'\n*** Begin Patch\n*** Add File: kept.txt\n+x\n*** End Patch\nP";
    await turn(
      steps(
        `call exec_command ${JSON.stringify({ cmd: 'touch a', workdir: 'kept' })}`,
        `call exec_command ${JSON.stringify({ cmd: patch })}`,
        command('touch free'),
      ),
    );
    expect(there('kept/a', 'kept.txt', 'free', 'hooked')).toEqual(['free']);
    await turn(`call spawn_agent ${JSON.stringify({ message: steps(edit('kept.md'), edit('free.md')) })} && then say: over`);
    await expect.poll(() => there('kept.md', 'free.md'), { timeout: 60_000 }).toEqual(['free.md']);
    expect(refused()).toHaveLength(3);
  });

  test.each([
    ['the app-server', () => new CodexProvider({ command: codex })],
    ['codex exec', () => new CodexExecProvider({ command: codex })],
  ] as const)('is not where the project has switched hooks off, which its session of %s says', async (name, provide) => {
    const settings = await trustProject('[features]\nhooks = false\n');
    const { log, turn, refused } = await start(provide(), 'agentic');
    const { message } = await log.waitFor('agent.error', ({ code }) => code === 'config_warning');
    expect(message).toContain('this session is not kept from what others have reserved');
    if (name === 'the app-server') expect(message).toContain(settings);
    await turn(steps(edit('kept.txt')));
    expect([there('kept.txt'), refused()]).toEqual([['kept.txt'], []]);
    expect(log.ofType('agent.error')).toHaveLength(1);
  });

  test('is left alone also after the server has died', async () => {
    const { turn } = await start(new CodexProvider({ command: codex }), 'agentic');
    await turn(steps(edit('free.txt')));
    process.kill(processes[0]?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => processes.length, { timeout: 60_000 }).toBe(2);
    await turn(steps(edit('kept.txt'), edit('free2.txt')));
    expect(there('free.txt', 'kept.txt', 'free2.txt')).toEqual(['free.txt', 'free2.txt']);
  });
});
