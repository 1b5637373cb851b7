import { pathInside } from './path-inside.ts';

/**
 * What an edit would turn into the right to run commands, now or at the next start, for any kind of agent, for git, or for the person's shell:
 * an agent of one vendor may not prepare what one of another vendor runs.
 */
const guardedNames = new RegExp(
  `^(?:${[
    // Agents' own settings: hooks, servers, permissions, skills.
    ...['\\.claude', '\\.claude\\.json', '\\.mcp\\.json', '\\.codex', '\\.agents', '\\.gemini'],
    // Git: hooks, filters, aliases; folders that projects make their hooks of; what a clone is told to fetch.
    ...['\\.git', 'git~\\d+', '\\.gitconfig', '\\.gitmodules', '\\.githooks', '\\.husky'],
    // What a shell reads by itself.
    ...[
      '\\.(?:bash|zsh|ksh|csh|tcsh|sh)rc',
      '\\.bash_(?:profile|login|logout|aliases)',
      '\\.z(?:shenv|profile|login|logout)',
      '\\.profile',
      '\\.login',
    ],
  ].join('|')})$`,
  'iu',
);
/** What makes git take the folder it lies in for a repository, whose settings name programs. */
const guardedFile = /^HEAD$/iu;
/** Below the folder for settings only: elsewhere a folder may well be called that. */
const guardedSettings = /^(?:fish|git|powershell)$/iu;

/** File systems take these for the plain name: letter case, invisible characters (HFS+), dots and spaces at the end (Windows). */
const plainName = (name: string): string =>
  name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/[. ]+$/u, '');

/** The part of a path because of which it may not be written, or null. */
export function guardedPart(path: string): string | null {
  const parts = path.split(/[/\\]/u);
  const index = parts
    .map(plainName)
    .findIndex(
      (part, at, all) =>
        guardedNames.test(part) ||
        (guardedSettings.test(part) && all[at - 1] === '.config') ||
        (guardedFile.test(part) && at === all.length - 1),
    );
  return parts[index] ?? null;
}

/** Whether an agent that edits inside its folder only may edit this file: why not, or null when it may. */
export function editRefusal(
  folder: string,
  path: string,
): { readonly reason: 'outside' } | { readonly reason: 'guarded'; readonly part: string } | null {
  const inside = pathInside(folder, path);
  if (inside === null) return { reason: 'outside' };
  const part = guardedPart(inside);
  return part === null ? null : { reason: 'guarded', part };
}
