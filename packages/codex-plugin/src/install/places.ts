import { homedir } from 'node:os';
import { basename, join, win32 } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export const codexMarketplaceName = 'agent-relay';
export const codexPluginId = `agent-relay@${codexMarketplaceName}`;

const homeOf = (env: Environment): string => env['HOME'] || env['USERPROFILE'] || homedir();
export const codexHomeOf = (env: Environment): string => env['CODEX_HOME'] || join(homeOf(env), '.codex');

/** Where Codex reads which commands may leave its sandbox without asking; every file of the folder counts. */
export const rulesPath = (env: Environment): string => join(codexHomeOf(env), 'rules', 'agent-relay.rules');

const forms = '["/message", "/pair", "/send-claimable", "/disconnect", "/status", "/label", "/tags"]';
/**
 * Lets out the commands that speak for the session itself, as `agent-relay-codex run` alone runs them: it takes no option that says to whom or as whom.
 * The program is named by its absolute path, for a name is whatever program a `PATH` finds.
 */
export const rulesText = (program: string): string => `# Written by agent-relay-codex install, removed by agent-relay-codex uninstall.
prefix_rule(pattern = [${JSON.stringify(program)}, "run", ${forms}], decision = "allow", justification = "Messages of this session to the relay")
`;

/** The npm prefix that a package lies in, told by its folder: PREFIX/lib/node_modules, on Windows npm's own folder; null elsewhere. */
export function npmPrefixOf(packageFolder: string): string | null {
  const folder = /^(.*)\/node_modules\/agent-relay-codex\/?$/u.exec(packageFolder.replaceAll('\\', '/'))?.[1];
  if (folder === undefined) return null;
  return /^(.*)\/lib$/u.exec(folder)?.[1] ?? (/\/npm$/iu.test(folder) ? folder : null);
}

const profileName = 'Microsoft.PowerShell_profile.ps1';
/** Not npm's script of that name: PowerShell takes `--` away from scripts, and runs none before their owner allows it. An alias hands on what is typed, and a function would not. */
const powerShellLine = 'if (Get-Command codex-relay.cmd -ErrorAction SilentlyContinue) { Set-Alias codex codex-relay.cmd } # agent-relay';

/**
 * The folder of the PowerShell that this was started from, wherever the user's documents lie: the user's modules are in it, and stand first in what it hands
 * on. Null elsewhere.
 */
function powerShellFolder(env: Environment): string | null {
  const system = [env['ProgramFiles'] ?? 'C:\\Program Files', env['SystemRoot'] ?? 'C:\\Windows'].map((folder) =>
    `${folder}\\`.toLowerCase(),
  );
  const folders = (env['PSModulePath'] ?? '')
    .split(';')
    .flatMap((path) => /^(.+\\(?:Windows)?PowerShell)\\Modules\\?$/iu.exec(path)?.[1] ?? []);
  return folders.find((folder) => !system.some((above) => folder.toLowerCase().startsWith(above))) ?? null;
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
  if (platform === 'win32')
    return { path: win32.join(powerShellFolder(env) ?? win32.join(home, 'Documents', 'PowerShell'), profileName), line: powerShellLine };
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
