import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Sources of our packages, with the folder of all packages. */
export const packageSources = /^(.*[\\/]packages)[\\/][\w-]+[\\/]src[\\/].*\.ts$/;

interface Place {
  readonly file: string;
  readonly name: string;
}

const isOurs = (specifier: string): boolean => specifier.startsWith('agent-relay-');

/** Where each public name of a package of ours is made; those that its index makes itself are left out. */
function placesOf(specifier: string, packages: string): ReadonlyMap<string, Place | undefined> {
  const [name = '', ...entry] = specifier.split('/');
  const folder = join(packages, name.replace('agent-relay-', ''));
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const index = join(folder, exports[['.', ...entry].join('/')]['agent-relay-source']);
  const lists = readFileSync(index, 'utf8').matchAll(/^export \{([^}]*)\} from '([^']+)';$/gmu);
  return new Map(
    [...lists].flatMap(([, names = '', file = '']) =>
      namesIn(names).map(
        ({ name, as }) => [as, isOurs(file) ? placesOf(file, packages).get(name) : { name, file: resolve(dirname(index), file) }] as const,
      ),
    ),
  );
}

/** The names of an import or export, as they are made and as they are called here; types are none. */
function namesIn(list: string): { readonly name: string; readonly as: string }[] {
  const names = list.split(',').map((each) => each.trim());
  return names.flatMap((each) => {
    const [name = '', as = name] = each.split(' as ');
    return name === '' || name.startsWith('type ') ? [] : [{ name, as }];
  });
}

const named = (name: string, as: string): string => (name === as ? name : `${name} as ${as}`);

/**
 * A source of ours, as one that imports from the files themselves what it has of other packages. An index names all of its package, and esbuild gives each part of a
 * split program that imports one everything of it that any part uses.
 */
export function directImports(path: string): string {
  const [, packages = ''] = packageSources.exec(path) ?? [];
  const source = readFileSync(path, 'utf8');
  return source.replaceAll(/^import \{([^}]*)\} from '(agent-relay-[\w/-]+)';$/gmu, (_, list: string, specifier: string) => {
    const places = placesOf(specifier, packages);
    const imports = namesIn(list).map(({ name, as }) => {
      const place = places.get(name);
      return `import { ${named(place?.name ?? name, as)} } from ${JSON.stringify(place?.file ?? specifier)};`;
    });
    return imports.join(' ');
  });
}
