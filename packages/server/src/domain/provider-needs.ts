import { type Abilities, type Node, RelayError, type SandboxRequest, type SpawnMode } from 'agent-relay-protocol';

/** What a session is asked to do that not every kind of agent can. */
export interface ProviderNeeds {
  readonly mode: SpawnMode;
  readonly ask: boolean;
  readonly resume: boolean;
  readonly fork?: boolean | undefined;
  readonly background?: boolean;
  readonly sandbox?: SandboxRequest | undefined;
}

/** What agents with these abilities cannot do of it, as the end of "… cannot"; null when they can, or nobody says. */
export function inability(
  abilities: Abilities | undefined,
  { mode, ask, resume, fork, background, sandbox = 'none' }: ProviderNeeds,
): string | null {
  if (abilities === undefined) return null;
  const { modes } = abilities;
  if (!modes.includes(mode)) return `work in mode ${mode}${modes.length === 0 ? '' : `, only in ${listed(modes)}`}`;
  if (resume && !abilities.resume) return 'go on with an earlier conversation';
  if (fork && !abilities.fork) return 'go on with a copy of an earlier conversation';
  if (background && !abilities.background) return 'run in the background';
  if (lacksSandbox(abilities, sandbox)) return `run in ${sandbox === 'os' ? 'a sandbox' : `the sandbox ${sandbox}`} there`;
  // Only there is something left to ask.
  if (ask && mode === 'agentic' && !abilities.approvals) return 'ask a person';
  return null;
}

/** `auto` is for where there is none. */
function lacksSandbox({ sandbox }: Abilities, asked: SandboxRequest): boolean {
  if (asked === 'none' || asked === 'auto') return false;
  return asked === 'os' ? sandbox.length === 0 : !sandbox.includes(asked);
}

const abilitiesOf = ({ providers }: Node, provider: string): Abilities | undefined =>
  providers.find(({ id }) => id === provider)?.abilities;

/** Whether agents of this kind can do what is asked, on that machine. */
export const isAble = (node: Node, provider: string, needs: ProviderNeeds): boolean =>
  inability(abilitiesOf(node, provider), needs) === null;

/** @throws RelayError `unsupported` that says what the agents cannot, and which others can. */
export function refuseUnable(
  node: Node,
  { provider, needs, online }: { provider: string; needs: ProviderNeeds; online: readonly Node[] },
): never {
  const what = inability(abilitiesOf(node, provider), needs) ?? 'do that';
  const able = online.flatMap(({ providers }) =>
    providers.flatMap(({ id, available, abilities }) =>
      available && abilities !== undefined && inability(abilities, needs) === null ? [id] : [],
    ),
  );
  const others = [...new Set(able)].sort();
  throw new RelayError(
    'unsupported',
    `${provider} cannot ${what}; ${others.length === 0 ? 'nor can any other here' : `${listed(others)} can`}`,
  );
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
