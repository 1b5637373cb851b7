import { readFileSync, statSync } from 'node:fs';
import { RelayError } from 'agent-relay-protocol';
import type { z } from 'zod';
import { assertOwnFile } from './own-file.ts';
import { readYaml } from './yaml-file.ts';

export interface FollowedYamlOptions<Value> {
  readonly path: string;
  readonly schema: z.ZodType<Value>;
  /** What holds while there is no such file. */
  readonly empty: Value;
  /** Told once of each fault, and of null when the file is good again. */
  readonly onFault: (fault: string | null) => void;
}

/**
 * A YAML file of the user's that counts as it is now: looked at whenever it is asked for, read again when it has changed. While it has a fault, what it
 * said last still holds.
 */
export class FollowedYaml<Value> {
  readonly #options: FollowedYamlOptions<Value>;
  #value: Value;
  #seen = '';
  #fault: string | null = null;

  constructor(options: FollowedYamlOptions<Value>) {
    this.#options = options;
    this.#value = options.empty;
  }

  get current(): Value {
    this.#look();
    return this.#value;
  }

  /** Where it is, null while nothing is there; and why what is there does not count. */
  get state(): { readonly file: string | null; readonly fault: string | null } {
    this.#look();
    return { file: this.#seen === MISSING ? null : this.#options.path, fault: this.#fault };
  }

  #look(): void {
    const { path, schema, empty } = this.#options;
    try {
      const found = stateOf(path);
      if (found === this.#seen) return;
      this.#seen = found;
      this.#value = found === MISSING ? empty : readYaml(readFileSync(path, 'utf8'), path, schema);
      this.#note(null);
    } catch (error) {
      this.#note(error instanceof RelayError ? error.message : `${path} cannot be read`);
    }
  }

  #note(fault: string | null): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#options.onFault(fault);
  }
}

const MISSING = 'missing';

/** @throws RelayError `forbidden` where it is another user's, or others may write it. */
function stateOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!found) return MISSING;
  assertOwnFile(path, found);
  return [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}
