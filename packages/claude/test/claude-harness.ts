import type { McpEndpoint } from 'agent-relay-provider';
import type { ProviderAbilities, ProviderHarness } from 'agent-relay-provider/testing';
import { type FakeAnthropic, startFakeAnthropic, type TempHome, tempHome, wordScript } from 'agent-relay-testing';
import { ClaudeProvider } from '../src/provider/claude-provider.ts';

export interface ClaudeHarness extends ProviderHarness {
  readonly home: TempHome;
  readonly model: FakeAnthropic;
}

export const claudeAbilities: ProviderAbilities = { steersRunningTurn: true, addsContextOnly: true, strongestEvidence: 'seen' };

/** The Claude provider over a real CLI, with a scripted model and a home of its own. */
export async function claudeHarness(command: string, mcp: readonly McpEndpoint[] = []): Promise<ClaudeHarness> {
  const home = await tempHome();
  const model = await startFakeAnthropic({ model: wordScript() });
  return {
    home,
    model,
    provider: new ClaudeProvider({ command }),
    notInstalled: { provider: new ClaudeProvider(), env: { ...home.env(), PATH: home.directory } },
    cwd: home.workFolder,
    outside: await home.makeFolder('outside'),
    env: { ...home.env(), ...model.env() },
    mcp,
    prompts: {
      say: (text) => `say: ${text}`,
      slow: 'slow 200 100',
      editFile: (path, text) => `edit file: ${path} | ${text} && then say: edited`,
      runCommand: (commandLine) => `run command: ${commandLine} && then say: ran it`,
    },
    wasModelSent: (text) => model.requests.some(({ body }) => JSON.stringify(body ?? null).includes(JSON.stringify(text).slice(1, -1))),
    forgiveModel: () => void model.takeViolations(),
    close: async () => {
      await model.close();
      await home.remove();
    },
  };
}
