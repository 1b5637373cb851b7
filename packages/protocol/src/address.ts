import { agentIdForm, groupNameForm, hasForm, labelForm } from './name-forms.ts';

/**
 * What an address means. `bare` is a word without a prefix: an exact id, else a unique name or label, resolved by the relay.
 * `label` and `machine` match every agent that has them; `tag`, `capability`, `channel` and `broadcast` fan out.
 */
export type Address =
  | { readonly type: 'id'; readonly id: string }
  | { readonly type: 'bare'; readonly word: string }
  | { readonly type: 'tag' | 'capability' | 'label' | 'machine' | 'channel'; readonly name: string }
  | { readonly type: 'broadcast' };

const prefixes = { tag: 'tag', cap: 'capability', label: 'label', machine: 'machine', channel: 'channel' } as const;

/** Reads `id:x`, `tag:x`, `cap:x`, `label:x`, `machine:x`, `channel:x`, `#x`, `broadcast` or a bare word; null when it is none of them. */
export function parseAddress(text: string): Address | null {
  if (text === 'broadcast') return { type: 'broadcast' };
  if (text.startsWith('#')) return groupAddress('channel', text.slice(1));
  const colon = text.indexOf(':');
  if (colon === -1) return hasForm(text, labelForm) ? { type: 'bare', word: text } : null;
  const prefix = text.slice(0, colon);
  const name = text.slice(colon + 1);
  if (prefix === 'id') return hasForm(name, agentIdForm) ? { type: 'id', id: name } : null;
  if (!isPrefix(prefix)) return null;
  return groupAddress(prefixes[prefix], name);
}

/** The one spelling of an address: what the log stores and a membership is filed under. */
export function formatAddress(address: Address): string {
  switch (address.type) {
    case 'id':
      return `id:${address.id}`;
    case 'bare':
      return address.word;
    case 'broadcast':
      return 'broadcast';
    case 'capability':
      return `cap:${address.name}`;
    case 'tag':
    case 'label':
    case 'machine':
    case 'channel':
      return `${address.type}:${address.name}`;
  }
}

const isPrefix = (text: string): text is keyof typeof prefixes => Object.hasOwn(prefixes, text);

function groupAddress(type: 'tag' | 'capability' | 'label' | 'machine' | 'channel', name: string): Address | null {
  return hasForm(name, type === 'label' || type === 'machine' ? labelForm : groupNameForm) ? { type, name } : null;
}
