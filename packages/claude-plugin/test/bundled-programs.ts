import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

export interface BundledPrograms {
  readonly sidecar: string;
  readonly hook: string;
}

let made: Promise<BundledPrograms> | null = null;

/** The plugin's programs as they ship, each in one file, made once for all tests of a process: from source each start loads everything anew. */
export function bundledPrograms(): Promise<BundledPrograms> {
  made ??= bundle();
  return made;
}

async function bundle(): Promise<BundledPrograms> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-plugin-programs-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const source = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
  await build({
    config: false,
    entry: { sidecar: source('sidecar'), hook: source('hook') },
    format: ['esm'],
    target: 'node20',
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)),
    noExternal: [/^(?!node:)/u],
    splitting: false,
    treeshake: true,
    // What is bundled of CommonJS asks for modules of Node.
    banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
    esbuildOptions: (options) => {
      options.conditions = ['agent-relay-source'];
    },
    silent: true,
  });
  return { sidecar: join(folder, 'sidecar.mjs'), hook: join(folder, 'hook.mjs') };
}
