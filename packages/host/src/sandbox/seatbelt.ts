import type { Mount } from './mounts.ts';

export interface SeatbeltOptions {
  readonly mounts: readonly Mount[];
}

const systemReads: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/opt',
  '/nix',
  '/System',
  '/Library',
  '/Applications',
  '/private/etc',
  '/private/var/db/timezone',
  '/private/var/select',
  '/dev',
];
const deviceWrites: readonly string[] = ['/dev/null', '/dev/zero', '/dev/tty', '/dev/dtracehelper', '/dev/ptmx'];

/** A path as a string of the profile's language. */
const quoted = (path: string): string => `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const below = (paths: readonly string[]): string => paths.map((path) => `  (subpath ${quoted(path)})`).join('\n');

/**
 * The profile that `sandbox-exec -p` reads. Of two rules the later counts, so what may only be read stands behind the folders that may be written.
 * There is nothing on macOS that forgets what was written: a `scratch` folder is written for good there, but for what may only be read in it.
 */
export function seatbeltProfile({ mounts }: SeatbeltOptions): string {
  const of = (access: Mount['access']) => mounts.flatMap((mount) => (mount.access === access ? [mount.path] : []));
  const reads = of('read');
  const writes = [...of('scratch'), ...of('write')];
  return [
    '(version 1)',
    '(deny default)',
    '(allow process-fork)',
    '(allow process-exec)',
    '(allow process-info* (target same-sandbox))',
    '(allow signal (target same-sandbox))',
    '(allow sysctl-read)',
    '(allow mach-lookup)',
    '(allow ipc-posix-shm)',
    '(allow iokit-open)',
    '(allow pseudo-tty)',
    '(allow network*)',
    '(allow system-socket)',
    '(allow file-read-metadata)',
    `(allow file-read*\n  (literal "/")\n${below([...systemReads, ...writes, ...reads])})`,
    `(allow file-ioctl\n${below(['/dev'])})`,
    `(allow file-write*\n${deviceWrites.map((path) => `  (literal ${quoted(path)})`).join('\n')}\n  (regex #"^/dev/ttys[0-9]+$")${writes.length === 0 ? '' : `\n${below(writes)}`})`,
    ...(reads.length === 0 ? [] : [`(deny file-write*\n${below(reads)})`]),
    '',
  ].join('\n');
}
