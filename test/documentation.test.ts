import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const examplesIn = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gmu)].map(([, code = '']) => code);

/** What people read who have the published packages, which run on Node 20. */
const pages = globSync(['README.md', 'docs/*.md', 'packages/*/README.md']).filter((path) => {
  if (!path.startsWith('packages')) return true;
  const { private: isPrivate }: { private?: boolean } = JSON.parse(readFileSync(join(dirname(path), 'package.json'), 'utf8'));
  return isPrivate !== true;
});

test('no example needs a newer Node than the packages do', () => {
  expect(pages.flatMap(examplesIn).length).toBeGreaterThan(10);
  const newer = pages.filter((path) => examplesIn(path).some((code) => /^\s*(?:await )?using \w+ =/mu.test(code)));
  expect(newer).toEqual([]);
});

test('what is run by npx lies in a checkout: npm would ask a registry for anything else, and run what a stranger has there', () => {
  const { devDependencies }: { devDependencies: Readonly<Record<string, string>> } = JSON.parse(readFileSync('package.json', 'utf8'));
  const texts = [...pages, ...globSync('{packages,apps}/*/src/**/*.{ts,tsx}')];
  const run = texts.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\bnpx (?:-p )?(agent-relay-[a-z-]+)/gu)].map(([, name = '']) => ({ path, name })),
  );
  expect(run.length).toBeGreaterThan(15);
  expect(run.filter(({ name }) => !(name in devDependencies))).toEqual([]);
});

test('no link leads nowhere', () => {
  const texts = globSync(['*.md', 'docs/**/*.md', '{packages,apps,examples,bench,e2e}/*/*.md'], {
    exclude: (name) => name === 'node_modules',
  });
  const dead = texts.flatMap((path) =>
    [
      ...readFileSync(path, 'utf8')
        .replace(/```[\s\S]*?```|`[^`]*`/gu, '')
        .matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)/gu),
    ]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('every file that ARCHITECTURE names is there, the walk of a message among them', () => {
  const there = globSync(['{packages,apps}/*/{src,test}/**/*.{ts,tsx,md}', 'test/**/*.ts']).map((path) => `/${path.replace('/src/', '/')}`);
  const named = [...readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/[\w-][\w./-]*\.(?:tsx?|md)\b/gu)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((name) => !existsSync(name) && !there.some((path) => path.endsWith(`/${name.replace('/src/', '/')}`)))).toEqual([]);
});

test('every version of the catalog is taken by a package, and every package takes its versions there', () => {
  const text = readFileSync('pnpm-workspace.yaml', 'utf8');
  const [, catalog = ''] = /^catalog:\n((?: {2}.*\n)+)/mu.exec(text) ?? [];
  const versions = [...catalog.matchAll(/^ {2}'?([^':\s]+)'?:/gmu)].map(([, name = '']) => name);
  const manifests = globSync([
    'package.json',
    '{packages,apps}/*/package.json',
    '{bench,e2e}/package.json',
    'examples/provider/package.json',
  ]);
  const taken = manifests.flatMap((path) => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync(path, 'utf8'));
    return Object.entries<string>({ ...dependencies, ...devDependencies, ...optionalDependencies });
  });
  expect(versions.length).toBeGreaterThan(30);
  expect(versions.filter((name) => !taken.some(([each]) => each === name))).toEqual([]);
  expect(
    taken.filter(([name, version]) => version !== 'catalog:' && !(name.startsWith('agent-relay-') && version.startsWith('workspace:'))),
  ).toEqual([]);
});

test('every changeset names packages that there are', () => {
  const names = globSync(['{packages,apps}/*/package.json', '{bench,e2e}/package.json', 'examples/provider/package.json']).map(
    (path): string => JSON.parse(readFileSync(path, 'utf8')).name,
  );
  const named = globSync('.changeset/*.md').flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/^'([^']+)': (?:major|minor|patch)$/gmu)].map(([, name = '']) => ({ path, name })),
  );
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(({ name }) => !names.includes(name))).toEqual([]);
});
