import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { engine } from '../engine.ts';
import { installationOf } from '../operations/installation.ts';
import { programOf } from './program-name.ts';
import type { Terminal } from './terminal.ts';

/** What opens the database by itself, by the name of the command: however it was called, by it or by an alias. */
const openers: ReadonlySet<string> = new Set(['backup', 'restore', 'doctor']);
/** Says to the second run that it is one: what it cannot do either is not tried a third time. */
const MARK = 'AGENT_RELAY_UNDER_NEWER_NODE';

/**
 * Runs the command line of a command that opens the database under the Node that a checkout keeps in `tools`, where this one cannot open it;
 * answers its exit code. `null`: this Node runs it.
 */
export async function runUnderNewerNode(
  command: Command | undefined,
  args: readonly string[],
  { env, cwd, program }: Pick<Terminal, 'env' | 'cwd' | 'program'>,
): Promise<number | null> {
  if (command === undefined || !openers.has(command.name()) || env[MARK] !== undefined || engine.obstacle() === null) return null;
  const { flags, path } = programOf({ program });
  const installation = installationOf(path);
  const node = installation.type === 'checkout' ? nodeIn(join(installation.folder, 'tools', 'node_modules')) : null;
  if (node === null) return null;
  const child = spawn(node, [...flags, path, ...args], { cwd, env: { ...env, [MARK]: '1' }, stdio: 'inherit' });
  return await new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code ?? 1));
  });
}

function nodeIn(folder: string): string | null {
  if (!existsSync(folder)) return null;
  const found = readdirSync(folder).filter((name) => /^node-[a-z]+-\w+$/u.test(name));
  return found.map((name) => join(folder, name, 'bin', 'node')).find((path) => existsSync(path)) ?? null;
}
