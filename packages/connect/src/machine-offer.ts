import { isDeepStrictEqual } from 'node:util';
import type { Host } from 'agent-relay-host';
import { type MethodRequest, RelayError } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import type { Owner } from './owner/owner.ts';

export interface MachineOfferOptions {
  readonly host: Pick<Host, 'detect'>;
  readonly owner: Owner;
  readonly log: Log;
}

/** What a machine tells of itself when it attaches, and when it has changed. */
export type MachineOffer = Pick<MethodRequest<'nodes/attach'>, 'providers' | 'terms'>;

/** What this machine offers, found no longer than `maxAgeMs` ago. A file that cannot be read as it is lets nothing be started, and is said in its own words. */
export async function machineOffer({ host, owner, log }: MachineOfferOptions, maxAgeMs: number): Promise<MachineOffer> {
  const found = await host.detect(maxAgeMs);
  try {
    const { announced, offered } = await owner.terms();
    return { providers: [...offered(found)], ...(announced && { terms: announced }) };
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    log.error('nothing is started here', { reason: error.message });
    return { providers: found.map((provider) => ({ ...provider, available: false, reason: error.message })) };
  }
}

/** Whether the owner has changed nothing between the two. Which programs are there the relay asks by itself. */
export const isSameOffer = (one: MachineOffer, other: MachineOffer): boolean => isDeepStrictEqual(ownersPart(one), ownersPart(other));

const ownersPart = ({ providers, terms }: MachineOffer) => ({ terms, reasons: providers.map(({ id, reason }) => [id, reason]) });
