import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes the `opencode.json` with which OpenCode works offline against a fake endpoint. It asks no model for titles, and takes what plugins are
 * written with for installed: otherwise each start fetches it from npm's registry.
 */
export async function writeOpenCodeConfig(home: string, endpointUrl: string): Promise<void> {
  const folder = join(home, '.config', 'opencode');
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  const config = {
    model: 'fake/fake-model',
    small_model: 'fake/fake-model',
    autoupdate: false,
    share: 'disabled',
    agent: { title: { disable: true } },
    provider: {
      fake: {
        npm: '@ai-sdk/anthropic',
        name: 'Fake',
        options: { baseURL: `${endpointUrl}/v1`, apiKey: 'agent-relay-fake-anthropic-key' },
        models: { 'fake-model': { name: 'Fake model', tool_call: true } },
      },
    },
  };
  await writeFile(join(folder, 'opencode.json'), JSON.stringify(config));
  const installed = { packages: { '': { dependencies: { '@opencode-ai/plugin': '*' } } } };
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(installed));
}
