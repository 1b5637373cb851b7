import { existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { createNodeRelayClient, findRelay } from 'agent-relay-client/node';
import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { findExecutable } from 'agent-relay-wire/node';
import { versionWarning } from '../relay/session-text.ts';
import { readHookTrust } from './hook-trust.ts';
import { codexPluginId, rulesPath, shellProfile } from './places.ts';
import { runProgram } from './steps.ts';

/** `ok`, `note` for what a person may want otherwise, `fault` for what does not work. */
export interface Finding {
  readonly kind: 'ok' | 'note' | 'fault';
  readonly text: string;
}

const ok = (text: string): Finding => ({ kind: 'ok', text });
const note = (text: string): Finding => ({ kind: 'note', text });
const fault = (text: string): Finding => ({ kind: 'fault', text });

export interface Examined {
  readonly codex: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** How Codex, the plugin and the relay stand on this machine. */
export async function examine({ codex, env, cwd }: Examined): Promise<readonly Finding[]> {
  if (codex === undefined) return [fault('Codex is not installed: npm install -g @openai/codex'), await relayFinding(env)];
  const hasPlugin = (await runProgram([codex, 'plugin', 'list', '--json'], env)).output.includes(codexPluginId);
  return [
    await codexFinding(codex, env),
    await commandFinding(env, hasPlugin),
    await relayFinding(env),
    ...(hasPlugin
      ? await pluginFindings({ codex, env, cwd })
      : [note(`the plugin is not installed; codex-relay works without it: ${install}`)]),
    ...rulesFindings(env, hasPlugin),
    await aliasFinding(env),
  ];
}

const install = 'agent-relay-codex install';

/** What `npx` has put on the `PATH` is gone after this command. */
function findForGood(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => !/[\\/]_npx[\\/]/u.test(folder));
  return findExecutable(name, { env: { ...env, PATH: folders.join(delimiter) } });
}

async function codexFinding(codex: string, env: NodeJS.ProcessEnv): Promise<Finding> {
  const { code, output } = await runProgram([codex, '--version'], env);
  if (code !== 0) return fault(`${codex} does not run: ${output.trim()}`);
  // Whatever else it has to say, such as that its home lies below the system's folder for temporary files.
  const version = /^codex-cli .*$/mu.exec(output)?.[0] ?? output.trim();
  return ok(`${version} at ${codex}`);
}

/** How this package's command stands; the plugin's hooks run it. */
export async function commandFinding(env: NodeJS.ProcessEnv, hasPlugin: boolean): Promise<Finding> {
  const found = await findForGood('agent-relay-codex', env);
  const how = 'npm install -g agent-relay-codex';
  if (found === undefined)
    return hasPlugin
      ? fault(`agent-relay-codex is not on the PATH, and the plugin’s hooks need it: ${how}`)
      : note(`agent-relay-codex is not installed: ${how}`);
  const { output } = await runProgram([found, '--version'], env);
  const version = output.trim();
  return version === RELAY_VERSION
    ? ok(`agent-relay-codex ${version}`)
    : note(`the agent-relay-codex on the PATH is ${version}, this one ${RELAY_VERSION}`);
}

async function relayFinding(env: NodeJS.ProcessEnv): Promise<Finding> {
  try {
    const found = await findRelay({ env });
    await using client = createNodeRelayClient({ ...found, timeoutMs: 5_000 });
    const { version } = await client.system.version({});
    const warning = versionWarning(version);
    return warning === null ? ok(`the relay at ${found.url}, version ${version}`) : note(warning);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return fault(`no relay: ${error.message}`);
  }
}

async function pluginFindings({ codex, env, cwd }: Examined & { readonly codex: string }): Promise<readonly Finding[]> {
  try {
    const { count, trusted } = await readHookTrust({ codex, env, cwd });
    const isTrusted = count > 0 && trusted === count;
    return [
      ok(`the plugin ${codexPluginId}`),
      isTrusted ? ok('its hooks are trusted') : note('its hooks do not run until you trust them: /hooks in Codex'),
    ];
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return [ok(`the plugin ${codexPluginId}`), note(`how its hooks stand is not known: ${error.message}`)];
  }
}

/** The rules serve the plugin's commands: without it there is nothing to say of them, unless they were left behind. */
function rulesFindings(env: NodeJS.ProcessEnv, hasPlugin: boolean): readonly Finding[] {
  if (existsSync(rulesPath(env))) return [ok('the relay’s message commands may leave the sandbox')];
  const what = 'commands such as agent-relay-codex run /message fail where the sandbox keeps the network shut';
  return hasPlugin ? [note(`${what}; ${install} --allow-commands lets them out`)] : [];
}

async function aliasFinding(env: NodeJS.ProcessEnv): Promise<Finding> {
  const profile = shellProfile(env, process.platform);
  const isThere = profile !== null && existsSync(profile.path) && readFileSync(profile.path, 'utf8').includes(profile.line);
  if (!isThere) return ok('codex stays as it is');
  return (await findForGood('codex-relay', env)) === undefined
    ? note(`codex stays as it is: a line of ${profile.path} that ends in "# agent-relay" does nothing while codex-relay is not installed`)
    : ok(`codex means codex-relay (${profile.path})`);
}
