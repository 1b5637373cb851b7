import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Provider } from 'agent-relay-provider';
import type { ProviderAbilities, ProviderHarness } from 'agent-relay-provider/testing';
import {
  agentCliPaths,
  type CodexHomeOptions,
  type FakeOpenAi,
  startFakeOpenAi,
  type TempHome,
  tempHome,
  wordScript,
} from 'agent-relay-testing';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { CodexExecProvider } from '../src/provider/exec/exec-provider.ts';

/** A home whose Codex talks to a fake model that does what it is told in words. */
export interface CodexBench extends AsyncDisposable {
  readonly command: string;
  readonly home: TempHome;
  readonly model: FakeOpenAi;
  readonly env: Record<string, string>;
}

const { codex, codexNewer } = agentCliPaths();

/** The pinned versions that are installed here. */
export const codexVersions: readonly (readonly [version: string, command: string])[] = [
  ['0.169.0', codex],
  ...(codexNewer === undefined ? [] : [['0.171.0', codexNewer] as const]),
];

export async function codexBench(command = codex, options?: CodexHomeOptions): Promise<CodexBench> {
  const home = await tempHome();
  const model = await startFakeOpenAi({ model: wordScript() });
  await model.writeCodexHome(home.codexHome, options);
  return {
    command,
    home,
    model,
    env: { ...home.env(), ...model.env() },
    [Symbol.asyncDispose]: async () => {
      await model.close();
      await home.remove();
    },
  };
}

/** Whether the model was sent this text in any request so far. */
export const wasModelSent = (model: FakeOpenAi, text: string): boolean =>
  model.requests.some(
    ({ model: request }) => request !== undefined && JSON.stringify(request.conversation).includes(JSON.stringify(text).slice(1, -1)),
  );

export const codexAbilities: ProviderAbilities = {
  ...{ steersRunningTurn: true, addsContextOnly: true, strongestEvidence: 'seen', outlivesItsProgram: true },
};
export const execAbilities: ProviderAbilities = {
  ...{ steersRunningTurn: false, addsContextOnly: false, strongestEvidence: 'seen', outlivesItsProgram: true },
  ...{ streamsText: false, asksPeople: false },
};
/** With the shells' settings as a person's Codex keeps them. */
export const codexHarness = (command?: string): Promise<ProviderHarness> =>
  harnessFor((options) => new CodexProvider(options), command, { shellSnapshots: true });
export const execHarness = (command?: string): Promise<ProviderHarness> => harnessFor((options) => new CodexExecProvider(options), command);

async function harnessFor(
  provider: (options?: { readonly command: string }) => Provider,
  command?: string,
  options?: CodexHomeOptions,
): Promise<ProviderHarness> {
  const bench = await codexBench(command, options);
  const outside = join(bench.home.directory, 'outside');
  await mkdir(outside);
  return {
    provider: provider({ command: bench.command }),
    notInstalled: { provider: provider(), env: { ...bench.env, PATH: outside } },
    cwd: bench.home.workFolder,
    outside,
    env: bench.env,
    prompts: {
      say: (text) => `say: ${text}`,
      slow: 'slow 400 50',
      editFile: (path, text) => `edit file: ${path} | ${text} && then say: edited`,
      runCommand: (command) => `run command: ${command} && then say: done`,
    },
    wasModelSent: (text) => wasModelSent(bench.model, text),
    forgiveModel: () => void bench.model.takeViolations(),
    close: async () => await bench[Symbol.asyncDispose](),
  };
}
