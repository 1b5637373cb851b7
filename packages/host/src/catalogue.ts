import type { NodeProvider, SandboxKind } from 'agent-relay-protocol';
import type { Provider, ProviderAvailability } from 'agent-relay-provider';

export interface CatalogueOptions {
  readonly clock: { now(): number };
  /** The sandboxes that its agents can be put in here. */
  readonly kindsOf: (provider: Provider) => Promise<readonly SandboxKind[]>;
  readonly environmentFor: (provider: Provider) => Readonly<Record<string, string>>;
}

interface Look {
  /** When it began. */
  readonly at: number;
  readonly seen: Promise<NodeProvider>;
}

/** What this machine can run: who asks while a program is being looked for waits for the same answer, and the last one is kept. */
export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #looks = new Map<Provider, Look>();
  readonly #looking = new Set<Provider>();

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** One kind of agent as it is now, or was seen to be no longer than `maxAgeMs` ago. */
  look(provider: Provider, maxAgeMs: number): Promise<NodeProvider> {
    const { clock, environmentFor, kindsOf } = this.#options;
    const last = this.#looks.get(provider);
    if (last && (this.#looking.has(provider) || clock.now() - last.at < maxAgeMs)) return last.seen;
    this.#looking.add(provider);
    const seen = Promise.all([provider.detect(environmentFor(provider)), kindsOf(provider)])
      .then(([found, sandbox]) => entryOf(provider, found, sandbox))
      .finally(() => this.#looking.delete(provider));
    this.#looks.set(provider, { at: clock.now(), seen });
    return seen;
  }
}

function entryOf(
  { id, name, abilities, resumes, takesDialIns }: Provider,
  found: ProviderAvailability,
  sandbox: readonly SandboxKind[],
): NodeProvider {
  const about = {
    ...(name === undefined ? {} : { name: name.slice(0, 64) }),
    ...(takesDialIns === true ? { dialIn: true } : {}),
    ...(abilities === undefined
      ? {}
      : { abilities: { ...abilities, modes: [...abilities.modes], resume: resumes === true, sandbox: [...sandbox] } }),
  };
  if (!found.available) return { id, available: false, version: null, reason: found.reason, ...about };
  const runtime = found.runtime === undefined ? {} : { runtime: found.runtime.slice(0, 1000) };
  return { id, available: true, version: found.version, reason: null, ...runtime, ...about };
}
