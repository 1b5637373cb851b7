// What each word after `bootstrap.mjs` does.
import { runCheck, runEverything } from './checks.mjs';
import { startDevelopment, startRelay } from './relay-process.mjs';
import { StepFailed } from './run.mjs';
import { buildWorkspace, installWorkspace, prepareToolchain } from './toolchain.mjs';

/** @param {string} sentence */
const tell = (sentence) => console.log(`agent-relay: ${sentence}`);

/** @type {Record<string, (args: readonly string[]) => Promise<number>>} */
const commands = {
  async start(args) {
    const toolchain = await prepareToolchain(tell);
    await installWorkspace(toolchain, tell);
    await buildWorkspace(toolchain, tell);
    return startRelay(toolchain, args);
  },
  async dev(args) {
    const toolchain = await prepareToolchain(tell);
    await installWorkspace(toolchain, tell);
    await buildWorkspace(toolchain, tell);
    return startDevelopment(toolchain, args);
  },
  async check() {
    const toolchain = await prepareToolchain(tell);
    await installWorkspace(toolchain, tell);
    return runCheck(toolchain);
  },
  async test() {
    return runEverything(tell);
  },
};

/**
 * @param {string | undefined} name
 * @param {readonly string[]} args
 */
export async function main(name, args) {
  const command = name === undefined ? undefined : commands[name];
  if (command === undefined) {
    console.error(`usage: node scripts/bootstrap.mjs ${Object.keys(commands).join('|')} [-- options]`);
    return 2;
  }
  try {
    return await command(args);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    if (error.output !== '') console.error(error.output.trimEnd());
    console.error(`agent-relay: ${error.message}`);
    return 1;
  }
}
