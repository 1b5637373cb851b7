import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { agentCliPaths } from 'agent-relay-testing';
import { until } from './until.ts';

const { codex, codexNewer } = agentCliPaths();

/** The pinned versions that are installed here. */
export const codexVersions: readonly (readonly [version: string, command: string])[] = [
  ['0.169.0', codex],
  ...(codexNewer === undefined ? [] : [['0.171.0', codexNewer] as const]),
];

/** Codex's daemon of a home, where `codex` looks for it: started by hand, for by itself Codex would first copy itself into the home. */
export async function startCodexDaemon(
  command: string,
  { codexHome, env }: { readonly codexHome: string; readonly env: Readonly<Record<string, string>> },
): Promise<AsyncDisposable> {
  const daemon = spawn(command, ['app-server', '--listen', 'unix://'], { env, stdio: 'ignore' });
  await until('the daemon', () =>
    access(join(codexHome, 'app-server-control', 'app-server-control.sock')).then(
      () => true,
      () => false,
    ),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      // The second one ends running turns.
      daemon.kill('SIGTERM');
      daemon.kill('SIGTERM');
      if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
    },
  };
}
