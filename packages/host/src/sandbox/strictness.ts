import { RelayError, type SandboxKind, type SandboxRequest } from 'agent-relay-protocol';

const rank = (request: SandboxRequest): number => {
  switch (request) {
    case 'none':
      return 0;
    case 'auto':
      return 1;
    case 'os':
      return 2;
    case 'bwrap':
    case 'seatbelt':
      return 3;
  }
};

/**
 * What counts where a start and its machine ask for different things: the stricter.
 * @throws RelayError `unsupported` when they name different sandboxes.
 */
export function stricter(asked: SandboxRequest, ofMachine: SandboxRequest): SandboxRequest {
  if (rank(asked) === 3 && rank(ofMachine) === 3 && asked !== ofMachine)
    throw new RelayError('unsupported', `This machine puts its agents in ${ofMachine}, not in ${asked}`);
  return rank(asked) > rank(ofMachine) ? asked : ofMachine;
}

/** The sandbox that the system of a platform has; null where none is known. */
export function kindOf(platform: NodeJS.Platform): SandboxKind | null {
  if (platform === 'linux') return 'bwrap';
  return platform === 'darwin' ? 'seatbelt' : null;
}
