import { type Address, formatAddress, parseAddress, RelayError } from 'agent-relay-protocol';
import type { AddressEntry, Directory } from './directory.ts';
import { nearId } from './unknown-agent.ts';

/** Reads an address from the wire. @throws RelayError `validation_failed` naming the field. */
export function readAddress(text: string, field = 'to'): Address {
  const address = parseAddress(text);
  if (address) return address;
  const message = 'An address is an id or name, id:, tag:, cap:, label:, machine:, channel:, #channel or broadcast';
  throw new RelayError('validation_failed', `${field}: ${message}`, { issues: [{ path: field, message }] });
}

/**
 * The one spelling a message is stored under. A bare word is an exact id, else the only agent of that name or label, else
 * the only one of that kind (`codex`) that is there beside the one that asks.
 * @throws RelayError `ambiguous_target` with `details.candidates` when several have it, `not_found` when none has.
 */
export function resolveAddress(address: Address, directory: Directory, asker: string): string {
  if (address.type !== 'bare') return formatAddress(address);
  const { word } = address;
  if (directory.find(word)?.agent != null) return `id:${word}`;
  const called = new Set([...idsOf(directory.named(word)), ...idsOf(directory.members(`label:${word}`))]);
  const candidates = [...(called.size > 0 ? called : ofProvider(word, directory, asker))].sort();
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

const idsOf = (entries: Iterable<AddressEntry>): readonly string[] => [...entries].map(({ agentId }) => agentId);

const ofProvider = (provider: string, directory: Directory, asker: string): readonly string[] =>
  [...directory.agents()].flatMap(({ agentId, agent }) =>
    agent?.provider === provider && agent.status !== 'offline' && agentId !== asker ? [agentId] : [],
  );
