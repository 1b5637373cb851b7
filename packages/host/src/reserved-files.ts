import { touchedFiles } from 'agent-relay-protocol';
import type { ReservedAgainst } from 'agent-relay-provider';
import type { HostRelay, SessionIdentity } from './host-relay.ts';
import { linkedFilesOf } from './linked-files.ts';

/** No system has longer ones: what a program elsewhere says of its folder then tells nothing. */
const LONGEST_FOLDER = 4096;

/** Asks the relay about what may change files; links are followed where the agent works on this machine. */
export const reservedFiles =
  (
    relay: Pick<HostRelay, 'reservedAgainst'>,
    session: SessionIdentity,
    { isElsewhere }: { readonly isElsewhere: boolean },
  ): ReservedAgainst =>
  async (use) => {
    const { kind, cwd } = use;
    if (kind !== 'edit' && kind !== 'execute' && kind !== 'other') return null;
    const named = touchedFiles(use);
    if (named === null && kind !== 'edit') return null;
    const files = named && { files: [...named, ...(isElsewhere ? [] : linkedFilesOf(use))] };
    const isTold = cwd !== undefined && cwd.length <= LONGEST_FOLDER;
    return relay.reservedAgainst(session, { kind, ...(isTold ? { cwd } : {}), ...files });
  };
