import { posix } from 'node:path';
import type { Import, SourceFile, Workspace } from './workspace.ts';

/** The npm name in a specifier: `agent-relay-wire` of `agent-relay-wire/node`; undefined for relative and `node:` ones. */
export function packageNameOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:') || specifier.startsWith('/')) return undefined;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

/** The source file that an export of a workspace package stands for, by its `agent-relay-source` condition. */
function sourceOfExport(workspace: Workspace, specifier: string): string | undefined {
  const name = packageNameOf(specifier);
  const target = workspace.packages.find(({ manifest }) => manifest.name === name);
  if (target === undefined || name === undefined) return undefined;
  const entry = target.manifest.exports?.[`.${specifier.slice(name.length)}`];
  const source = typeof entry === 'string' ? entry : sourceCondition(entry);
  return source === undefined ? undefined : posix.join(target.folder, source);
}

function sourceCondition(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !('agent-relay-source' in entry)) return undefined;
  const source = entry['agent-relay-source'];
  return typeof source === 'string' ? source : undefined;
}

/** The file an import leads to, or undefined when it leaves the workspace. */
export function resolveImport(workspace: Workspace, file: SourceFile, { specifier }: Import): SourceFile | undefined {
  const path = specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : sourceOfExport(workspace, specifier);
  return workspace.files.find((candidate) => candidate.path === path);
}

export interface Arrival {
  readonly file: SourceFile;
  readonly import: Import;
  /** From the first file to this one. */
  readonly trail: readonly string[];
}

/** Every import met by following imports of the given kinds from a file, across packages. */
export function importsReachedFrom(workspace: Workspace, start: SourceFile, kinds: readonly Import['kind'][]): Arrival[] {
  const arrivals: Arrival[] = [];
  const seen = new Set<string>();
  const waiting: { file: SourceFile; trail: readonly string[] }[] = [{ file: start, trail: [start.path] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, trail } = next;
    if (seen.has(file.path)) continue;
    seen.add(file.path);
    for (const each of file.imports) {
      if (!kinds.includes(each.kind)) continue;
      arrivals.push({ file, import: each, trail });
      const target = resolveImport(workspace, file, each);
      if (target !== undefined) waiting.push({ file: target, trail: [...trail, target.path] });
    }
  }
  return arrivals;
}

/** Where a file leads by itself. What is imported while the program runs closes no circle: a command loads the rest of the program so. */
function importedBy(workspace: Workspace, file: SourceFile): SourceFile[] {
  return file.imports.flatMap((each) => (each.kind === 'dynamic' ? [] : (resolveImport(workspace, file, each) ?? [])));
}

/** Circles of imports, those of types included, each as the paths on the way round. */
export function importCycles(workspace: Workspace): string[] {
  const arrows = new Map(workspace.files.map((file) => [file.path, importedBy(workspace, file).map(({ path }) => path)]));
  return cyclesIn(arrows);
}

/** Circles of the folders directly in a folder, each as the names on the way round: what a file of one imports of another. */
export function roomCycles(workspace: Workspace, folder: string): string[] {
  const roomOf = ({ path }: SourceFile) =>
    path.startsWith(`${folder}/`) ? /^[^/]+(?=\/)/.exec(path.slice(folder.length + 1))?.[0] : undefined;
  const arrows = new Map<string, string[]>();
  for (const file of workspace.files) {
    const room = roomOf(file);
    if (room === undefined || file.isTest) continue;
    const others = importedBy(workspace, file).flatMap((target) => roomOf(target) ?? []);
    arrows.set(room, [...(arrows.get(room) ?? []), ...others.filter((other) => other !== room)]);
  }
  return cyclesIn(arrows);
}

function cyclesIn(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (place: string, trail: readonly string[]): void => {
    const known = state.get(place);
    if (known === 'open') cycles.push([...trail.slice(trail.indexOf(place)), place].join(' → '));
    if (known !== undefined) return;
    state.set(place, 'open');
    for (const target of arrows.get(place) ?? []) visit(target, [...trail, place]);
    state.set(place, 'done');
  };
  for (const place of arrows.keys()) visit(place, []);
  return cycles;
}
