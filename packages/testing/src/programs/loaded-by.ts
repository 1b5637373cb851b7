import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';

export interface Loaded {
  /** How long the texts are together, in UTF-16 units. */
  readonly length: number;
  /** What it asks Node for, as `node:net`. */
  readonly builtins: readonly string[];
  /** What is neither Node's nor a file of its own. */
  readonly others: readonly string[];
}

/** What a built program loads before it runs; what it imports later is left out. */
export function loadedBy(path: string): Loaded {
  const texts = new Map<string, string>();
  add(path, texts);
  const names = [...texts.keys()].filter((name) => !isAbsolute(name));
  const builtins = names.filter((name) => builtinModules.includes(name.replace(/^node:/u, '')));
  return {
    length: [...texts.values()].join('').length,
    builtins,
    others: names.filter((name) => !builtins.includes(name)),
  };
}

function add(path: string, texts: Map<string, string>): void {
  if (texts.has(path)) return;
  const text = isAbsolute(path) ? readFileSync(path, 'utf8') : '';
  texts.set(path, text);
  for (const [, next = ''] of text.matchAll(/(?:\b(?:from|import)\s*|getBuiltinModule\()["']([^"']+)["']/gu)) {
    add(next.startsWith('.') ? join(dirname(path), next) : next, texts);
  }
}
