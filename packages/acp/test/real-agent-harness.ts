import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProviderHarness } from 'agent-relay-provider/testing';
import {
  acpCliPaths,
  agentCliPaths,
  type FakeEndpoint,
  startFakeAnthropic,
  startFakeOpenAi,
  type TempHome,
  tempHome,
  wordScript,
} from 'agent-relay-testing';
import { acpAgents } from '../src/catalogue.ts';
import { AcpProvider } from '../src/provider/acp-provider.ts';

/** A real agent of the protocol in a home of its own, with a scripted model behind it. */
export interface RealAgent {
  /** Of its row. */
  readonly id: string;
  readonly command: string;
  readonly home: TempHome;
  readonly model: FakeEndpoint;
  readonly env: Readonly<Record<string, string>>;
}

export async function realAgentHarness({ id, command, home, model, env }: RealAgent): Promise<ProviderHarness> {
  const agent = acpAgents[id];
  if (!agent) throw new Error(`there is no row ${id}`);
  return {
    provider: new AcpProvider(agent, { command }),
    notInstalled: { provider: new AcpProvider(agent), env: { ...home.env(), PATH: home.directory } },
    cwd: home.workFolder,
    outside: await home.makeFolder('outside'),
    env: { ...home.env(), ...env },
    mcp: [],
    prompts: {
      say: (text) => `say: ${text}`,
      slow: 'slow 200 100',
      editFile: (path, text) => `edit file: ${path} | ${text} && then say: edited`,
      runCommand: (commandLine) => `run command: ${commandLine} && then say: ran it`,
    },
    wasModelSent: (text) => model.requests.some(({ body }) => JSON.stringify(body ?? null).includes(JSON.stringify(text).slice(1, -1))),
    forgiveModel: () => void model.takeViolations(),
    close: async () => {
      try {
        await model.close();
      } finally {
        await home.remove();
      }
    },
  };
}

/** Claude Code behind its adapter. */
export async function claudeAgentHarness(): Promise<ProviderHarness> {
  const [home, model] = [await tempHome(), await startFakeAnthropic({ model: wordScript() })];
  const env = { ...model.env(), CLAUDE_CODE_EXECUTABLE: agentCliPaths().claude };
  return realAgentHarness({ id: 'claude-agent-acp', command: acpCliPaths().claudeAgentAcp, home, model, env });
}

/** Codex behind its adapter. */
export async function codexAgentHarness(): Promise<ProviderHarness> {
  const [home, model] = [await tempHome(), await startFakeOpenAi({ model: wordScript() })];
  await model.writeCodexHome(home.codexHome);
  const env = { ...model.env(), CODEX_PATH: agentCliPaths().codex };
  return realAgentHarness({ id: 'codex-acp', command: acpCliPaths().codexAcp, home, model, env });
}

/** OpenCode, with an Anthropic model. */
export async function openCodeHarness(command: string): Promise<ProviderHarness> {
  const [home, model] = [await tempHome(), await startFakeAnthropic({ model: wordScript(), speaker: 'opencode' })];
  await model.writeOpenCodeHome(home.home);
  // Otherwise it asks the net for a list of models, or checks the thousands that it has in itself, at each start.
  const models = join(home.directory, 'models.json');
  await writeFile(models, '{}');
  const env = { ...model.env(), OPENCODE_DISABLE_MODELS_FETCH: 'true', OPENCODE_MODELS_PATH: models };
  return realAgentHarness({ id: 'opencode', command, home, model, env });
}
