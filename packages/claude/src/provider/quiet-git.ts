type Environment = Readonly<Record<string, string>>;

/**
 * `diff` refreshes the index whatever `GIT_OPTIONAL_LOCKS` says, and a file system monitor is a program or a daemon that `status` starts. A folder
 * that only looks like a bare repository is none (git 2.38): whoever may write files there could have made it one, with programs in its settings.
 */
const settings = [
  ['diff.autoRefreshIndex', 'false'],
  ['core.fsmonitor', 'false'],
  ['safe.bareRepository', 'explicit'],
] as const;

/**
 * What makes a git that only looks leave nothing behind: it does not write down in the index what it learned of the files' times. Added to the
 * settings that the environment hands to git already.
 */
export function quietGit(env: Environment): Record<string, string> {
  const given = Number(env['GIT_CONFIG_COUNT'] ?? 0);
  const count = Number.isSafeInteger(given) && given > 0 ? given : 0;
  const entries = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${count + index}`, key],
    [`GIT_CONFIG_VALUE_${count + index}`, value],
  ]);
  return { GIT_OPTIONAL_LOCKS: '0', GIT_CONFIG_COUNT: String(count + settings.length), ...Object.fromEntries(entries) };
}
