import { join } from 'node:path';
import type { SandboxFiles } from 'agent-relay-provider';

/** What the user keeps beside the conversations: Codex runs some of it, so that a session may read and not write it. */
const settings = [
  ...[
    'config.toml',
    'requirements.toml',
    'auth.json',
    '.credentials.json',
    'AGENTS.md',
    'AGENTS.override.md',
    'installation_id',
    'version.json',
  ],
  ...['models_cache.json', 'prompts', 'rules', 'skills', 'plugins', 'hooks.json', 'hooks'],
];

/** Its own folder; the conversations stay, those of other folders among them, which Codex keeps by their day. */
export const codexSandboxFiles = (codexHome: string): SandboxFiles => ({
  scratch: [codexHome],
  read: settings.map((name) => join(codexHome, name)),
  write: [join(codexHome, 'sessions')],
});
