// What publint and "are the types wrong?" find in tarballs, as JSON: a list of faults for each. One process for all: each would load TypeScript anew.
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemKindInfo } from '@arethetypeswrong/core/problems';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function faultsOfManifest(bytes) {
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  return messages.filter(({ type }) => type === 'error').map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function faultsOfTypes(bytes) {
  const analysis = await checkPackage(createPackageFromTarballData(bytes));
  if (!analysis.types) return ['types: there are none'];
  return analysis.problems.map(({ kind, ...where }) => `types: ${problemKindInfo[kind].title} ${JSON.stringify(where)}`);
}

/** @type {string[][]} */
const faults = [];
for (const path of process.argv.slice(2)) {
  const bytes = Uint8Array.from(readFileSync(path));
  faults.push([...(await faultsOfManifest(bytes)), ...(await faultsOfTypes(bytes))]);
}
console.log(JSON.stringify(faults));
