import type { ProviderAvailability } from 'agent-relay-provider';
import { withTimeout } from 'agent-relay-wire';
import { findExecutable, spawnProcess } from 'agent-relay-wire/node';

const install = '`npm install -g @anthropic-ai/claude-code`';
const versionTimeoutMs = 15_000;

export const notInstalled = (command: string): string =>
  command === 'claude'
    ? `Claude Code is not installed on this machine; install it with ${install}`
    : `Claude Code is not installed at ${command}; install it with ${install}, or name the right file`;

export const findClaude = (command: string, env: Readonly<Record<string, string>>): Promise<string | undefined> =>
  findExecutable(command, { env });

/** Asks the program for its version: there are installations whose `claude` is only a stub. */
export async function detectClaude(command: string, env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
  const path = await findClaude(command, env);
  if (path === undefined) return { available: false, reason: notInstalled(command) };
  try {
    const said = await withTimeout((signal) => versionOf(path, env, signal), versionTimeoutMs, { what: 'answer of claude --version' });
    const version = /\d+\.\d+\.\d+\S*/u.exec(said.stdout)?.[0];
    if (version !== undefined) return { available: true, version, command: path };
    const why = said.stderr.trim().split('\n', 1)[0] || 'it names no version';
    return { available: false, reason: `Claude Code at ${path} does not run (${why}); install it again with ${install}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { available: false, reason: `Claude Code at ${path} does not run (${why}); install it again with ${install}` };
  }
}

async function versionOf(
  path: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const child = await spawnProcess({ command: path, args: ['--version'], env, stdin: 'ignore' });
  const onAbort = () => void child.kill({ graceMs: 500 });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let stdout = '';
    for await (const chunk of child.stdout) stdout += String(chunk);
    await child.exited;
    return { stdout, stderr: child.stderrTail };
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!child.hasExited) await child.kill({ graceMs: 500 });
  }
}
