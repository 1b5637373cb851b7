import { readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sleep } from '../time.ts';

/** The environment a process was started with, `NAME=value` each. Null where it cannot be known: it is gone, another user's, or no Linux process. */
export type ProcessEnvironment = readonly string[] | null;

/** What runs in a process: nothing in a zombie and in the system's own. */
type Program = 'none' | 'loading' | 'loaded';

/** Where it is looked up; for tests. */
export interface EnvironmentSource<Text> {
  /** Fails where there is no such process, or none to look at. */
  readonly read: (pid: number) => Text;
  readonly programOf: (pid: number) => Program;
}

const LOOK_EVERY_MS = 5;
const LOOKS = 20;

/** While its program is being loaded, a process has no environment to be seen: it is looked at again, for some 100 ms. */
export async function environmentOf(pid: number, source: EnvironmentSource<Promise<string>> = system): Promise<ProcessEnvironment> {
  const read = () => source.read(pid).catch(() => null);
  let text = await read();
  for (let looks = 1; text === '' && looks < LOOKS; looks += 1) {
    // Asked before the next look, which is then the last one or not.
    const program = source.programOf(pid);
    if (program === 'none') return null;
    if (program === 'loading') await sleep(LOOK_EVERY_MS);
    text = await read();
    if (program === 'loaded') return entriesOf(text);
  }
  return text === '' ? null : entriesOf(text);
}

/** As `environmentOf`; nothing else runs here meanwhile. */
export function environmentOfSync(pid: number, source: EnvironmentSource<string> = systemSync): ProcessEnvironment {
  const read = () => tryRead(() => source.read(pid));
  let text = read();
  for (let looks = 1; text === '' && looks < LOOKS; looks += 1) {
    const program = source.programOf(pid);
    if (program === 'none') return null;
    if (program === 'loading') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
    text = read();
    if (program === 'loaded') return entriesOf(text);
  }
  return text === '' ? null : entriesOf(text);
}

/** What the variable holds, at its commas; nothing where it is not set. */
export function environmentParts(environment: ProcessEnvironment, name: string): readonly string[] {
  const entry = environment?.find((line) => line.startsWith(`${name}=`));
  return entry?.slice(name.length + 1).split(',') ?? [];
}

/** Whether the process was started with `name` holding `value` among its comma-separated parts. Only Linux tells. */
export async function hasInEnvironment(pid: number, name: string, value: string): Promise<boolean> {
  return environmentParts(await environmentOf(pid), name).includes(value);
}

/** The words a process was started with, its program first; while that is being loaded, as `environmentOf`. */
export async function commandLineOf(pid: number): Promise<readonly string[] | null> {
  if ((await environmentOf(pid)) === null) return null;
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text === '' ? null : text.replace(/\0$/u, '').split('\0');
}

const fileOf = (pid: number): string => `/proc/${pid}/environ`;

const entriesOf = (text: string | null): ProcessEnvironment => (text === null ? null : text.split('\0').filter((entry) => entry !== ''));

/**
 * Between the moment when a new program has taken the process and the one when its environment stands in its memory, Linux says 0 for where that ends,
 * the last but one of what it tells of a process (proc(5)). One that was started with none has an end.
 */
function programOf(pid: number): Program {
  const stat = tryRead(() => {
    readlinkSync(`/proc/${pid}/exe`);
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  });
  if (stat === null) return 'none';
  return stat.trim().split(' ').at(-2) === '0' ? 'loading' : 'loaded';
}

function tryRead(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}

const system: EnvironmentSource<Promise<string>> = { read: (pid) => readFile(fileOf(pid), 'utf8'), programOf };
const systemSync: EnvironmentSource<string> = { read: (pid) => readFileSync(fileOf(pid), 'utf8'), programOf };
