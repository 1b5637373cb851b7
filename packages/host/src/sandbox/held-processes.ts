import { RelayError } from 'agent-relay-protocol';
import type { OwnedProcess, ProcessSandbox, StartOptions } from 'agent-relay-provider';

export interface HeldProcesses {
  /** For the provider's start: who hands it a process is seen to know of it. */
  readonly sandbox?: ProcessSandbox;
  /** Takes what a provider says it started. @throws RelayError `internal` when that is outside the sandbox: its start fails with it. */
  readonly onProcess: StartOptions['onProcess'];
  /** @throws RelayError `internal` when the provider has put nothing inside: it would not know how. */
  assertHeld(): void;
}

/** Sees to it that no provider forgets the sandbox of a session: each of its processes says that it is in it. */
export function heldProcesses(
  sandbox: ProcessSandbox | null,
  { provider, onProcess }: { readonly provider: string; readonly onProcess: (owned: OwnedProcess) => void },
): HeldProcesses {
  if (sandbox === null) return { onProcess, assertHeld: () => {} };
  let isKnown = false;
  return {
    sandbox: {
      kind: sandbox.kind,
      confine: (process, files) => {
        isKnown = true;
        return sandbox.confine(process, files);
      },
    },
    onProcess: (owned) => {
      // Written down first: it is ended with the session that it fails.
      onProcess(owned);
      if (owned.sandbox !== sandbox.kind)
        throw new RelayError('internal', `${provider} started ${owned.purpose} outside of its sandbox ${sandbox.kind}; it was ended`);
    },
    assertHeld: () => {
      if (!isKnown) throw new RelayError('internal', `${provider} put nothing into its sandbox ${sandbox.kind}; it was ended`);
    },
  };
}
