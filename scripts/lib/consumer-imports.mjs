// Copied into a consumer's project and run there: each name given must load as ESM and as CommonJS with the same exports.
import { deepStrictEqual } from 'node:assert';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** @param {object} loaded */
const names = (loaded) =>
  Object.keys(loaded)
    .filter((name) => !['default', '__esModule', 'module.exports'].includes(name))
    .sort();

for (const specifier of process.argv.slice(2)) {
  deepStrictEqual(names(require(specifier)), names(await import(specifier)), `${specifier}: CommonJS and ESM export different names`);
}
