import type { LedgerLine, NodeHistories } from './history.ts';

/** Every broken promise about mail of agents whose machine was killed, in words; empty when all were kept. */
export function findNodeViolations({ sends, unseen, ledger }: NodeHistories): readonly string[] {
  return [
    ...unseen.map(({ agent, id }) => `message ${id} is not told of as seen by ${agent}`),
    ...[...new Set(sends.map(({ agent }) => agent))].flatMap((agent) => [
      ...checkAgent(
        agent,
        sends.filter((sent) => sent.agent === agent).map(({ id }) => id),
        ledger.filter((line) => line.agent === agent),
      ),
    ]),
  ];
}

/** Everything was read, in the order of the log; what was read twice was in the turn in which the machine died. */
function* checkAgent(agent: string, sent: readonly number[], lines: readonly LedgerLine[]): Generator<string> {
  const first = new Map<number, LedgerLine>();
  let newest = 0;
  for (const line of lines) {
    for (const id of line.messageIds) {
      const earlier = first.get(id);
      if (earlier !== undefined) {
        if (earlier.session === line.session) yield `${agent} read message ${id} twice in one session`;
        else if (lines.findLast(({ session }) => session === earlier.session) !== earlier)
          yield `${agent} read message ${id} again though the session that had read it went on`;
        continue;
      }
      first.set(id, line);
      if (id < newest) yield `${agent} read message ${id} after message ${newest}`;
      newest = Math.max(newest, id);
    }
  }
  for (const id of sent) if (!first.has(id)) yield `${agent} never read message ${id}`;
  const known = new Set(sent);
  for (const id of first.keys()) if (!known.has(id)) yield `${agent} read message ${id}, which nobody sent it`;
}
