import { dirname } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { launchdPlist } from './launchd-plist.ts';
import { refuseForeignFile } from './managed-file.ts';
import { type DaemonAction, launchdLabel, type ServiceDefinition, type ServiceManager, systemdUnitName } from './service.ts';
import { type Step, shellLine } from './steps.ts';
import { systemdUnit } from './systemd-unit.ts';

export interface DaemonWishes {
  readonly action: DaemonAction;
  /** With `install`: begin at every login. */
  readonly enable: boolean;
  /** With `install`: begin now. */
  readonly start: boolean;
  /** Take over, or remove, a service file that we did not write. */
  readonly force: boolean;
  /** With `logs`: how many lines, and whether to go on. */
  readonly lines: number;
  readonly follow: boolean;
}

export interface DaemonSituation {
  readonly manager: ServiceManager;
  /** Where the manager looks for our service file. */
  readonly servicePath: string;
  readonly existing: string | null;
  readonly definition: ServiceDefinition;
  /** launchd files a user's services under the number of the user. */
  readonly userId: number;
}

export interface DaemonPlan {
  readonly steps: readonly Step[];
  /** What a person should know beside. */
  readonly notes: readonly string[];
}

/**
 * What an action does on this machine.
 * @throws RelayError `busy` for a service file that is not ours, `not_found` for a service that is not installed, `unsupported` without a manager.
 */
export function planDaemon(wishes: DaemonWishes, situation: DaemonSituation): DaemonPlan {
  const { action, force } = wishes;
  const { manager, existing, servicePath } = situation;
  if (manager === 'none') {
    throw new RelayError('unsupported', `No service manager of this user answers here. Run the relay by hand: ${manualCommand(situation)}`);
  }
  if (action === 'install' || action === 'uninstall') refuseForeignFile(servicePath, existing, force);
  if (action !== 'install' && existing === null) {
    throw new RelayError('not_found', `No service is installed (${servicePath}); agent-relay daemon install makes one`);
  }
  return manager === 'systemd' ? systemdPlan(wishes, situation) : launchdPlan(wishes, situation);
}

/** The relay in the background, where nothing supervises it. */
export function manualCommand({ definition: { command, environment, logFile } }: Pick<DaemonSituation, 'definition'>): string {
  const { PATH: _ofTheShell, ...settings } = environment;
  const words = Object.entries(settings).map(([name, value]) => `${name}=${shellLine([value])}`);
  return `${shellLine(makeFolder(logFile))} && ${[...words, 'nohup', shellLine(command)].join(' ')} >> ${shellLine([logFile])} 2>&1 &`;
}

/** Whoever opens the log opens it before the relay has made the folder of its database, where the log lies. */
const makeFolder = (logFile: string): readonly string[] => ['mkdir', '-p', '-m', '700', dirname(logFile)];

function systemdPlan({ action, enable, start, lines, follow }: DaemonWishes, { servicePath, definition }: DaemonSituation): DaemonPlan {
  const systemctl = (...words: string[]): Step => ({ type: 'run', command: ['systemctl', '--user', ...words] });
  const unit = systemdUnitName;
  switch (action) {
    case 'install':
      return {
        steps: [
          { type: 'write', path: servicePath, text: systemdUnit(definition), mode: 0o600 },
          systemctl('daemon-reload'),
          ...(enable ? [systemctl('enable', unit)] : []),
          // Also where it runs already: with the new file.
          ...(start ? [systemctl('restart', unit)] : []),
        ],
        notes: ['It runs while you are logged in; to go on afterwards: loginctl enable-linger'],
      };
    case 'uninstall':
      return {
        steps: [
          { type: 'run', command: ['systemctl', '--user', 'disable', '--now', unit], mayFail: true },
          { type: 'remove', path: servicePath },
          systemctl('daemon-reload'),
        ],
        notes: ['The database and the settings stay where they are'],
      };
    case 'status':
      return { steps: [systemctl('--no-pager', '--full', 'status', unit)], notes: [] };
    case 'logs': {
      const journal = ['journalctl', '--user', '--no-pager', '--unit', unit, '--lines', String(lines)];
      return { steps: [{ type: 'run', command: follow ? [...journal, '--follow'] : journal }], notes: [] };
    }
    case 'start':
    case 'stop':
    case 'restart':
    case 'enable':
    case 'disable':
      return { steps: [systemctl(action, unit)], notes: [] };
  }
}

function launchdPlan(
  { action, enable, start, lines, follow }: DaemonWishes,
  { servicePath, definition, userId, existing }: DaemonSituation,
): DaemonPlan {
  const domain = `gui/${userId}`;
  const service = `${domain}/${launchdLabel}`;
  const launchctl = (...words: string[]): Step => ({ type: 'run', command: ['launchctl', ...words] });
  const whatever = (...words: string[]): Step => ({ type: 'run', command: ['launchctl', ...words], mayFail: true });
  // A disabled service cannot be loaded at all, so it is enabled for that moment.
  const load = [launchctl('enable', service), launchctl('bootstrap', domain, servicePath)];
  switch (action) {
    case 'install':
      return {
        steps: [
          ...(existing !== null && start ? [whatever('bootout', service)] : []),
          { type: 'run', command: makeFolder(definition.logFile) },
          { type: 'write', path: servicePath, text: launchdPlist(definition), mode: 0o600 },
          ...(start ? load : []),
          // Unless told otherwise launchd loads whatever lies in its folder at every login.
          ...(enable ? (start ? [] : [launchctl('enable', service)]) : [launchctl('disable', service)]),
        ],
        notes: [],
      };
    case 'uninstall':
      return {
        steps: [whatever('bootout', service), { type: 'remove', path: servicePath }],
        notes: ['The database and the settings stay where they are'],
      };
    case 'status':
      return { steps: [launchctl('print', service)], notes: [] };
    case 'logs':
      return {
        steps: [{ type: 'run', command: ['tail', '-n', String(lines), ...(follow ? ['-f'] : []), definition.logFile] }],
        notes: [],
      };
    case 'start':
      return {
        steps: [launchctl('enable', service), whatever('bootstrap', domain, servicePath), launchctl('kickstart', service)],
        notes: [],
      };
    case 'stop':
      return { steps: [launchctl('bootout', service)], notes: [] };
    case 'restart':
      return { steps: [launchctl('kickstart', '-k', service)], notes: [] };
    case 'enable':
    case 'disable':
      return { steps: [launchctl(action, service)], notes: [] };
  }
}
