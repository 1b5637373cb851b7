import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const dist = fileURLToPath(new URL('../../apps/dashboard/dist/', import.meta.url));
const LIMIT_KB = 135;

/** A script and what it needs before it can begin; what it reads later is not among it. */
function withImports(name: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(`${dist}assets/${name}`, 'utf8');
  for (const [, other = ''] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/gu)) withImports(other, found);
  return found;
}

const gzippedKb = (names: Iterable<string>): number =>
  [...names].reduce((sum, name) => sum + gzipSync(readFileSync(`${dist}assets/${name}`)).length, 0) / 1_000;

test('the first page of the dashboard takes at most 135 kB of script, compressed; each other page comes when somebody goes there', () => {
  const [, entry = ''] = /<script[^>]+src="\/assets\/([^"]+)"/u.exec(readFileSync(`${dist}index.html`, 'utf8')) ?? [];
  const overview = readdirSync(`${dist}assets`).find((name) => /^overview-page-.*\.js$/u.test(name)) ?? 'no overview page';
  const first = new Set([...withImports(entry), ...withImports(overview)]);
  const sizeKb = gzippedKb(first);
  expect(sizeKb).toBeGreaterThan(50);
  expect(sizeKb).toBeLessThan(LIMIT_KB);
  const later = readdirSync(`${dist}assets`).filter((name) => name.endsWith('-page-') || /-page-.*\.js$/u.test(name));
  expect(later.filter((name) => name !== overview && first.has(name))).toEqual([]);
});

test('no script carries the schemas: a page checks neither what it sends nor what it is answered', () => {
  const scripts = readdirSync(`${dist}assets`).filter((name) => name.endsWith('.js'));
  // What zod calls its insides, which no build renames.
  expect(scripts.filter((name) => readFileSync(`${dist}assets/${name}`, 'utf8').includes('_zod'))).toEqual([]);
});
