import { parseAddress, type RunRecord } from 'agent-relay-protocol';

/** Whom a run would act as, or reach, where it is played; its first line need not name them all. */
export interface NamedInRun {
  readonly ids: ReadonlySet<string>;
  /** Who reports its tasks. */
  readonly sources: ReadonlySet<string>;
  /** Whether something reaches others than by their ids: what is said to groups, a rule for a tag, files that are kept from everybody else. */
  readonly reachesGroups: boolean;
}

export function namedIn(records: readonly RunRecord[]): NamedInRun {
  const addresses = records.flatMap(addressesIn).map(parseAddress);
  const sources = new Set(records.flatMap((record) => (record.type === 'task' ? [record.task.source] : [])));
  const addressed = addresses.flatMap((address) => (address?.type === 'id' ? [address.id] : []));
  return {
    ids: new Set([...sources, ...addressed, ...records.flatMap(actorsIn)]),
    sources,
    reachesGroups: addresses.some((address) => address?.type !== 'id') || records.some(({ type }) => type === 'reservation'),
  };
}

function addressesIn(record: RunRecord): readonly string[] {
  if (record.type === 'message') return [record.message.to];
  if (record.type === 'rule' && record.rule.tag !== null) return [`tag:${record.rule.tag}`];
  return record.type === 'task' ? [record.task.target] : [];
}

function actorsIn(record: RunRecord): readonly string[] {
  switch (record.type) {
    case 'run':
      return record.agents.map(({ id }) => id);
    case 'message':
      return [record.message.from];
    case 'task':
      return record.history.map(({ by }) => by);
    case 'claim':
      return [record.claim.agentId];
    case 'approval':
      return [record.approval.agentId];
    case 'receipt':
      return [record.receipt.agentId];
    case 'pair':
      return [record.pair.requester, record.pair.target];
    case 'reservation':
      return [record.reservation.agentId];
    case 'rule':
      return record.rule.agentId === null ? [] : [record.rule.agentId];
    case 'activity':
      return [];
  }
}
