import { type Address, formatAddress, RelayError } from 'agent-relay-protocol';
import { nearId } from './unknown-agent.ts';

/** Whom a bare word could mean. */
export interface Directory {
  isKnown(agentId: string): boolean;
  /** Ids of the agents with this name, and with this label. */
  named(name: string): readonly string[];
  labelled(label: string): readonly string[];
  /** Everybody. */
  agents(): Iterable<{ readonly agentId: string }>;
  /** Ids of the agents of this kind (`codex`) that are there, without the one that asks. */
  ofProvider(provider: string): readonly string[];
}

/**
 * The one spelling a message is stored under. A bare word is an exact id, else the only agent of that name or label, else
 * the only one of that kind that is there.
 * @throws RelayError `ambiguous_target` with `details.candidates` when several have it, `not_found` when none has.
 */
export function resolveAddress(address: Address, directory: Directory): string {
  if (address.type !== 'bare') return formatAddress(address);
  const { word } = address;
  if (directory.isKnown(word)) return `id:${word}`;
  const called = new Set([...directory.named(word), ...directory.labelled(word)]);
  const candidates = [...(called.size > 0 ? called : directory.ofProvider(word))].sort();
  const [only, ...others] = candidates;
  if (only === undefined) {
    const near = nearId(word, directory.agents());
    const meant = near === null ? 'use its id' : `did you mean ${near}? Use its id`;
    throw new RelayError('not_found', `No agent is called ${word}: ${meant}, or id:${word} to leave mail for one that is still to come`, {
      ...(near === null ? {} : { details: { near } }),
    });
  }
  if (others.length > 0) {
    throw new RelayError(
      'ambiguous_target',
      `${candidates.length} agents are called ${word}: name one by its id, or all of them by label:, tag: or cap:`,
      {
        details: { candidates: candidates.map((id) => `id:${id}`) },
      },
    );
  }
  return `id:${only}`;
}
