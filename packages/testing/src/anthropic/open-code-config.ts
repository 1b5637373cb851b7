import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes the `opencode.json` with which OpenCode works offline against a fake endpoint. It asks no model for titles. */
export async function writeOpenCodeConfig(home: string, endpointUrl: string): Promise<void> {
  const folder = join(home, '.config', 'opencode');
  await mkdir(folder, { recursive: true });
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
}
