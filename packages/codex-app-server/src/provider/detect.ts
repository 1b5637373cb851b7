import type { ProviderAvailability } from 'agent-relay-provider';
import { withTimeout } from 'agent-relay-wire';
import { spawnProcess } from 'agent-relay-wire/node';
import { notInstalled } from '../app-server/codex-app-server.ts';
import { findCodex } from '../app-server/native-binary.ts';

export interface DetectOptions {
  readonly command?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Default 10 000. */
  readonly timeoutMs?: number;
}

/** Asks the installed Codex for its version; never throws. */
export async function detectCodex({ command, env, timeoutMs = 10_000 }: DetectOptions): Promise<ProviderAvailability> {
  try {
    const found = await findCodex({ command, env });
    if (found === undefined) return { available: false, reason: notInstalled };
    const printed = await withTimeout((signal) => printVersion(found, env, signal), timeoutMs, { what: 'answer of `codex --version`' });
    const [version] = /\d+\.\d+\S*/u.exec(printed) ?? [];
    if (version === undefined) return { available: false, reason: `${found} does not say which version of Codex it is` };
    return { available: true, version, command: found };
  } catch (error) {
    return { available: false, reason: `Codex could not be run: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function printVersion(command: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
  const child = await spawnProcess({ command, args: ['--version'], env, stdin: 'ignore' });
  const endEarly = () => void child.kill({ graceMs: 500 });
  signal.addEventListener('abort', endEarly, { once: true });
  try {
    let printed = '';
    for await (const chunk of child.stdout) printed += String(chunk);
    return printed;
  } finally {
    signal.removeEventListener('abort', endEarly);
    // A program that closes its output and stays, or ignores what it is asked.
    if (!child.hasExited) await child.kill({ graceMs: 500 });
  }
}
