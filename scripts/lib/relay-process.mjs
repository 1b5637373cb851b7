// The running relay: started, signalled and stopped together with the command that started it.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rootFolder } from './run.mjs';

/** @typedef {import('./toolchain.mjs').Toolchain} Toolchain */
/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

const parentCheckMs = 500;
const stopGraceMs = 30_000;

/**
 * Who started us: our parent and, started by npm, the npm behind its shell. Another answer than before means that they
 * are gone. npm passes SIGTERM on to its shell alone, and a killed npm leaves even the shell.
 */
function startedBy() {
  const parent = process.ppid;
  if (process.env['npm_lifecycle_event'] === undefined || process.platform !== 'linux') return String(parent);
  try {
    const [, grandparent] = readFileSync(`/proc/${parent}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return `${parent} ${grandparent}`;
  } catch {
    return String(parent);
  }
}

/**
 * Runs processes until one of them ends, then stops the others; resolves with the exit code of the first to end.
 * SIGINT, SIGTERM and SIGHUP are passed on, and the end of our own parent counts as SIGTERM.
 *
 * @param {readonly { child: ChildProcess, killed: string }[]} processes `killed`: what to do when somebody has killed it.
 * @returns {Promise<number>}
 */
export function superviseTogether(processes) {
  const running = new Set(processes.map(({ child }) => child));
  /** @param {NodeJS.Signals} signal */
  const signalAll = (signal) => {
    for (const child of running) child.kill(signal);
  };
  return new Promise((resolve) => {
    /** @type {number | undefined} */
    let exitCode;
    /** @type {NodeJS.Timeout | undefined} */
    let killTimer;
    const stopAll = () => {
      signalAll('SIGTERM');
      killTimer ??= setTimeout(() => signalAll('SIGKILL'), stopGraceMs);
    };

    const starter = startedBy();
    const parentTimer = setInterval(() => {
      if (startedBy() === starter) return;
      clearInterval(parentTimer);
      stopAll();
    }, parentCheckMs);

    const forward = (/** @type {NodeJS.Signals} */ signal) => signalAll(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);

    const ended = (/** @type {ChildProcess} */ child, /** @type {number} */ code) => {
      if (!running.delete(child)) return;
      exitCode ??= code;
      if (running.size > 0) return stopAll();
      clearInterval(parentTimer);
      clearTimeout(killTimer);
      for (const signal of signals) process.off(signal, forward);
      resolve(exitCode);
    };
    for (const { child, killed } of processes) {
      child.on('error', (error) => {
        console.error(`agent-relay: ${error.message}`);
        ended(child, 1);
      });
      child.on('exit', (code, signal) => {
        // A relay that ended on the signal it was sent did what it was told.
        const isAsked = signal === 'SIGINT' || signal === 'SIGTERM' || killTimer !== undefined;
        if (signal !== null && !isAsked) console.error(`agent-relay: ${signal} ended ${killed}`);
        ended(child, code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1));
      });
    }
  });
}

/**
 * A child in a process group of its own: Ctrl-C reaches only us, and the child hears of it once, from us.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env: NodeJS.ProcessEnv, cwd?: string }} options
 */
function spawnApart(command, args, { env, cwd = process.cwd() }) {
  return spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'], detached: process.platform !== 'win32' });
}

/** @param {string} command */
const relayKilled = (command) => `the relay; its agents go on for ten minutes: start it again with ${command}, and it has them back`;

/**
 * The built relay. It gets the caller's own environment: what agents find on PATH is the user's, not our tools.
 *
 * @param {Toolchain} toolchain
 * @param {readonly string[]} args
 */
export function startRelay({ node }, args) {
  const cli = join(rootFolder, 'packages', 'server', 'dist', 'cli.js');
  return superviseTogether([{ child: spawnApart(node, [cli, 'serve', ...args], { env: process.env }), killed: relayKilled('npm start') }]);
}

/**
 * Where the relay that is started with these arguments will be, as its own command tells it.
 *
 * @param {readonly string[]} args
 * @param {() => string} config The effective settings, as `agent-relay config --json` prints them.
 */
export function servedBy(args, config) {
  /** @type {{ settings: readonly { name: string, value: unknown }[] }} */
  const { settings } = JSON.parse(config());
  const setting = (/** @type {string} */ name) => String(settings.find((each) => each.name === name)?.value ?? '');
  const flag = (/** @type {string} */ name) => {
    const joined = args.find((each) => each.startsWith(`${name}=`));
    return joined === undefined ? args[args.indexOf(name) + 1 || args.length] : joined.slice(name.length + 1);
  };
  return { databasePath: resolve(flag('--db') ?? setting('DB_PATH')), port: flag('--port') ?? setting('PORT') };
}

/**
 * The relay from its sources, restarted on every change, and the dashboard by Vite with hot reload.
 *
 * @param {Toolchain} toolchain
 * @param {readonly string[]} args
 */
export function startDevelopment({ node, env }, args) {
  const cli = join(rootFolder, 'packages', 'server', 'src', 'cli.ts');
  const dashboard = join(rootFolder, 'apps', 'dashboard');
  const vite = join(dashboard, 'node_modules', 'vite', 'bin', 'vite.js');
  const { databasePath, port } = servedBy(args, () =>
    execFileSync(node, ['--conditions=agent-relay-source', cli, 'config', '--json'], { encoding: 'utf8' }),
  );
  const socket = process.platform === 'win32' ? {} : { AGENT_RELAY_DEV_SOCKET: `${databasePath}.sock` };
  const watched = ['--watch', '--watch-preserve-output', '--conditions=agent-relay-source', cli, 'serve', ...args];
  const page = spawnApart(node, [vite], { env: { ...env, ...socket, AGENT_RELAY_DEV_PORT: port }, cwd: dashboard });
  return superviseTogether([
    { child: spawnApart(node, watched, { env: process.env }), killed: relayKilled('npm run dev') },
    { child: page, killed: 'the dashboard; start it again with npm run dev' },
  ]);
}
