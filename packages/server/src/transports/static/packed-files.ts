import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const pack = promisify(gzip);

/** Files that never change under their name, packed once for every browser. Only for names that a folder really has: nothing else bounds it. */
export class PackedFiles {
  readonly #packed = new Map<string, Promise<Buffer>>();

  /** Rejects when the file cannot be read. */
  of(path: string): Promise<Buffer> {
    const known = this.#packed.get(path);
    if (known) return known;
    const packing = readFile(path).then((content) => pack(content, { level: 9 }));
    this.#packed.set(path, packing);
    packing.catch(() => this.#packed.delete(path));
    return packing;
  }
}

/** Whether an `Accept-Encoding` header asks for gzip; without one a client takes what is not packed. */
export function takesGzip(header: string | undefined): boolean {
  const codings = (header ?? '').split(',').map((part) => part.trim().toLowerCase().split(';'));
  const gzip = codings.find(([name]) => name?.trim() === 'gzip') ?? codings.find(([name]) => name?.trim() === '*');
  return gzip !== undefined && !gzip.slice(1).some((parameter) => /^\s*q\s*=\s*0(?:\.0*)?\s*$/u.test(parameter));
}
