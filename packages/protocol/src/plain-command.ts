/** Words that every shell takes as they stand: no expansion, glob, redirection or comment can be written with them. */
const plain = /^[A-Za-z0-9_./,:@+=-]+/u;
/**
 * Nothing but the closing quote means anything in these, with what could mean something left out: fish escapes in single quotes, PowerShell has
 * quotes beyond ASCII, cmd.exe has no single ones and reads on for its operators.
 */
const quoted = /^(?:'((?:(?!['\\&|<>^%])[ -~])*)'|"((?:(?!["$`!\\&|<>^%])[ -~])*)")/u;
const shells = ['sh', 'bash', 'dash', 'zsh', 'ksh'];
/** As vendors name them. What else bears the name of a shell may be any program. */
const vendorShell = new RegExp(`^(?:(?:/usr/local|/opt/homebrew|/usr)?/bin/)?(?:${shells.join('|')})$`, 'u');

/**
 * The words of one plain command, as its program gets them; null for whatever else a shell would make of it: pipes, lists, substitutions,
 * redirections, globs, assignments, line ends. The shell that a vendor puts around a command is taken off.
 */
export function plainCommand(command: string): readonly string[] | null {
  const words = wordsOf(command);
  const [shell = '', flag = '', script = ''] = words ?? [];
  if (words?.length !== 3 || !vendorShell.test(shell) || !/^-l?c$/u.test(flag)) return words;
  return wordsOf(script);
}

/** Programs that run whatever follows them: a rule for one of these would be a rule for everything. */
const runners = new Set(
  [
    ...shells,
    'ash rbash csh tcsh fish busybox toybox powershell pwsh cmd wsl start cscript wscript mshta rundll32 conhost',
    'env sudo doas su runuser pkexec setpriv chroot unshare nsenter bwrap firejail proot fakeroot systemd-run dbus-run-session xvfb-run',
    'eval exec command builtin source . coproc trap xargs parallel watch script screen tmux at batch ssh',
    'nohup setsid time timeout nice ionice chrt taskset stdbuf unbuffer flock strace ltrace gdb faketime',
  ].flatMap((names) => names.split(' ')),
);

export const isRunner = (program: string): boolean => runners.has(nameOf(program));

/** By which name a system would find it: Windows folds letters and leaves the ending out. */
const nameOf = (program: string): string =>
  program
    .replace(/^.*[/\\]/u, '')
    .toLowerCase()
    .replace(/\.(?:exe|com|cmd|bat)$/u, '');

function wordsOf(command: string): readonly string[] | null {
  const words: string[] = [];
  let rest = command.replace(/^ +/u, '');
  while (rest !== '') {
    const word = firstWord(rest);
    if (word === null) return null;
    words.push(word.value);
    rest = rest.slice(word.length).replace(/^ +/u, '');
  }
  // An assignment before the program changes what the program is.
  return words.length === 0 || words[0]?.includes('=') ? null : words;
}

function firstWord(text: string): { readonly value: string; readonly length: number } | null {
  let [value, length] = ['', 0];
  while (length < text.length && text[length] !== ' ') {
    const rest = text.slice(length);
    const found = plain.exec(rest) ?? quoted.exec(rest);
    if (found === null) return null;
    const [whole, single, double] = found;
    value += single ?? double ?? whole;
    length += whole.length;
  }
  return { value, length };
}
