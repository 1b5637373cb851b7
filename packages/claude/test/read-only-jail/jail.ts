import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { quietGit } from '../../src/provider/quiet-git.ts';

/** Everything but the folder is read-only, there is no network, and what is left running ends with it. */
const namespaces = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child', '--net', '--ipc'];
const script = `
mount --bind "$1" "$1" && mount --make-rprivate / && mount -o remount,bind,ro / 2>/dev/null
for m in $(cut -d' ' -f5 /proc/self/mountinfo); do case "$m" in "$1"*) ;; *) mount -o remount,bind,ro "$m" 2>/dev/null;; esac; done
mount -t proc proc /proc
touch /agent-relay-jail-is-open /tmp/agent-relay-jail-is-open 2>/dev/null && exit 99
`;
/** Each command in a shell of its own and through `eval`, as Claude's are, with nothing to read. */
const loop = `cd "$1/work" && exec > >(cat >/dev/null) && while IFS= read -r -d '' line; do (eval "$line" </dev/null); done`;
/** What a batch may take; of what is allowed nothing waits. */
const limitMs = 120_000;

export interface JailRun {
  /** What differs in the folder afterwards, by path; empty when nothing was changed. */
  readonly changed: readonly string[];
  /** Writes that failed because they went outside the folder. */
  readonly refusedWrites: readonly string[];
}

/** A throwaway folder, a git repository in it, and an environment with nothing of this machine but PATH. */
export class Jail implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'read-only-jail-'));
  readonly work = join(this.folder, 'work');
  readonly hasNamespaces = spawnSync('unshare', [...namespaces, 'true']).status === 0;

  constructor() {
    this.#fill();
  }

  /** Runs the commands one after another. */
  async run(commands: readonly string[]): Promise<JailRun> {
    const before = this.#snapshot();
    const shell = this.hasNamespaces ? ['unshare', ...namespaces, 'bash'] : ['bash'];
    const [program = 'bash', ...args] = [...shell, '-c', this.hasNamespaces ? `${script}${loop}` : loop, 'jail', this.folder];
    const child = spawn(program, args, { env: this.#env(), stdio: ['pipe', 'ignore', 'pipe'], timeout: limitMs, killSignal: 'SIGKILL' });
    child.stdin.end(commands.map((command) => `${command.replaceAll('\0', '')}\0`).join(''));
    const [stderr] = await Promise.all([text(child.stderr), new Promise((resolve) => child.once('close', resolve))]);
    if (child.signalCode !== null) throw new Error(`A batch of commands took longer than ${limitMs} ms`);
    if (child.exitCode === 99) throw new Error('The jail is open: something outside its folder could be written');
    const after = this.#snapshot();
    const paths = new Set([...before.keys(), ...after.keys()]);
    return {
      changed: [...paths].filter((path) => before.get(path) !== after.get(path)).toSorted(),
      refusedWrites: stderr.split('\n').filter((line) => /read-only file system/iu.test(line)),
    };
  }

  /** As it was at the beginning. */
  reset(): void {
    rmSync(this.folder, { recursive: true, force: true });
    this.#fill();
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #env(): Record<string, string> {
    const home = join(this.folder, 'home');
    return { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home, TMPDIR: join(this.folder, 'tmp'), LC_ALL: 'C', ...quietGit({}) };
  }

  #fill(): void {
    for (const name of ['work/src', 'work/-d', 'home', 'tmp']) mkdirSync(join(this.folder, name), { recursive: true });
    const write = (name: string, content: string) => writeFileSync(join(this.work, name), content);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: this.work, env: this.#env() });
    git('init', '-q', '-b', 'main');
    for (const name of ['a.txt', 'b.txt', 'src/c.ts', 'magic']) write(name, `one\ntwo\n${name}\n`);
    git('add', '.');
    git('commit', '-qm', 'touch ran');
    write('a.txt', 'one\nthree\n');
    git('commit', '-qam', 'echo ran');
    write('a.txt', 'one\nfour\n');
    // Another time with the same content: git would write down in its index that it has looked.
    utimesSync(join(this.work, 'b.txt'), 1_000_000_000, 1_000_000_000);
    for (const name of ['--output=globbed', '-o', '-C', 'touch', '--ext-diff', 'new file.txt', '*']) write(name, 'x\n');
    writeFileSync(join(this.folder, 'home', '.bashrc'), '');
  }

  #snapshot(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string) => {
      const { mode, mtimeMs, size, ino } = lstatSync(path);
      const isFolder = (mode & 0o170000) === 0o040000;
      const content = isFolder
        ? ''
        : (mode & 0o170000) === 0o120000
          ? readlinkSync(path)
          : createHash('sha1').update(readFileSync(path)).digest('hex');
      found.set(relative(this.folder, path), [mode, mtimeMs, isFolder ? 0 : size, ino, content].join(' '));
      if (isFolder) for (const name of readdirSync(path)) visit(join(path, name));
    };
    visit(this.folder);
    return found;
  }
}
