/** How this copy of agent-relay came onto the machine, told by where its command lies. */
export type Installation =
  | { readonly type: 'npm-global'; readonly prefix: string }
  | { readonly type: 'npm-project'; readonly folder: string }
  | { readonly type: 'npx' }
  | { readonly type: 'checkout'; readonly folder: string }
  | { readonly type: 'other'; readonly by: 'pnpm' | 'yarn' | 'bun' | 'unknown' };

const packageName = 'agent-relay-server';

/** `cliPath` is the real path of the running `cli.js`, links resolved. */
export function installationOf(cliPath: string): Installation {
  const path = cliPath.replaceAll('\\', '/');
  const checkout = /^(.*)\/packages\/server\/(?:src|dist)\/cli\.[jt]s$/u.exec(path)?.[1];
  if (checkout !== undefined && !path.includes('/node_modules/')) return { type: 'checkout', folder: checkout };
  if (path.includes('/_npx/')) return { type: 'npx' };
  for (const [by, trace] of otherManagers) if (trace.test(path)) return { type: 'other', by };
  const folder = folderOf(path, packageName);
  if (folder === undefined) return { type: 'other', by: 'unknown' };
  const prefix = globalPrefixOf(path, packageName);
  return prefix === undefined ? { type: 'npm-project', folder } : { type: 'npm-global', prefix };
}

const folderOf = (path: string, name: string): string | undefined => path.match(new RegExp(`^(.*)/node_modules/${name}/`, 'u'))?.[1];

/** Where `npm install --global` put a package, told by the real path of one of its files; undefined where that was something else. */
export function globalPrefixOf(filePath: string, name: string): string | undefined {
  const folder = folderOf(filePath.replaceAll('\\', '/'), name);
  if (folder === undefined) return undefined;
  // npm keeps global packages in PREFIX/lib/node_modules, on Windows in PREFIX/node_modules of its own folder.
  return /^(.*)\/lib$/u.exec(folder)?.[1] ?? (/\/npm$/iu.test(folder) ? folder : undefined);
}

const otherManagers = [
  ['pnpm', /\/\.pnpm\/|\/pnpm\/global\//u],
  ['yarn', /\/yarn\/global\/|\/\.yarn\//u],
  ['bun', /\/\.bun\//u],
] as const;
