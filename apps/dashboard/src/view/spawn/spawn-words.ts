import type { Node } from 'agent-relay-client';
import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import { known } from '../known.ts';

export type ProviderOffer = Node['providers'][number];

export const modeWords: Readonly<Record<SpawnMode, string>> = {
  safe: 'use no tools',
  agentic: 'work in its folder',
  unrestricted: 'do everything',
};

export const approvalModeWords: Readonly<Record<ApprovalMode, string>> = {
  open: 'it may do the same',
  guarded: 'it asks you first',
  'read-only': 'it only reads',
};

/** What a kind of agent can do on a machine, and the machine's owner allows: all of it where nobody says. */
export function allowedOf<Word extends string>(
  words: readonly Word[],
  ...limits: readonly (readonly string[] | undefined)[]
): readonly Word[] {
  return words.filter((word) => limits.every((limit) => limit === undefined || limit.includes(word)));
}

/** The kinds of agents that machines offer; of a kind that several have, one that can start now. */
export function providersOf(machines: readonly Pick<Node, 'providers'>[]): readonly ProviderOffer[] {
  const offers = new Map<string, ProviderOffer>();
  for (const provider of machines.flatMap(({ providers }) => providers)) {
    if (!offers.get(provider.id)?.available) offers.set(provider.id, provider);
  }
  return [...offers.values()].sort((one, other) => Number(other.available) - Number(one.available));
}

interface UsedModel {
  readonly provider: string;
  readonly model: string | null;
  readonly turns: number;
}

/** The models that agents of a kind worked with, the most used first: no vendor tells a machine which there are. */
export function modelsOf(provider: string | undefined, used: readonly UsedModel[]): readonly string[] {
  const turns = new Map<string, number>();
  for (const { model, ...use } of used) {
    if (model !== null && use.provider === provider) turns.set(model, (turns.get(model) ?? 0) + use.turns);
  }
  return [...turns].sort(([, one], [, other]) => other - one).map(([model]) => model);
}

interface Plan {
  readonly offer: ProviderOffer | undefined;
  readonly machine: Pick<Node, 'name'>;
  readonly isAnyMachine: boolean;
  readonly mode: string;
  readonly cwd: string;
  readonly isInSandbox?: boolean;
}

/** What the filled form does, before it does it. */
export function saysWhatHappens({ offer, machine, isAnyMachine, mode, cwd, isInSandbox = false }: Plan): string {
  if (offer === undefined) return 'No program of an agent is installed there: see Fleet for how to install one.';
  if (!offer.available) return offer.reason ?? `${offer.id} is not installed there.`;
  const where = isAnyMachine ? `a machine that has ${offer.id}` : machine.name;
  const folder = `${cwd === '' ? 'in a fresh folder' : `in ${cwd}`}${isInSandbox ? ', in a sandbox' : ''}`;
  return `Starts ${offer.id}${offer.version === null ? '' : ` ${offer.version}`} on ${where}, ${folder}; it may ${known(modeWords, mode, (word) => word)}.`;
}
