import { pathInside } from './path-inside.ts';

/**
 * What an edit would turn into the right to run commands, now or at the next start, for any kind of agent, for git, or for the person's shell:
 * an agent of one vendor may not prepare what one of another vendor runs.
 */
const guardedNames = new RegExp(
  `^(?:${[
    // Agents' own settings: hooks, servers, permissions, skills.
    ...['\\.claude', '\\.claude\\.json', '\\.mcp\\.json', '\\.codex', '\\.agents', '\\.gemini'],
    // Those of other agents, and of editors that have one: servers, hooks, tasks that begin when a folder is opened.
    ...[
      '\\.(?:cursor|vscode|idea|zed|windsurf|codeium|continue|roo|kilocode|kiro|amazonq|qwen|copilot|opencode|crush|factory|devcontainer)',
      '\\.(?:amp|augment|cline|clinerules|codebuddy|claude-plugin|goose|junie|openhands|rovodev|trae)',
      '.+\\.code-workspace',
      '\\.(?:exrc|n?vimrc|nvim\\.lua)',
    ],
    ...['\\.?(?:opencode|crush)\\.jsonc?', '\\.aider\\.conf\\.ya?ml', '\\.devcontainer\\.json'],
    // Git: hooks, filters, aliases; folders that projects make their hooks of; what a clone is told to fetch.
    ...[
      '\\.git',
      '\\.gitconfig',
      '\\.gitmodules',
      '\\.githooks',
      '\\.husky',
      '\\.?lefthook(?:-local)?\\.(?:ya?ml|toml|json)',
      '\\.pre-commit-config\\.ya?ml',
    ],
    // What a machine of the relay runs when something happens.
    ...['agent-relay\\.ya?ml', '\\.agent-relay'],
    // What a shell reads by itself.
    ...[
      '\\.(?:bash|zsh|mksh|ksh|csh|tcsh|yash|xonsh|sh)rc',
      'microsoft\\.\\w+_profile\\.ps1',
      '\\.bash_(?:profile|login|logout|aliases)',
      '\\.z(?:shenv|profile|login|logout)',
      '\\.profile',
      '\\.login',
      '\\.envrc',
      // Agents and tools take their environment from it: whom they send their keys to, and what Node loads. Nothing reads what is there to be copied.
      '\\.env(?:\\.(?!(?:example|sample|template|dist)$).+)?',
      '\\.(?:bash|zsh)rc\\.d',
      '\\.oh-my-zsh',
      '\\.ssh',
    ],
  ].join('|')})$`,
  'iu',
);
/** What makes git take the folder it lies in for a repository, whose settings name programs. */
const guardedFile = /^HEAD$/iu;
/** Below the folder for settings only: elsewhere a folder may well be called that. */
const guardedSettings = /^(?:fish|git|powershell|nushell|elvish|xonsh|nvim|code|amp|opencode|crush|goose|zed|agent-relay)$/iu;
/** A short name of Windows: it does not show which long one it stands for. */
const shortName = /^[^.]{1,6}~\d{1,6}(?:\.[^.]{0,3})?$/u;

/**
 * The names that file systems may take one for: letter case and invisible characters (HFS+) make no other name, nor do dots and spaces at the
 * end (Windows); behind a colon is a stream of the file before it, or what is relative to a drive (Windows).
 */
const plainNames = (name: string): readonly string[] =>
  name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .split(':')
    .map((piece) => piece.replace(/[. ]+$/u, '').toLowerCase());

/** `.config`, `.local/share` or `.local/state`. */
const isSettingsFolder = (names: readonly (readonly string[])[], at: number): boolean =>
  names[at]?.includes('.config') === true ||
  (names[at]?.some((name) => name === 'share' || name === 'state') === true && names[at - 1]?.includes('.local') === true);

/** The part of a path because of which it may not be written, or null. */
export function guardedPart(path: string): string | null {
  const parts = path.split(/[/\\]/u);
  const names = parts.map(plainNames);
  const isGuarded = (name: string, at: number): boolean =>
    guardedNames.test(name) ||
    shortName.test(name) ||
    (guardedSettings.test(name) && isSettingsFolder(names, at - 1)) ||
    (guardedFile.test(name) && at === parts.length - 1);
  return parts.find((_part, at) => names[at]?.some((name) => isGuarded(name, at))) ?? null;
}

/** Whether an agent that edits inside its folder only may edit this file: why not, or null when it may. */
export function editRefusal(
  folder: string,
  path: string,
): { readonly reason: 'outside' } | { readonly reason: 'guarded'; readonly part: string } | null {
  // Programs take it for a home folder, and the system does not.
  const inside = path.startsWith('~') ? null : pathInside(folder, path);
  if (inside === null) return { reason: 'outside' };
  const part = guardedPart(inside);
  return part === null ? null : { reason: 'guarded', part };
}
