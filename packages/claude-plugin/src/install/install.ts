import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { ClaudePlugins, type ClaudePluginsOptions } from './claude-plugins.ts';
import { marketplaceName, pluginId, projectSettings } from './marketplace.ts';
import { layOut, stableFolder } from './plugin-files.ts';

/** Installed for this user: where the plugin lies. */
export interface Installed {
  readonly folder: string;
}

/**
 * Installs the plugin of this package for this user, or brings an installed one to its version. Sessions that run keep what they have; the next
 * one has it.
 * @throws RelayError `unsupported` without a Claude Code, or with what it said where it refused.
 */
export async function installPlugin(options: ClaudePluginsOptions): Promise<Installed> {
  const claude = await ClaudePlugins.find(options);
  const folder = stableFolder(options.env);
  layOut(folder);
  await claude.must('marketplace', 'add', folder);
  // Versions that keep a copy of the plugin look at it only when they are told to.
  await claude.must('marketplace', 'update', marketplaceName);
  await claude.must('install', pluginId);
  await claude.must('update', pluginId);
  return { folder };
}

/** What there was to remove. */
export interface Uninstalled {
  readonly plugin: boolean;
  readonly marketplace: boolean;
  readonly folder: boolean;
}

/** Takes away what `installPlugin` made. Twice is once. @throws RelayError `unsupported` without a Claude Code. */
export async function uninstallPlugin(options: ClaudePluginsOptions): Promise<Uninstalled> {
  const claude = await ClaudePlugins.find(options);
  const { ok: plugin } = await claude.run('uninstall', pluginId);
  const { ok: marketplace } = await claude.run('marketplace', 'remove', marketplaceName);
  const folder = stableFolder(options.env);
  const had = existsSync(folder);
  rmSync(folder, { recursive: true, force: true });
  return { plugin, marketplace, folder: had };
}

/**
 * Writes into a project's `.claude/settings.json` that its sessions have this version of the plugin, from npm, once somebody has installed it there. Everything else in there stays, and
 * whoever reads it meanwhile reads the old or the new.
 * @throws RelayError `validation_failed` when the project is no folder, that file is no JSON object, or it or its folder is a link: it would lead out
 * of the project.
 */
export function installInProject(projectFolder: string): { readonly path: string } {
  assertFolder(projectFolder);
  const path = join(projectFolder, '.claude', 'settings.json');
  for (const place of [dirname(path), path]) assertNoLink(place);
  const settings = readSettings(path);
  const merged = {
    ...settings,
    extraKnownMarketplaces: { ...objectIn(settings, 'extraKnownMarketplaces'), ...projectSettings.extraKnownMarketplaces },
    enabledPlugins: { ...objectIn(settings, 'enabledPlugins'), ...projectSettings.enabledPlugins },
  };
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, `${JSON.stringify(merged, null, 2)}\n`);
  return { path };
}

function assertFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const message = `${path} is no folder`;
  throw new RelayError('validation_failed', message, { issues: [{ path: 'project', message }] });
}

function assertNoLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  const message = `${path} is a link, which may lead out of the project`;
  throw new RelayError('validation_failed', message, { issues: [{ path: 'settings', message }] });
}

/** Whole or not at all, with the rights that the file has. */
function replaceFile(path: string, text: string): void {
  const mode = lstatSync(path, { throwIfNoEntry: false })?.mode;
  const beside = `${path}.${randomUUID()}`;
  try {
    writeFileSync(beside, text, { flag: 'wx', ...(mode === undefined ? {} : { mode: mode & 0o777 }) });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function readSettings(path: string): Record<string, unknown> {
  if (!existsSync(path)) return {};
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below: what cannot be read is not written over.
  }
  const message = `${path} is no JSON object`;
  throw new RelayError('validation_failed', message, { issues: [{ path: 'settings', message }] });
}

function objectIn(settings: Record<string, unknown>, name: string): object {
  const value = settings[name];
  return typeof value === 'object' && value !== null ? value : {};
}
