import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokenAbilities, type ProviderAbilities, type ProviderHarness, providerContract } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { type LineAgent, lineAgents } from '../src/provider/line-agent.ts';
import { LinesProvider, lineProviders } from '../src/provider/lines-provider.ts';

const program = fileURLToPath(new URL('fake-cli.mjs', import.meta.url));
const agent: LineAgent = {
  ...{ id: 'fake', name: 'Fake', command: 'fake-cli', install: 'by installing fake-cli', environment: [], evidence: 'run' },
  args: ['frames', '-p', '{prompt}'],
  resumeArgs: ['--resume', '{session}'],
  output: 'claude-json',
};

/** The provider over a program that says Claude Code's frames, a run each turn. Its model is what its runs were told. */
async function linesHarness(): Promise<ProviderHarness> {
  const folder = () => realpathSync(mkdtempSync(join(tmpdir(), 'lines-contract-')));
  const [cwd, outside] = [folder(), folder()];
  const transcript = join(outside, 'transcript');
  return {
    provider: new LinesProvider(agent, { command: program }),
    notInstalled: { provider: new LinesProvider(agent), env: { PATH: cwd } },
    ...{ cwd, outside },
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, FAKE_CLI_TRANSCRIPT: transcript },
    prompts: {
      say: (text) => `say: ${text}`,
      slow: 'slow: a while',
      editFile: (path, text) => `edit: ${path} | ${text}`,
      runCommand: (command) => `run: ${command}`,
    },
    wasModelSent: (text) => existsSync(transcript) && readFileSync(transcript, 'utf8').includes(JSON.stringify(text).slice(1, -1)),
    forgiveModel: () => {},
    close: async () => {
      for (const each of [cwd, outside]) rmSync(each, { recursive: true, force: true });
    },
  };
}

const abilities: ProviderAbilities = {
  ...{ steersRunningTurn: false, addsContextOnly: false, streamsText: false, strongestEvidence: 'seen' },
  ...{ isFreeOnly: true, startsProgram: false, outlivesItsProgram: true },
};

providerContract('a command line that says frames', abilities, linesHarness);

test('what each row of the catalogue says of itself is what the contract holds it to', () => {
  const held = ({ id }: LinesProvider) => ({ ...abilities, tellsChanges: lineAgents[id]?.output === 'claude-json' });
  expect(lineProviders().flatMap((provider) => brokenAbilities(provider, held(provider)))).toEqual([]);
  expect(brokenAbilities(new LinesProvider({ ...agent, output: 'text' }), { ...abilities, tellsChanges: false })).toEqual([]);
});
