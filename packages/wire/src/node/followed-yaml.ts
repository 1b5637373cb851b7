import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { parseDocument } from 'yaml';
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

/** A YAML file while it is changed; a path is the keys from the top, an index for the entry of a list. */
export interface EditedYaml {
  getIn(path: readonly (string | number)[]): unknown;
  setIn(path: readonly (string | number)[], value: unknown): void;
  deleteIn(path: readonly (string | number)[]): unknown;
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

  /**
   * Changes the file and follows it at once; what else stands in it stays, comments too. `check` throws on what it is not to say then.
   * @throws RelayError `busy` while it has a fault, `validation_failed` where it would have one, `store_full`, and `unsupported` where it cannot be
   * written, or not like that: it is as it was.
   */
  edit(change: (file: EditedYaml) => void, check: (value: Value) => void = () => {}): void {
    const { path, schema } = this.#options;
    const { file, fault } = this.state;
    if (fault !== null) throw new RelayError('busy', `Mend the file first: ${fault}`);
    const document = parseDocument(file === null ? '' : readFileSync(path, 'utf8'), { merge: false, stringKeys: true });
    let text: string;
    try {
      change(document);
      // Which fails where a part is taken out that has another name elsewhere.
      text = document.toString({ lineWidth: 0 });
    } catch (error) {
      if (error instanceof RelayError) throw error;
      throw new RelayError('unsupported', `${path} is written in a way that only its owner can change: edit it by hand`, { cause: error });
    }
    check(readYaml(text, path, schema));
    writeWhole(path, text);
    this.#look();
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

/** Whole or not at all, with the rights it has; a link stays one. */
function writeWhole(path: string, text: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const target = found ? realpathSync(path) : path;
  const half = `${target}.${process.pid}.half`;
  try {
    const file = openSync(half, 'wx', found ? found.mode & 0o777 : 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(half, target);
  } catch (error) {
    rmSync(half, { force: true });
    const { code = 'unknown' } = error as NodeJS.ErrnoException; // of the file system
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    throw new RelayError(isFull ? 'store_full' : 'unsupported', `${path} cannot be written (${code})`, { cause: error });
  }
}
