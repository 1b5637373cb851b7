import type { Mount } from './mounts.ts';
import { rootFolders, systemFolders, systemSettings } from './system-files.ts';

export interface BwrapOptions {
  readonly cwd: string;
  readonly mounts: readonly Mount[];
  /** Where each of the `rootFolders` leads that is a link here. */
  readonly rootLinks: Readonly<Record<string, string>>;
  /** It runs as root. */
  readonly isRoot: boolean;
}

/** Namespaces of its own: it sees and signals no process but its own. The network stays the machine's. */
const namespaces: readonly string[] = [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
  ...['--die-with-parent', '--cap-drop', 'ALL'],
];

/** The machine's, not the processes': root could write them from inside, and what `kernel/core_pattern` names runs outside. */
const machineSettings: readonly string[] = [
  'sys',
  'sysrq-trigger',
  'irq',
  'bus',
  'fs',
  'acpi',
  'scsi',
  'mtrr',
  'driver',
  'tty',
  'pressure',
  'dynamic_debug',
].map((name) => `/proc/${name}`);

/** What `bwrap` is told ahead of the program. A path that is not there is passed over; nothing but what is named can be seen. */
export function bwrapArguments({ cwd, mounts, rootLinks, isRoot }: BwrapOptions): readonly string[] {
  return [
    ...namespaces,
    // A vendor's own sandbox makes user namespaces too, and of root's id only who has this may make one.
    ...(isRoot ? ['--cap-add', 'CAP_SETFCAP'] : []),
    ...[...systemFolders, ...systemSettings].flatMap((path) => ['--ro-bind-try', path, path]),
    ...rootFolders.flatMap((path) => {
      const target = rootLinks[path];
      return target === undefined ? ['--ro-bind-try', path, path] : ['--symlink', target, path];
    }),
    ...['--proc', '/proc'],
    // Of others they open for nobody, and a program inside that makes a sandbox too mounts no `/proc` where one lies upon another.
    ...(isRoot ? machineSettings.flatMap((path) => ['--ro-bind-try', path, path]) : []),
    ...['--dev', '/dev'],
    ...mounts.flatMap(mountArguments),
    // What the folders above the others are made in must not look as if one could write there.
    ...['--remount-ro', '/'],
    ...['--chdir', cwd],
    '--',
  ];
}

function mountArguments({ path, access }: Mount): readonly string[] {
  switch (access) {
    case 'scratch':
      return ['--tmpfs', path];
    case 'read':
      return ['--ro-bind-try', path, path];
    case 'write':
      return ['--bind-try', path, path];
  }
}

/** A run that shows whether this machine lets `bwrap` do what a session needs. */
export const bwrapProbe: readonly string[] = [
  ...bwrapArguments({ cwd: '/', mounts: [], rootLinks: {}, isRoot: false }).slice(0, namespaces.length),
  ...['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--', '/usr/bin/env', 'true'],
];

export interface KernelSettings {
  /** Ubuntu 23.10 and later: only programs with a profile that says so may make user namespaces. */
  readonly apparmorRestricts: boolean;
  /** Debian's own switch. */
  readonly unprivilegedClone: boolean;
}

const apparmorRemedy =
  "either give bwrap a profile, as root: printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n' > /etc/apparmor.d/bwrap && apparmor_parser -r /etc/apparmor.d/bwrap; or lift the restriction for all programs: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";

/** Why `bwrap` did not run here, and what to do about it, as the end of a sentence. */
export function bwrapRefusal(words: string, { apparmorRestricts, unprivilegedClone }: KernelSettings): string {
  const said = words === '' ? 'it said nothing' : words;
  const what = `bwrap cannot make a sandbox here (${said})`;
  if (apparmorRestricts) return `${what}: this system lets only programs with an AppArmor profile make user namespaces; ${apparmorRemedy}`;
  if (!unprivilegedClone) return `${what}: user namespaces are switched off; as root: sysctl -w kernel.unprivileged_userns_clone=1`;
  return `${what}; in a container, it needs one that may make user namespaces`;
}
