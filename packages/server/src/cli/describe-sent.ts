import type { SentMessage } from 'agent-relay-protocol';

/** What a send did, on one line: whom it reached, and who of them is not there. */
export function describeSent({ id, to, matched, offline = 0 }: SentMessage): string {
  const reached = `[msg:${id}] to ${to}: reached ${matched} ${matched === 1 ? 'agent' : 'agents'}`;
  if (offline === 0) return reached;
  const away = offline === matched ? 'offline now' : `${offline} of them offline now`;
  return `${reached}, ${away}: it waits there, and starts an agent that mail wakes`;
}
