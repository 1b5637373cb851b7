// `npm run link`: makes this checkout's commands callable from every folder, by links beside npm's own global commands.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { rootFolder } from './lib/run.mjs';
import { workspacePackages } from './lib/toolchain.mjs';

const folder = join(execFileSync('npm', ['prefix', '--global'], { encoding: 'utf8' }).trim(), 'bin');

/** @param {string} path */
const isThere = (path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * @param {string} name
 * @param {string} target
 */
function link(name, target) {
  const path = join(folder, name);
  if (!existsSync(target)) throw new Error(`${name} is not built yet: run npm start once`);
  if (isThere(path)) {
    const isOurs = lstatSync(path).isSymbolicLink() && readlinkSync(path).startsWith(rootFolder);
    if (!isOurs) throw new Error(`${path} is there already and not from this checkout: remove it first`);
    rmSync(path);
  }
  symlinkSync(target, path);
  console.log(`${path} -> ${target}`);
}

if (process.platform === 'win32') {
  console.error('On Windows use npx agent-relay-server in this folder.');
  process.exitCode = 1;
} else {
  try {
    mkdirSync(folder, { recursive: true });
    for (const { folder: home, manifest } of workspacePackages()) {
      for (const [name, file] of Object.entries(manifest.bin ?? {})) link(name, join(home, file));
    }
    if (!(process.env['PATH'] ?? '').split(delimiter).includes(folder)) console.log(`${folder} is not on your PATH yet.`);
  } catch (error) {
    console.error(`agent-relay: ${error instanceof Error ? error.message : String(error)}`);
    if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')) {
      console.error(
        `${folder} is not yours to write. Give npm a folder of your own, and put its bin on your PATH: npm config set prefix ~/.npm-global`,
      );
    }
    process.exitCode = 1;
  }
}
