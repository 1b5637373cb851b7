import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { TempHome } from 'agent-relay-testing';
import { agentRelayProgram, type CommandResult } from '../support/programs.ts';
import { until } from '../support/until.ts';

const program = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find((path) => existsSync(path));
const tools = ['unshare', 'nsenter', 'mount', 'systemctl'];

/** Whether a user's systemd can be had here: root may give it a `/run` of its own. */
export const hasUserManager =
  process.platform === 'linux' && process.getuid?.() === 0 && program !== undefined && tools.every((tool) => isOnPath(tool));

/** A systemd of a user whose home is a temporary one, which sees nothing of this machine's services and is seen by none. */
export interface UserManager extends AsyncDisposable {
  agentRelay(...args: readonly string[]): Promise<CommandResult>;
  /** One property of our service, as systemd tells it. */
  property(name: string): Promise<string>;
}

export async function startUserManager(home: TempHome): Promise<UserManager> {
  const env = { ...home.env(), XDG_RUNTIME_DIR: '/run/user/0' };
  // systemd wants to see that it has booted the machine, and a folder of its user's; the mounts are seen by its descendants alone.
  const script = `mount -t tmpfs tmpfs /run && mkdir -p -m 700 /run/systemd/system "$XDG_RUNTIME_DIR" && exec ${program} --user`;
  const manager = spawn('unshare', ['--mount', 'sh', '-c', script], { env, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => manager.once('exit', () => resolve()));
  const run = (command: readonly string[]) =>
    new Promise<CommandResult>((resolve) => {
      execFile(
        'nsenter',
        ['--mount', '--target', String(manager.pid), '--', ...command],
        { env, timeout: 60_000 },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
      );
    });
  const stop = async () => {
    manager.kill('SIGTERM');
    await ended;
  };
  try {
    await until('the manager', async () => (await run(['systemctl', '--user', 'is-system-running'])).stdout.trim() === 'running');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    agentRelay: (...args) => run([process.execPath, agentRelayProgram, ...args]),
    property: async (name) => (await run(['systemctl', '--user', 'show', '--value', '-p', name, 'agent-relay.service'])).stdout.trim(),
    [Symbol.asyncDispose]: stop,
  };
}

function isOnPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(`${folder}/${tool}`));
}
