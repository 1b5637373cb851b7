import { PROTOCOL_HEADER, PROTOCOL_VERSION, RELAY_VERSION, VERSION_HEADER, type Version } from 'agent-relay-protocol';
import type { VersionSeen } from './options.ts';

/** Notices which version a relay has, and says so once for each. */
export class VersionWatch {
  readonly #onVersion: ((seen: VersionSeen) => void) | undefined;
  #last = '';

  constructor(onVersion: ((seen: VersionSeen) => void) | undefined) {
    this.#onVersion = onVersion;
  }

  get isWanted(): boolean {
    return this.#onVersion !== undefined;
  }

  /** An HTTP answer names the relay's version in its headers; a proxy's own answer does not. */
  seeHeaders(headers: Headers): void {
    const version = headers.get(VERSION_HEADER);
    if (version !== null) this.see({ version, protocol: Number(headers.get(PROTOCOL_HEADER)) });
  }

  see(answer: unknown): void {
    const relay = versionIn(answer);
    if (!relay || !this.#onVersion) return;
    const key = `${relay.version} ${relay.protocol}`;
    if (key === this.#last) return;
    this.#last = key;
    const client = { version: RELAY_VERSION, protocol: PROTOCOL_VERSION };
    this.#onVersion({ relay, client, matches: relay.version === client.version && relay.protocol === client.protocol });
  }
}

/** What names itself and a protocol; a proxy's own answer does not. */
function versionIn(answer: unknown): Version | null {
  if (typeof answer !== 'object' || answer === null || !('version' in answer) || !('protocol' in answer)) return null;
  const { version, protocol } = answer;
  return typeof version === 'string' && typeof protocol === 'number' && Number.isSafeInteger(protocol) && protocol >= 1
    ? { version, protocol }
    : null;
}
