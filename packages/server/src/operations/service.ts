/** What keeps the relay running: systemd's manager of the user's services, launchd, or nothing we know. */
export type ServiceManager = 'systemd' | 'launchd' | 'none';

export const daemonActions = ['install', 'status', 'logs', 'restart', 'stop', 'start', 'enable', 'disable', 'uninstall'] as const;
export type DaemonAction = (typeof daemonActions)[number];

/** What a service file says, in words of neither system. */
export interface ServiceDefinition {
  /** The relay's command line. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
  /** For managers that keep no log of their own. */
  readonly logFile: string;
}

export const systemdUnitName = 'agent-relay.service';
export const launchdLabel = 'agent-relay';
/** How long a stop may take: the relay gives its node fifteen seconds for ending its agents. */
export const stopTimeoutSeconds = 30;
