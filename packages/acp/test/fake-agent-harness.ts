import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProviderAbilities, ProviderHarness } from 'agent-relay-provider/testing';
import { type AcpAgent, acpAgents } from '../src/catalogue.ts';
import { AcpProvider } from '../src/provider/acp-provider.ts';

export const fakeAgentCommand = fileURLToPath(new URL('fake-agent.mjs', import.meta.url));

export const acpAbilities: ProviderAbilities = { steersRunningTurn: false, addsContextOnly: false, strongestEvidence: 'seen' };

/** Of an agent that nothing is known to hold to a mode. */
export const freeAbilities: ProviderAbilities = { ...acpAbilities, isFreeOnly: true };

/** It is asked about everything, so that no fence of its own is needed. */
export const fakeAgent: AcpAgent = {
  ...acpAgents.gemini,
  id: 'fake',
  name: 'Fake',
  command: 'fake-acp',
  args: [],
  install: 'by putting fake-agent.mjs on the PATH as fake-acp',
};

export interface FakeAgentHarness extends ProviderHarness {
  /** What the agent was sent and told, oldest first. */
  transcript(): Record<string, unknown>[];
}

/** The ACP provider over an agent that misbehaves in these ways. */
export async function fakeAgentHarness(ways: readonly string[] = [], agent: Partial<AcpAgent> = {}): Promise<FakeAgentHarness> {
  const folder = () => realpathSync(mkdtempSync(join(tmpdir(), 'fake-acp-')));
  const [cwd, outside] = [folder(), folder()];
  const file = join(outside, 'transcript.jsonl');
  const transcript = () =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
  const row = { ...fakeAgent, ...agent };
  return {
    provider: new AcpProvider(row, { command: fakeAgentCommand }),
    notInstalled: { provider: new AcpProvider(row), env: { PATH: cwd } },
    cwd,
    outside,
    env: {
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
      FAKE_ACP: ways.join(','),
      FAKE_ACP_TRANSCRIPT: file,
      GEMINI_CLI_IDE_SERVER_PORT: '1',
      GEMINI_API_KEY: 'key',
    },
    prompts: {
      say: (text) => `say: ${text}`,
      slow: 'slow 200 100',
      editFile: (path, text) => `edit file: ${path} | ${text} && then say: edited`,
      runCommand: (command) => `run command: ${command} && then say: ran it`,
    },
    wasModelSent: (text) => transcript().some((entry) => JSON.stringify(entry).includes(JSON.stringify(text).slice(1, -1))),
    forgiveModel: () => {},
    transcript,
    close: async () => {
      for (const each of [cwd, outside]) rmSync(each, { recursive: true, force: true });
    },
  };
}
