import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeAnthropicApiKey } from '../anthropic/start-fake-anthropic.ts';

/** A home of its own for the CLIs under test, removed afterwards. */
export interface TempHome extends AsyncDisposable {
  /** Holds everything below. */
  readonly directory: string;
  readonly home: string;
  readonly codexHome: string;
  /** An empty folder that Claude trusts already. */
  readonly workFolder: string;
  /** Another folder below `directory` that Claude trusts already. */
  makeFolder(name: string): Promise<string>;
  /** A complete environment for a child process: nothing of the machine's agents, keys or settings leaks into it. */
  env(): Record<string, string>;
  remove(): Promise<void>;
}

/** Makes a home in which `claude` and `codex` start offline and ask nothing. */
export async function tempHome(): Promise<TempHome> {
  const directory = await realpath(await mkdtemp(join(parentFolder(), 'agent-relay-')));
  const home = join(directory, 'home');
  const codexHome = join(home, '.codex');
  const temporary = join(directory, 'tmp');
  for (const folder of [codexHome, temporary]) await mkdir(folder, { recursive: true });

  const trusted: string[] = [];
  let trusting: Promise<void> = Promise.resolve();
  const trust = (folder: string): Promise<void> => {
    trusted.push(folder);
    trusting = trusting.then(() => replaceFile(join(home, '.claude.json'), JSON.stringify(claudeState(trusted))));
    return trusting;
  };
  const makeFolder = async (name: string): Promise<string> => {
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    await trust(folder);
    return folder;
  };
  const workFolder = await makeFolder('work');
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  const env = (): Record<string, string> => ({
    ...machineEnv(),
    HOME: home,
    USERPROFILE: home,
    CODEX_HOME: codexHome,
    TMPDIR: temporary,
    TEMP: temporary,
    TMP: temporary,
  });
  return { directory, home, codexHome, workFolder, makeFolder, env, remove, [Symbol.asyncDispose]: remove };
}

/**
 * Codex writes nothing when its home is below its temporary folder, and its sandbox lets every command write in /tmp, which would
 * make a test of "outside its folder" say nothing.
 */
const parentFolder = (): string => (process.platform !== 'win32' && existsSync('/var/tmp') ? '/var/tmp' : tmpdir());

/** Whoever reads it meanwhile reads it whole: a Claude that finds half of its state does not start. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** What any program needs to start at all. */
function machineEnv(): Record<string, string> {
  const names = [
    'PATH',
    'Path',
    'LANG',
    'SHELL',
    'USER',
    'SystemRoot',
    'SystemDrive',
    'ComSpec',
    'PATHEXT',
    'ProgramFiles',
    'NODE_COMPILE_CACHE',
  ];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

/** Claude's own state file, as it is after a person has answered every first-start question. */
function claudeState(trustedFolders: readonly string[]): object {
  return {
    hasCompletedOnboarding: true,
    hasSeenAutoDefaultNotice: true,
    bypassPermissionsModeAccepted: true,
    officialMarketplaceAutoInstallAttempted: true,
    officialMarketplaceAutoInstalled: true,
    customApiKeyResponses: { approved: [fakeAnthropicApiKey.slice(-20)], rejected: [] },
    projects: Object.fromEntries(trustedFolders.map((folder) => [folder, { hasTrustDialogAccepted: true }])),
  };
}
