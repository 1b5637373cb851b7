import { homedir } from 'node:os';
import { basename, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export const codexMarketplaceName = 'agent-relay';
export const codexPluginId = `agent-relay@${codexMarketplaceName}`;

const homeOf = (env: Environment): string => env['HOME'] || env['USERPROFILE'] || homedir();
export const codexHomeOf = (env: Environment): string => env['CODEX_HOME'] || join(homeOf(env), '.codex');

/** Where Codex reads which commands may leave its sandbox without asking; every file of the folder counts. */
export const rulesPath = (env: Environment): string => join(codexHomeOf(env), 'rules', 'agent-relay.rules');

const forms = '["/message", "/pair", "/send-claimable", "/disconnect", "/status", "/label", "/tags"]';
/** The relay's commands that speak for the session itself, and no other of `agent-relay`. */
export const rulesText = `# Written by agent-relay-codex install, removed by agent-relay-codex uninstall.
prefix_rule(pattern = ["agent-relay", ${forms}], decision = "allow", justification = "Messages of this session to the relay")
prefix_rule(pattern = ["agent-relay-codex", "run", ${forms}], decision = "allow", justification = "Messages of this session to the relay")
`;

/** The npm prefix that a package lies in, told by its folder: PREFIX/lib/node_modules, on Windows npm's own folder; null elsewhere. */
export function npmPrefixOf(packageFolder: string): string | null {
  const folder = /^(.*)\/node_modules\/agent-relay-codex\/?$/u.exec(packageFolder.replaceAll('\\', '/'))?.[1];
  if (folder === undefined) return null;
  return /^(.*)\/lib$/u.exec(folder)?.[1] ?? (/\/npm$/iu.test(folder) ? folder : null);
}

export interface ShellProfile {
  readonly path: string;
  /** A line that does no harm once codex-relay is gone. */
  readonly line: string;
}

/** Where the shell of this user reads aliases; null for one that is not known. */
export function shellProfile(env: Environment, platform: NodeJS.Platform): ShellProfile | null {
  const home = homeOf(env);
  const posix = 'command -v codex-relay >/dev/null 2>&1 && alias codex=codex-relay # agent-relay';
  const powershell = 'if (Get-Command codex-relay -ErrorAction SilentlyContinue) { Set-Alias codex codex-relay } # agent-relay';
  if (platform === 'win32') return { path: join(home, 'Documents', 'PowerShell', 'Microsoft.PowerShell_profile.ps1'), line: powershell };
  switch (basename(env['SHELL'] ?? '')) {
    case 'bash':
      return { path: join(home, '.bashrc'), line: posix };
    case 'zsh':
      return { path: join(env['ZDOTDIR'] || home, '.zshrc'), line: posix };
    case 'fish':
      return {
        path: join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'fish', 'config.fish'),
        line: 'type -q codex-relay; and alias codex codex-relay # agent-relay',
      };
    default:
      return null;
  }
}
