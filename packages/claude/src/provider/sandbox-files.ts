import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxFiles, SandboxPlace } from 'agent-relay-provider';

/** What the user keeps beside the conversations: Claude runs some of it, so that a session may read and not write it. */
const settings = [
  ...['settings.json', 'settings.local.json', '.credentials.json', 'CLAUDE.md', 'keybindings.json', 'rules'],
  ...['agents', 'commands', 'skills', 'plugins', 'hooks', 'output-styles'],
];

/**
 * Its own folder, without what it keeps of other projects; the conversations of this one stay. Claude's name of a project may be that of another folder
 * too (`/a/b-c`, `/a-b/c`): where conversations of another one lie there, none is to be seen, and those of the session are forgotten with it.
 */
export function claudeSandboxFiles({ cwd, env }: SandboxPlace): SandboxFiles {
  const home = env['HOME'] ?? '';
  const configured = env['CLAUDE_CONFIG_DIR'];
  const folder = configured || join(home, '.claude');
  const conversations = join(folder, 'projects', projectName(cwd));
  return {
    scratch: [folder],
    read: [...settings.map((name) => join(folder, name)), join(configured || home, '.claude.json')],
    write: isOfAnother(conversations, cwd) ? [] : [conversations],
  };
}

/** As Claude names a folder among its projects. */
const projectName = (cwd: string): string => cwd.replaceAll(/[^A-Za-z0-9]/gu, '-');

/** How much of a conversation is looked at: it says where it was had in its first lines. */
const LOOKED_AT_BYTES = 64 * 1024;
const LOOKED_AT_FILES = 5_000;

function isOfAnother(folder: string, cwd: string): boolean {
  const names = filesIn(folder);
  // What is more than anybody has is not looked through: it may be another's.
  if (names.length > LOOKED_AT_FILES) return true;
  return names.some((name) => {
    const said = /"cwd":("(?:[^"\\]|\\.)*")/u.exec(beginningOf(join(folder, name)))?.[1];
    return said !== undefined && said !== JSON.stringify(cwd);
  });
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  } catch {
    return [];
  }
}

function beginningOf(path: string): string {
  try {
    // A session may have made it, and opening a pipe waits for whoever writes it.
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!fstatSync(file).isFile()) return '';
      const bytes = Buffer.alloc(LOOKED_AT_BYTES);
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, LOOKED_AT_BYTES, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
