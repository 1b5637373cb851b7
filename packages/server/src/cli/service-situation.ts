import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { envFilePathOf, findExecutable } from 'agent-relay-wire/node';
import { engine } from '../engine.ts';
import type { DaemonSituation } from '../operations/daemon-plan.ts';
import { textOf } from '../operations/managed-file.ts';
import { launchdLabel, type ServiceManager, systemdUnitName } from '../operations/service.ts';
import { outputOf } from '../operations/steps.ts';
import { programOf } from './program-name.ts';
import { ownDatabasePath } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

/** What `planDaemon` needs to know of this machine, looked up without changing anything. */
export async function serviceSituation(terminal: Pick<Terminal, 'env' | 'cwd' | 'program'>, binary?: string): Promise<DaemonSituation> {
  const { env, cwd } = terminal;
  const home = env['HOME'] || homedir();
  const manager = await managerOf(env);
  const servicePath =
    manager === 'launchd'
      ? join(home, 'Library', 'LaunchAgents', `${launchdLabel}.plist`)
      : join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'systemd', 'user', systemdUnitName);
  const envFile = envFilePathOf(env);
  const databasePath = ownDatabasePath({}, env);
  return {
    manager,
    servicePath,
    existing: textOf(servicePath),
    userId: process.getuid?.() ?? 0,
    definition: {
      command: [...(binary === undefined ? ownCommand(terminal) : [resolve(cwd, binary)]), 'serve', '--no-login-link'],
      environment: {
        // A service starts with almost no PATH, and the machine's node has to find the agents' programs.
        ...(env['PATH'] ? { PATH: env['PATH'] } : {}),
        ...(existsSync(envFile) ? { AGENT_RELAY_ENV_FILE: envFile } : { DB_PATH: databasePath }),
      },
      workingFolder: home,
      logFile: `${databasePath}.log`,
    },
  };
}

/**
 * @throws RelayError `store_unavailable` when this Node could not serve.
 */
function ownCommand(terminal: Pick<Terminal, 'env' | 'program'>): readonly string[] {
  const obstacle = engine.obstacle();
  if (obstacle !== null) throw new RelayError('store_unavailable', obstacle);
  const { flags, path } = programOf(terminal);
  return [lastingNode(terminal.env), ...flags, path];
}

/**
 * This Node under a name that an upgrade leaves: package managers keep versions in folders of their own and link to the one in use. A version
 * manager's folder is all there is of one, and stays.
 */
function lastingNode({ PATH = '' }: Terminal['env']): string {
  const own = realpathSync(process.execPath);
  if (!/\d+\.\d+/u.test(own)) return process.execPath;
  const names = PATH.split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, basename(own)));
  const lasting = names.find((name) => !/\d+\.\d+/u.test(name) && existsSync(name) && realpathSync(name) === own);
  return lasting ?? process.execPath;
}

async function managerOf(env: Terminal['env']): Promise<ServiceManager> {
  if (process.platform === 'darwin') return 'launchd';
  if (process.platform !== 'linux' || (await findExecutable('systemctl', { env })) === undefined) return 'none';
  // Installed is not running: containers and su sessions have the program and no manager behind it.
  return (await outputOf(['systemctl', '--user', 'show-environment'], { env })) === null ? 'none' : 'systemd';
}
