// The types of all packages: TypeScript's native compiler writes what each source declares, for all packages at once, and Rolldown makes a file of it for each
// entry, which ESM and CommonJS have each under its own ending. A compiler in JavaScript for each package took five times the processor.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { rootFolder, runOrFail } from './lib/run.mjs';
import { workspacePackages } from './lib/toolchain.mjs';

/** @param {string} folder Where the declaration of each source goes. */
async function declareSources(folder) {
  const compiler = join(rootFolder, 'node_modules', 'typescript-native', 'bin', 'tsc');
  // With several checkers each reads what it needs of the others' types anew: twice the work.
  await runOrFail('tsc', process.execPath, [compiler, '-p', 'tsconfig.types.json', '--singleThreaded', '--outDir', folder]);
}

/**
 * @param {string} folder Of a package.
 * @param {string} declared Where the declarations of its sources are.
 */
async function bundleTypes(folder, declared) {
  /** @type {{ exports: Record<string, string | Record<string, string>> }} */
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const sources = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : (entry['agent-relay-source'] ?? [])));
  const bundle = await rolldown({
    input: Object.fromEntries(sources.map((source) => [basename(source, '.ts'), join(declared, source.replace(/\.ts$/, '.d.ts'))])),
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    resolve: { extensionAlias: { '.ts': ['.ts', '.d.ts'] } },
    plugins: [dts({ dtsInput: true, tsconfig: false })],
    // Neither a folder of this machine in what is published, nor a warning that the plugin took its time.
    experimental: { attachDebugInfo: 'none' },
    checks: { pluginTimings: false },
  });
  const { output } = await bundle.generate({ entryFileNames: '[name].d.ts', chunkFileNames: '[name].d.ts' });
  await bundle.close();

  const dist = join(folder, 'dist');
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist)) if (/\.d\.c?ts$/.test(name)) rmSync(join(dist, name));
  for (const file of output) {
    if (file.type !== 'chunk') continue;
    writeFileSync(join(dist, file.fileName), file.code);
    const common = file.code.replaceAll(/ from "(\.\/[^"]+)\.js";/g, ' from "$1.cjs";');
    writeFileSync(join(dist, file.fileName.replace(/\.ts$/, '.cts')), common);
  }
}

const declared = mkdtempSync(join(tmpdir(), 'agent-relay-types-'));
try {
  await declareSources(declared);
  for (const { folder, manifest } of workspacePackages()) {
    if (manifest.private !== true) await bundleTypes(folder, join(declared, basename(folder)));
  }
} finally {
  rmSync(declared, { recursive: true, force: true });
}
