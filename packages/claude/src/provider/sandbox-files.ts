import { join } from 'node:path';
import type { SandboxFiles, SandboxPlace } from 'agent-relay-provider';

/** What the user keeps beside the conversations: Claude runs some of it, so that a session may read and not write it. */
const settings = [
  ...['settings.json', 'settings.local.json', '.credentials.json', 'CLAUDE.md', 'keybindings.json', 'rules'],
  ...['agents', 'commands', 'skills', 'plugins', 'hooks', 'output-styles'],
];

/** Its own folder, without what it keeps of other projects; the conversations of this one stay. */
export function claudeSandboxFiles({ cwd, env }: SandboxPlace): SandboxFiles {
  const home = env['HOME'] ?? '';
  const configured = env['CLAUDE_CONFIG_DIR'];
  const folder = configured || join(home, '.claude');
  return {
    scratch: [folder],
    read: [...settings.map((name) => join(folder, name)), join(configured || home, '.claude.json')],
    write: [join(folder, 'projects', projectName(cwd))],
  };
}

/** As Claude names a folder among its projects. */
const projectName = (cwd: string): string => cwd.replaceAll(/[^A-Za-z0-9]/gu, '-');
