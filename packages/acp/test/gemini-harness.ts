import type { ProviderHarness } from 'agent-relay-provider/testing';
import {
  agentCliPaths,
  type FakeGoogle,
  type GoogleCallIds,
  startFakeGoogle,
  type TempHome,
  tempHome,
  wordScript,
} from 'agent-relay-testing';
import { acpAgents } from '../src/catalogue.ts';
import { AcpProvider } from '../src/provider/acp-provider.ts';

export interface GeminiHarnessOptions {
  readonly callIds?: GoogleCallIds;
}

export interface GeminiHarness extends ProviderHarness {
  readonly home: TempHome;
  readonly model: FakeGoogle;
}

/** The provider over the real Gemini CLI, with a scripted model and a home of its own. */
export async function geminiHarness({ callIds }: GeminiHarnessOptions = {}): Promise<GeminiHarness> {
  const home = await tempHome();
  const model = await startFakeGoogle({ model: wordScript(), ...(callIds ? { callIds } : {}) });
  await model.writeGeminiHome(home.home);
  return {
    home,
    model,
    provider: new AcpProvider(acpAgents.gemini, { command: agentCliPaths().gemini }),
    notInstalled: { provider: new AcpProvider(acpAgents.gemini), env: { ...home.env(), PATH: home.directory } },
    cwd: home.workFolder,
    outside: await home.makeFolder('outside'),
    env: { ...home.env(), ...model.env() },
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
