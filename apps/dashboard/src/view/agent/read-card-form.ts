import type { ApprovalMode } from 'agent-relay-protocol';
import type { Fields } from '../form/read-fields.ts';

export interface CardChange {
  readonly label: string | null;
  readonly tags: string[];
  readonly capabilities: string[];
  /** Null follows every channel. */
  readonly channels: string[] | null;
  /** Null where it was not asked. */
  readonly approval: ApprovalMode | null;
}

/** What a filled form asks for; names are parted by spaces or commas. */
export function readCardForm(fields: Fields): CardChange {
  const names = (field: string) => [
    ...new Set(
      fields
        .text(field)
        .split(/[\s,]+/u)
        .filter((name) => name !== ''),
    ),
  ];
  const channels = names('channels').map((name) => name.replace(/^#/u, ''));
  return {
    label: fields.text('label') || null,
    tags: names('tags'),
    capabilities: names('capabilities'),
    channels: channels.includes('*') ? null : channels,
    approval: fields.text('approval') === '' ? null : fields.oneOf('approval', ['open', 'guarded', 'read-only']),
  };
}
