import type { ShellProfile } from './places.ts';
import { codexMarketplaceName, codexPluginId, rulesText } from './places.ts';
import type { InstallStep } from './steps.ts';

export interface PluginPlaces {
  /** The `codex` that is installed here. */
  readonly codex: string;
  /** Where this package keeps the plugin. */
  readonly marketplace: string;
  readonly rulesPath: string;
  /** `agent-relay-codex`, by its absolute path. */
  readonly program: string;
}

export interface InstallChoices {
  /** Let the relay's message commands leave Codex's sandbox. */
  readonly allowCommands: boolean;
  /** Where `codex` is to mean `codex-relay`; null leaves it. */
  readonly alias: ShellProfile | null;
}

/** The plugin, fresh: Codex works with a copy, so one that is there already is replaced. */
export function planInstall(
  { codex, marketplace, rulesPath, program }: PluginPlaces,
  { allowCommands, alias }: InstallChoices,
): readonly InstallStep[] {
  return [
    { type: 'run', command: [codex, 'plugin', 'remove', codexPluginId], mayFail: true },
    { type: 'run', command: [codex, 'plugin', 'marketplace', 'remove', codexMarketplaceName], mayFail: true },
    { type: 'run', command: [codex, 'plugin', 'marketplace', 'add', marketplace] },
    { type: 'run', command: [codex, 'plugin', 'add', codexPluginId] },
    ...(allowCommands ? [{ type: 'write', path: rulesPath, text: rulesText(program) } as const] : []),
    ...(alias ? [{ type: 'append', path: alias.path, text: `\n${alias.line}\n` } as const] : []),
  ];
}

export function planUninstall(
  { codex, rulesPath }: Pick<PluginPlaces, 'codex' | 'rulesPath'>,
  { stateFolder, isPurge, prefix }: { readonly stateFolder: string; readonly isPurge: boolean; readonly prefix: string | null },
): readonly InstallStep[] {
  return [
    { type: 'run', command: [codex, 'plugin', 'remove', codexPluginId], mayFail: true },
    { type: 'run', command: [codex, 'plugin', 'marketplace', 'remove', codexMarketplaceName], mayFail: true },
    { type: 'remove', path: rulesPath },
    { type: 'remove', path: `${stateFolder}/codex-sessions` },
    ...(isPurge ? [{ type: 'run', command: ['npm', 'uninstall', '--global', ...inPrefix(prefix), 'agent-relay-codex'] } as const] : []),
  ];
}

const inPrefix = (prefix: string | null): readonly string[] => (prefix === null ? [] : ['--prefix', prefix]);

/** The package, where it lies now, then its plugin by the new package's own hand. */
export const planPluginUpgrade = (version: string, prefix: string | null): readonly InstallStep[] => [
  { type: 'run', command: ['npm', 'install', '--global', ...inPrefix(prefix), `agent-relay-codex@${version}`] },
  { type: 'run', command: ['agent-relay-codex', 'refresh'] },
];
