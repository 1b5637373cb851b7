/** Set by whoever started us so that our processes can be found again; it must reach the server. */
const processTree = 'AGENT_RELAY_PROCESS_TREE';
const isOfOneAgent = (name: string): boolean => name.startsWith('AGENT_RELAY_') && name !== processTree;

/** What a server shared by several agents may know: nothing that tells one agent's identity or token to another. */
export function serverEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOfOneAgent(name)));
}

export interface ThreadEnvironment {
  /** Whether commands get what the server's own environment holds. */
  readonly inherits: boolean;
  readonly set: Readonly<Record<string, string>>;
  readonly exclude: readonly string[];
}

/** What one agent's commands need beside the environment of the server they share, and what of it is not theirs. */
export function threadEnvironment(
  env: Readonly<Record<string, string>>,
  shared: Readonly<Record<string, string>> | null,
): ThreadEnvironment {
  // Nobody here knows what is in a server that somebody else started.
  if (shared === null) return { inherits: false, set: env, exclude: [] };
  const set = Object.fromEntries(Object.entries(env).filter(([name, value]) => shared[name] !== value && name !== processTree));
  const exclude = Object.keys(shared).filter((name) => !Object.hasOwn(env, name) && name !== processTree);
  return { inherits: true, set, exclude };
}
