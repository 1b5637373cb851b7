import { realpathSync } from 'node:fs';
import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { findExecutable } from 'agent-relay-wire/node';
import { Command, InvalidArgumentError } from 'commander';
import { planDaemon } from '../operations/daemon-plan.ts';
import { globalPrefixOf, installationOf } from '../operations/installation.ts';
import { describeStep, outputOf, runSteps, type Step } from '../operations/steps.ts';
import { planUpgrade } from '../operations/upgrade-plan.ts';
import { type ConsentOptions, hasConsent } from './consent.ts';
import { ownCliPath } from './program-name.ts';
import { serviceSituation } from './service-situation.ts';
import type { Terminal } from './terminal.ts';

interface UpgradeOptions extends ConsentOptions {
  readonly providers?: readonly ProviderName[];
  readonly restart: boolean;
}

type Companion = (version: string) => readonly Step[];
/** Where its program lies, null where it is not installed. */
type Found = string | null;

export const upgradeCommand = (terminal: Terminal): Command =>
  new Command('upgrade')
    .description('Bring agent-relay, and what it added to the agents of this machine, to the newest version, and restart the service')
    .option(
      '--providers <names>',
      "only these agents' side, separated by commas, or none (default: those that are installed)",
      providerNames,
    )
    .option('--no-restart', 'leave the running service as it is')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would be done, and do nothing')
    .action((options: UpgradeOptions) => upgrade(options, terminal));

async function upgrade(options: UpgradeOptions, terminal: Terminal): Promise<void> {
  const cliPath = ownCliPath();
  const steps = planUpgrade({
    installation: installationOf(cliPath),
    current: RELAY_VERSION,
    latest: await latestVersion(terminal),
    companions: await companions(options.providers, terminal),
    restart: options.restart ? await restartSteps(terminal) : [],
    check: { type: 'run', command: [process.execPath, ...process.execArgv, cliPath, '--version'] },
  });
  if (steps.length === 0) return terminal.out(`agent-relay ${RELAY_VERSION} is the newest.`);
  for (const step of steps) terminal.out(describeStep(step));
  if (await hasConsent(terminal, options)) await runSteps(steps, terminal);
}

async function latestVersion(terminal: Terminal): Promise<string> {
  const answer = await outputOf(['npm', 'view', 'agent-relay-server@latest', 'version'], terminal, 60_000);
  if (answer === null) throw new RelayError('unsupported', 'npm does not say which version is the newest: is it installed, and online?');
  return answer.trim();
}

async function restartSteps(terminal: Terminal): Promise<readonly Step[]> {
  const situation = await serviceSituation(terminal);
  if (situation.manager === 'none' || situation.existing === null) return [];
  return planDaemon({ action: 'restart', enable: false, start: false, force: false, lines: 0, follow: false }, situation).steps;
}

/** What the relay has added to each agent's program, how that is noticed, and how it is brought to a version. */
const providers = {
  codex: {
    find: async ({ env }: Terminal): Promise<Found> => {
      const launcher = await findExecutable('codex-relay', { env });
      return launcher === undefined ? null : realpathSync(launcher);
    },
    steps: (version: string, launcher: string): readonly Step[] => {
      // Into the place where it lies: npm's own may be another.
      const prefix = globalPrefixOf(launcher, 'agent-relay-codex');
      const where = prefix === undefined ? [] : ['--prefix', prefix];
      return [
        { type: 'run', command: ['npm', 'install', '--global', ...where, `agent-relay-codex@${version}`] },
        // Codex works with a copy of the plugin, where it has one.
        { type: 'run', command: ['agent-relay-codex', 'refresh'], mayFail: true },
      ];
    },
  },
  claude: {
    find: async (terminal: Terminal): Promise<Found> => {
      const claude = await findExecutable('claude', { env: terminal.env });
      const plugins = claude === undefined ? null : await outputOf(['claude', 'plugin', 'list', '--json'], terminal);
      return claude !== undefined && plugins?.includes('agent-relay@agent-relay') === true ? claude : null;
    },
    steps: (): readonly Step[] => [{ type: 'run', command: ['claude', 'plugin', 'update', 'agent-relay@agent-relay'] }],
  },
} as const;
type ProviderName = keyof typeof providers;

const knownProviders: readonly ProviderName[] = ['codex', 'claude'];

async function companions(wanted: readonly ProviderName[] | undefined, terminal: Terminal): Promise<readonly Companion[]> {
  const found: Companion[] = [];
  for (const name of wanted ?? knownProviders) {
    const { find, steps } = providers[name];
    const place = await find(terminal);
    if (place !== null) found.push((version) => steps(version, place));
    else if (wanted) terminal.note(`${name}: the relay has added nothing to it here, so there is nothing to bring up to date`);
  }
  return found;
}

function providerNames(text: string): readonly ProviderName[] {
  if (text === 'none') return [];
  return text.split(',').map((part) => {
    const name = knownProviders.find((known) => known === part.trim());
    if (name === undefined) throw new InvalidArgumentError(`${part} is none of ${knownProviders.join(', ')}.`);
    return name;
  });
}
