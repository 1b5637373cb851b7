import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';
import { parseJson } from 'agent-relay-wire';
import { z } from 'zod';

/** Claude's own record of which folders a person has said yes to at a terminal. */
const State = z.looseObject({ projects: z.record(z.string(), z.unknown()) });
const Trusted = z.looseObject({ hasTrustDialogAccepted: z.literal(true) });

type Environment = Readonly<Record<string, string | undefined>>;

export interface PlaceOfSession {
  /** Absolute. */
  readonly cwd: string;
  /** The environment of Claude Code: it says where Claude keeps its state. */
  readonly env: Environment;
  readonly mode: SpawnMode;
}

/** What begins a program, or changes where a conversation goes, when Claude finds it in a folder; and the words for the model that are lost with it. */
const ofFolder = ['.claude', '.mcp.json', 'CLAUDE.md', 'CLAUDE.local.md'];

/**
 * Without a terminal Claude asks nobody whether it may trust a folder, and does what the folder's settings say: hooks, servers, another address for the
 * user's key. So it reads them where a person has trusted the folder, or in `unrestricted`; in `safe` nowhere.
 */
export const readsFolderSettings = ({ mode, ...place }: PlaceOfSession): boolean =>
  mode === 'unrestricted' || (mode === 'agentic' && isTrustedFolder(place));

/** Claude's arguments for it. */
export const folderArguments = (place: PlaceOfSession): readonly string[] =>
  readsFolderSettings(place) ? [] : ['--setting-sources', 'user'];

/** A sentence for whoever wonders why the folder's own settings do not hold; null where it has none, or where they hold, or the mode reads nothing anyway. */
export function untrustedFolder(place: PlaceOfSession): string | null {
  if (place.mode === 'safe' || readsFolderSettings(place)) return null;
  const found = foldersUpward(realPath(place.cwd)).flatMap((folder) => ofFolder.filter((name) => existsSync(join(folder, name))));
  if (found.length === 0) return null;
  const names = [...new Set(found)].join(', ');
  return `Nobody has trusted this folder in Claude Code, so it does not read the folder's own ${names}: run \`claude\` there once and say yes, or start the session in unrestricted mode.`;
}

/**
 * As Claude looks it up: the folder, or one that holds it, up to the root of its git repository where it has one. Versions up to 2.1.197 look further up
 * as well, which is not done here. A linked work tree is as trusted as its main repository: Claude writes a yes in one down for that.
 */
export function isTrustedFolder({ cwd, env }: Omit<PlaceOfSession, 'mode'>): boolean {
  const state = State.safeParse(stateOf(env));
  if (!state.success) return false;
  const { projects } = state.data;
  const upward = foldersUpward(realPath(cwd));
  return [...upward, ...mainRepository(upward.at(-1) ?? cwd)].some((folder) => {
    const key = nameInState(folder);
    return Object.hasOwn(projects, key) && Trusted.safeParse(projects[key]).success;
  });
}

function stateOf(env: Environment): unknown {
  const folder = env['CLAUDE_CONFIG_DIR'] || env['HOME'] || env['USERPROFILE'] || homedir();
  try {
    return parseJson(readFileSync(join(folder, '.claude.json'), 'utf8'));
  } catch {
    return null;
  }
}

function foldersUpward(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, '.git')) ? [folder] : [folder, ...foldersUpward(above)];
}

/** The main repository of a linked work tree. Its own `.git` file is its author's word: the repository that it names must name it as well. */
function mainRepository(root: string): readonly string[] {
  const own = join(root, '.git');
  try {
    const said = /^gitdir: (.+)$/mu.exec(readFileSync(own, 'utf8'))?.[1];
    if (said === undefined) return [];
    const kept = realpathSync(resolve(root, said));
    const common = realpathSync(resolve(kept, readFileSync(join(kept, 'commondir'), 'utf8').trim()));
    const named = resolve(kept, readFileSync(join(kept, 'gitdir'), 'utf8').trim());
    const isNamed = dirname(kept) === join(common, 'worktrees') && realpathSync(named) === realpathSync(own);
    return isNamed && basename(common) === '.git' ? [dirname(common)] : [];
  } catch {
    return [];
  }
}

const nameInState = (folder: string): string => (process.platform === 'win32' ? folder.replaceAll('\\', '/') : folder).normalize('NFC');

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
