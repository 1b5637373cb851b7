import { describe, expect, test } from 'vitest';
import { type DaemonSituation, type DaemonWishes, manualCommand, planDaemon } from './daemon-plan.ts';
import { describeStep } from './steps.ts';

const situation: DaemonSituation = {
  manager: 'systemd',
  servicePath: '/home/ada/.config/systemd/user/agent-relay.service',
  existing: null,
  userId: 501,
  definition: {
    command: ['/usr/bin/node', '/opt/my relay/cli.js', 'serve'],
    environment: { PATH: '/usr/bin', AGENT_RELAY_ENV_FILE: '/home/ada/relay.env' },
    workingFolder: '/home/ada',
    logFile: '/home/ada/state/relay.log',
  },
};
const installed = { ...situation, existing: '# Managed by agent-relay daemon' };
const foreign = { ...situation, existing: '[Service]\nExecStart=/bin/true\n' };
const launchd = { ...installed, manager: 'launchd', servicePath: '/Users/ada/Library/LaunchAgents/agent-relay.plist' } as const;

const steps = (wishes: Partial<DaemonWishes> & Pick<DaemonWishes, 'action'>, where: DaemonSituation) =>
  planDaemon({ enable: false, start: false, force: false, lines: 50, follow: false, ...wishes }, where).steps.map(describeStep);

describe('with systemd', () => {
  test('install writes and reloads; it enables and starts only when told to', () => {
    const written = ['write /home/ada/.config/systemd/user/agent-relay.service', 'run   systemctl --user daemon-reload'];
    expect(steps({ action: 'install' }, situation)).toEqual(written);
    expect(steps({ action: 'install', enable: true, start: true }, situation)).toEqual([
      ...written,
      'run   systemctl --user enable agent-relay.service',
      'run   systemctl --user restart agent-relay.service',
    ]);
  });

  test('each other action is what systemd calls it', () => {
    const actions = ['status', 'logs', 'restart', 'stop', 'start', 'enable', 'disable', 'uninstall'] as const;
    expect(Object.fromEntries(actions.map((action) => [action, steps({ action }, installed)]))).toEqual({
      status: ['run   systemctl --user --no-pager --full status agent-relay.service'],
      logs: ['run   journalctl --user --no-pager --unit agent-relay.service --lines 50'],
      restart: ['run   systemctl --user restart agent-relay.service'],
      stop: ['run   systemctl --user stop agent-relay.service'],
      start: ['run   systemctl --user start agent-relay.service'],
      enable: ['run   systemctl --user enable agent-relay.service'],
      disable: ['run   systemctl --user disable agent-relay.service'],
      uninstall: [
        'run   systemctl --user disable --now agent-relay.service',
        'remove /home/ada/.config/systemd/user/agent-relay.service',
        'run   systemctl --user daemon-reload',
      ],
    });
  });
});

describe('with launchd', () => {
  const service = 'gui/501/agent-relay';
  const load = [`run   launchctl enable ${service}`, `run   launchctl bootstrap gui/501 ${launchd.servicePath}`];

  test('install loads it when told to start, and keeps launchd from loading it at a login that nobody asked for', () => {
    const fresh = { ...launchd, existing: null };
    const written = ['run   mkdir -p -m 700 /home/ada/state', `write ${launchd.servicePath}`];
    expect(steps({ action: 'install' }, fresh)).toEqual([...written, `run   launchctl disable ${service}`]);
    expect(steps({ action: 'install', enable: true, start: true }, fresh)).toEqual([...written, ...load]);
    expect(steps({ action: 'install', start: true }, launchd)).toEqual([
      `run   launchctl bootout ${service}`,
      ...written,
      ...load,
      `run   launchctl disable ${service}`,
    ]);
  });

  test('each other action is what launchd calls it', () => {
    const actions = ['status', 'logs', 'restart', 'stop', 'enable', 'disable', 'uninstall'] as const;
    expect(Object.fromEntries(actions.map((action) => [action, steps({ action, follow: true }, launchd)]))).toEqual({
      status: [`run   launchctl print ${service}`],
      logs: ['run   tail -n 50 -f /home/ada/state/relay.log'],
      restart: [`run   launchctl kickstart -k ${service}`],
      stop: [`run   launchctl bootout ${service}`],
      enable: [`run   launchctl enable ${service}`],
      disable: [`run   launchctl disable ${service}`],
      uninstall: [`run   launchctl bootout ${service}`, `remove ${launchd.servicePath}`],
    });
    expect(steps({ action: 'start' }, launchd)).toEqual([...load, `run   launchctl kickstart ${service}`]);
  });
});

describe('everywhere', () => {
  test('a service file that is not ours is neither replaced nor removed, unless it is forced', () => {
    for (const action of ['install', 'uninstall'] as const) {
      expect(() => steps({ action }, foreign)).toThrow('--force');
      expect(steps({ action, force: true }, foreign).length).toBeGreaterThan(0);
    }
  });

  test('what is not installed cannot be started, stopped or looked at', () => {
    for (const action of ['start', 'stop', 'status', 'logs', 'enable', 'uninstall'] as const) {
      expect(() => steps({ action }, situation)).toThrow('daemon install');
    }
  });

  test('without a manager the refusal names the command to run by hand, quoted for a shell', () => {
    const command =
      "mkdir -p -m 700 /home/ada/state && AGENT_RELAY_ENV_FILE=/home/ada/relay.env nohup /usr/bin/node '/opt/my relay/cli.js' serve >> /home/ada/state/relay.log 2>&1 &";
    expect(manualCommand(situation)).toBe(command);
    expect(() => steps({ action: 'install' }, { ...situation, manager: 'none' })).toThrow(command);
  });
});
