import { RelayError } from 'agent-relay-protocol';
import type { Installation } from './installation.ts';
import type { Step } from './steps.ts';

export interface UpgradeSituation {
  readonly installation: Installation;
  readonly current: string;
  /** The newest published version. */
  readonly latest: string;
  /** Steps that bring an agent's own side of the relay to a version; none for one that is not installed. */
  readonly companions: readonly ((version: string) => readonly Step[])[];
  /** How the managed service is restarted; empty where none is installed, or nobody wants it. */
  readonly restart: readonly Step[];
  /** Asks the installed command for its version: what cannot start is noticed before the service is restarted. */
  readonly check: Step;
}

/** In order: the relay, the companions at the same version, the check, the restart. Empty when everything is there already. */
export function planUpgrade({ installation, current, latest, companions, restart, check }: UpgradeSituation): readonly Step[] {
  if (!isVersion(latest)) throw new RelayError('unsupported', `The registry answered no version: ${latest.slice(0, 80)}`);
  const relay = isNewer(latest, current) ? installSteps(installation, latest) : [];
  const others = companions.flatMap((companion) => companion(latest));
  if (relay.length === 0) return others;
  return [...relay, ...others, check, ...restart];
}

function installSteps(installation: Installation, version: string): readonly Step[] {
  const wanted = `agent-relay-server@${version}`;
  switch (installation.type) {
    case 'npm-global':
      return [{ type: 'run', command: ['npm', 'install', '--global', '--prefix', installation.prefix, wanted] }];
    case 'npm-project':
      return [{ type: 'run', command: ['npm', 'install', '--prefix', installation.folder, wanted] }];
    case 'npx':
      throw new RelayError('unsupported', `This copy belongs to npx, which fetches what it is asked for: npx ${wanted}`);
    case 'checkout':
      return refuseCheckout(installation);
    case 'other':
      throw new RelayError('unsupported', `npm did not install this copy; do it with what did: ${otherCommand(installation.by, wanted)}`);
  }
}

/** Which version a checkout has is git's business, whatever npm knows. @throws RelayError `unsupported`. */
export function refuseCheckout(installation: Extract<Installation, { type: 'checkout' }>): never;
export function refuseCheckout(installation: Installation): void;
export function refuseCheckout(installation: Installation): void {
  if (installation.type !== 'checkout') return;
  throw new RelayError('unsupported', `This is a checkout (${installation.folder}): git pull there, then npm start`);
}

const otherCommand = (by: Extract<Installation, { type: 'other' }>['by'], wanted: string): string =>
  ({
    pnpm: `pnpm add --global ${wanted}`,
    yarn: `yarn global add ${wanted}`,
    bun: `bun add --global ${wanted}`,
    unknown: `npm install --global ${wanted}`,
  })[by];

/** Goes into a command line, so nothing else may pass. */
const isVersion = (text: string): boolean => /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/u.test(text);

/** A version before the release of the same number counts as older than that. */
function isNewer(version: string, than: string): boolean {
  const [ours, theirs] = [version, than].map((text) => text.split('-')[0]?.split('.').map(Number) ?? []);
  for (const index of [0, 1, 2]) {
    const difference = (ours?.[index] ?? 0) - (theirs?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return than.includes('-') && version !== than;
}
