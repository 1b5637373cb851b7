import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { type DaemonWishes, manualCommand, planDaemon } from '../operations/daemon-plan.ts';
import { installationOf } from '../operations/installation.ts';
import { type DaemonAction, daemonActions } from '../operations/service.ts';
import { describeStep, runSteps } from '../operations/steps.ts';
import { systemdUnit } from '../operations/systemd-unit.ts';
import { type ConsentOptions, hasConsent } from './consent.ts';
import { programOf } from './program-name.ts';
import { CommandFailure } from './relay-access.ts';
import { serviceSituation } from './service-situation.ts';
import type { Terminal } from './terminal.ts';

interface DaemonOptions extends ConsentOptions {
  readonly binary?: string;
  readonly enable?: boolean;
  readonly start?: boolean;
  readonly force?: boolean;
  readonly lines?: number;
  readonly follow?: boolean;
}

const descriptions: Readonly<Record<DaemonAction, string>> = {
  install: 'Write the service file',
  status: 'Show whether it runs',
  logs: 'Show what it wrote',
  restart: 'Stop and start it',
  stop: 'Stop it, its node and its agents',
  start: 'Start it',
  enable: 'Start it at every login',
  disable: 'Start it at no login',
  uninstall: 'Stop it and remove the service file',
};

export function daemonCommand(terminal: Terminal): Command {
  const group = new Command('daemon').description("Keep the relay running: a service of the user's systemd or launchd");
  for (const action of daemonActions) {
    group.addCommand(subcommand(action).action((options: DaemonOptions) => daemon(action, options, terminal)));
  }
  return group;
}

function subcommand(action: DaemonAction): Command {
  const command = new Command(action).description(descriptions[action]);
  if (action === 'logs') {
    command.option('--lines <count>', 'how many', wholeNumber, 100).option('--follow', 'go on as more is written');
  }
  if (action === 'install') {
    command
      .option('--binary <path>', 'the agent-relay to run (default: this one)')
      .option('--enable', 'start it at every login')
      .option('--start', 'start it now');
  }
  if (action === 'install' || action === 'uninstall') {
    command.option('--force', 'take over or remove a file that we did not write').option('--yes', 'do not ask');
  }
  if (action !== 'status' && action !== 'logs') command.option('--dry-run', 'show what would be done, and do nothing');
  return command;
}

async function daemon(action: DaemonAction, options: DaemonOptions, terminal: Terminal): Promise<void> {
  const { enable = false, start = false, force = false, lines = 100, follow = false } = options;
  if (options.binary !== undefined && !existsSync(resolve(terminal.cwd, options.binary))) {
    throw new RelayError('not_found', `There is no program ${resolve(terminal.cwd, options.binary)}`);
  }
  const situation = await serviceSituation(terminal, options.binary);
  if (situation.manager === 'none') {
    if (action === 'install' && options.dryRun === true) return terminal.out(systemdUnit(situation.definition));
    terminal.out(manualCommand(situation));
    throw new CommandFailure('error: no service manager of this user answers here; run the relay by hand with the line above', 1);
  }
  const wishes: DaemonWishes = { action, enable, start, force, lines, follow };
  const { steps, notes } = planDaemon(wishes, situation);
  const changesFiles = action === 'install' || action === 'uninstall';
  if (changesFiles || options.dryRun === true) for (const step of steps) terminal.out(describeStep(step));
  if (action === 'install') {
    for (const step of steps) if (step.type === 'write') terminal.out(`\n${step.text}`);
    if (options.binary === undefined && installationOf(programOf(terminal).path).type === 'npx') {
      terminal.note('warning: this copy belongs to npx, which may remove it: npm install --global agent-relay-server first');
    }
  }
  if (!(await hasConsent(terminal, changesFiles ? options : { ...options, yes: true }))) return;
  await runSteps(steps, terminal);
  for (const note of notes) terminal.note(note);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/u.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}
