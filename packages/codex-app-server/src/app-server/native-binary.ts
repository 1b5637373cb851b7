import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findExecutable } from 'agent-relay-wire/node';

export interface FindCodexOptions {
  /** A name or a path. Default `codex`. */
  readonly command?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
}

const targets: Readonly<Record<string, string>> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64': 'x86_64-pc-windows-msvc',
  'win32-arm64': 'aarch64-pc-windows-msvc',
};

/**
 * The program to start for `codex`, or `undefined` when there is none. Where npm installed it, that is the native binary behind npm's
 * wrapper: the wrapper costs a Node process and 50 ms, and killing it would leave the real one running.
 */
export async function findCodex({
  command = 'codex',
  env,
  platform = process.platform,
  arch = process.arch,
}: FindCodexOptions): Promise<string | undefined> {
  const found = await findExecutable(command, { env, platform });
  if (found === undefined) return undefined;
  const actual = await realpath(found);
  return nativeBinary(actual, `${platform}-${arch}`) ?? found;
}

function nativeBinary(wrapper: string, system: string): string | undefined {
  const target = targets[system];
  if (target === undefined || !/(?:\.js|\.cmd|\.ps1)$/u.test(wrapper)) return undefined;
  const program = system.startsWith('win32') ? 'codex.exe' : 'codex';
  // npm's Windows shims lie beside node_modules, the script itself inside the package.
  const packages = [join(dirname(wrapper), '..'), join(dirname(wrapper), 'node_modules', '@openai', 'codex')];
  return packages
    .flatMap((folder) => [join(platformPackage(folder, system), 'vendor'), join(folder, 'vendor')])
    .map((vendor) => join(vendor, target, 'bin', program))
    .find((candidate) => existsSync(candidate));
}

/** Where npm put `@openai/codex-<system>`: beside the package or inside it, which only the module resolver knows for every installer. */
function platformPackage(folder: string, system: string): string {
  try {
    return dirname(createRequire(join(folder, 'package.json')).resolve(`@openai/codex-${system}/package.json`));
  } catch {
    return folder; // not installed there: the binary may lie in the package itself
  }
}
