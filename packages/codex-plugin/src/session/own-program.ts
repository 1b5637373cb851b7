import { findExecutable } from 'agent-relay-wire/node';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where `agent-relay-codex` lies, as this environment's `PATH` finds it. */
export const ownProgram = (env: Environment): Promise<string | undefined> => findExecutable('agent-relay-codex', { env });

/** What a session types before `/message`: by the absolute path, which the rules of `install --allow-commands` know, else what is given. */
export async function sessionCommand(env: Environment, otherwise: string): Promise<string> {
  const program = await ownProgram(env);
  if (program === undefined) return otherwise;
  return `${/^[\w./:\\@+-]+$/u.test(program) ? program : `'${program.replaceAll("'", `'\\''`)}'`} run`;
}
