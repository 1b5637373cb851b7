import { realpathSync } from 'node:fs';
import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { findExecutable } from 'agent-relay-wire/node';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { planDaemon } from '../operations/daemon-plan.ts';
import { globalPrefixOf, installationOf } from '../operations/installation.ts';
import { describeStep, outputOf, runSteps, type Step } from '../operations/steps.ts';
import { planUpgrade, refuseCheckout } from '../operations/upgrade-plan.ts';
import { type ConsentOptions, hasConsent } from './consent.ts';
import { programOf } from './program-name.ts';
import { serviceSituation } from './service-situation.ts';
import type { Terminal } from './terminal.ts';

interface UpgradeOptions extends ConsentOptions {
  readonly providers?: readonly ProviderName[];
  readonly restart: boolean;
}

type Companion = (version: string) => readonly Step[];
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
  const { flags, path } = programOf(terminal);
  const installation = installationOf(path);
  refuseCheckout(installation);
  const steps = planUpgrade({
    installation,
    current: RELAY_VERSION,
    latest: await latestVersion(terminal),
    companions: await companions(options.providers, terminal),
    restart: options.restart ? await restartSteps(terminal) : [],
    check: { type: 'run', command: [process.execPath, ...flags, path, '--version'] },
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
const providers: Readonly<Record<'codex' | 'claude', (terminal: Terminal) => Promise<Companion | null>>> = {
  codex: async ({ env }) => {
    const launcher = await findExecutable('codex-relay', { env });
    if (launcher === undefined) return null;
    // Into the place where it lies: npm's own may be another.
    const prefix = globalPrefixOf(realpathSync(launcher), 'agent-relay-codex');
    const where = prefix === undefined ? [] : ['--prefix', prefix];
    return (version) => [
      { type: 'run', command: ['npm', 'install', '--global', ...where, `agent-relay-codex@${version}`] },
      // Codex works with a copy of the plugin, where it has one.
      { type: 'run', command: ['agent-relay-codex', 'refresh'], mayFail: true },
    ];
  },
  claude: async (terminal) => {
    if ((await findExecutable('claude', { env: terminal.env })) === undefined) return null;
    const plugins = await outputOf(['claude', 'plugin', 'list', '--json'], terminal);
    if (plugins?.includes('agent-relay@agent-relay') !== true) return null;
    const marketplaces = await outputOf(['claude', 'plugin', 'marketplace', 'list', '--json'], terminal);
    if (isOurFolder(marketplaces))
      return (version) => [{ type: 'run', command: ['npx', '--yes', `agent-relay-plugin@${version}`, 'install'] }];
    return () => [
      { type: 'run', command: ['claude', 'plugin', 'marketplace', 'update', 'agent-relay'] },
      { type: 'run', command: ['claude', 'plugin', 'update', 'agent-relay@agent-relay'] },
    ];
  },
};

const Marketplaces = z.array(z.looseObject({ name: z.string().optional(), source: z.string().optional() }));

/** Whether the plugin lies in a folder, where its own installer put it: then only that brings another version. */
function isOurFolder(marketplaces: string | null): boolean {
  try {
    const listed = Marketplaces.parse(JSON.parse(marketplaces ?? ''));
    return listed.some(({ name, source }) => name === 'agent-relay' && source === 'directory');
  } catch {
    return false;
  }
}

type ProviderName = keyof typeof providers;

const knownProviders: readonly ProviderName[] = ['codex', 'claude'];

async function companions(wanted: readonly ProviderName[] | undefined, terminal: Terminal): Promise<readonly Companion[]> {
  const found: Companion[] = [];
  for (const name of wanted ?? knownProviders) {
    const companion = await providers[name](terminal);
    if (companion) found.push(companion);
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
