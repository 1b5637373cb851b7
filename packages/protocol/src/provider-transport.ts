import { RelayError } from './errors.ts';

/** How a vendor's program is driven, where it leaves a choice. */
export const providerTransports = ['websocket', 'cli'] as const;

/** Of names that leave a choice, or say one: the provider that each transport means. */
const driven = new Map([
  [
    'codex',
    new Map([
      ['', 'codex'],
      ['websocket', 'codex'],
      ['cli', 'codex-exec'],
    ]),
  ],
  [
    'codex-ws',
    new Map([
      ['', 'codex'],
      ['websocket', 'codex'],
    ]),
  ],
  [
    'codex-exec',
    new Map([
      ['', 'codex-exec'],
      ['cli', 'codex-exec'],
    ]),
  ],
]);

/**
 * The provider that is meant by a name and a transport: `codex` over `cli` is `codex-exec`. Without a transport it is the vendor's own best one.
 * @throws RelayError `validation_failed` at `transport`, naming those there are, for one that this provider does not have.
 */
export function providerOver(provider: string, transport = ''): string {
  const choices = driven.get(provider);
  const found = choices === undefined && transport === '' ? provider : choices?.get(transport.toLowerCase());
  if (found !== undefined) return found;
  const known = [...(choices?.keys() ?? [])].filter((name) => name !== '');
  const message =
    known.length === 0
      ? `${provider} is driven in one way only: it takes no transport`
      : `${JSON.stringify(transport.slice(0, 50))} is no transport of ${provider}: it is ${known.join(' or ')}`;
  throw new RelayError('validation_failed', message, { issues: [{ path: 'transport', message }] });
}
