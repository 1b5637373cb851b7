import type { Approval, Session } from 'agent-relay-protocol';
import { expect } from 'vitest';
import type { FollowActivity } from './activity-store.ts';
import type { Store } from './store.ts';

type InFolder = (title: string, run: (store: Store, reopen: () => Promise<Store>) => Promise<void>) => void;

const at = 1_000;

/** The part of the store contract about what sessions ask. */
export function approvalContract(inFolder: InFolder): void {
  inFolder('what a session asks is stored and told with the activity that says so, or not at all', async (store, reopen) => {
    await store.sessions.begin('default', 'a', () => ({ session, change: {} }));
    const asked = (approvalId: string): Approval => ({ ...approval, approvalId });
    const append = (seq: number, follow: FollowActivity) =>
      store.activity.append({
        workspace: 'default',
        agentId: 'a',
        sessionId: 's',
        late: false,
        entries: [entry(seq), entry(seq + 1)],
        follow,
      });
    const broken = append(1, () => {
      throw new TypeError('a bug');
    });
    await expect(broken).rejects.toThrow('a bug');
    expect([await store.activity.lastSeq('default', 's'), store.log.head]).toEqual([0, 0]);

    const seen: unknown[] = [];
    await append(1, ({ seq }, itsSession, find) => {
      seen.push([seq, itsSession.sessionId, find('a1')?.approvalId ?? null]);
      const told = { approvals: [asked(`a${seq}`)], events: [{ type: 'approval.requested' as const, at, approval: asked(`a${seq}`) }] };
      return told;
    });
    expect(seen).toEqual([
      [1, 's', null],
      [2, 's', 'a1'],
    ]);
    await append(1, () => {
      throw new TypeError('asked about an entry that was there');
    });
    const other = await reopen();
    expect((await other.approvals.list({ workspace: 'default', limit: 10 })).items).toEqual([asked('a2'), asked('a1')]);
    expect(await other.approvals.find('default', 'a', 'a1')).toEqual(asked('a1'));
    expect(await typesOf(other)).toEqual(['approval.requested', 'approval.requested']);
  });

  inFolder('the end of a session sees what it still asks, and nothing that waits is pruned', async (store) => {
    await store.sessions.begin('default', 'a', () => ({ session, change: { approvals: [approval, { ...approval, approvalId: 'a2' }] } }));
    const allowed: Approval = { ...approval, status: 'allowed', resolvedAt: at, by: 'owner', message: null };
    const key = { sessionId: 's', approvalId: 'a1' };
    expect(await store.approvals.change('default', key, () => ({ approval: allowed, change: { approvals: [allowed] } }))).toEqual(allowed);
    expect(await store.approvals.change('default', { ...key, approvalId: 'none' }, () => ({ approval, change: {} }))).toBeNull();
    const seen: string[] = [];
    await store.sessions.change('default', 's', (_session, _found, pending) => {
      seen.push(...pending.map(({ approvalId }) => approvalId));
      return null;
    });
    expect(seen).toEqual(['a2']);
    expect(await store.approvals.prune(at + 1, 10)).toBe(1);
    expect((await store.approvals.list({ workspace: 'default', agentId: 'a', limit: 10 })).items).toMatchObject([{ approvalId: 'a2' }]);
  });
}

const session: Session = {
  sessionId: 's',
  agentId: 'a',
  nodeId: 'local',
  provider: 'claude',
  instanceId: 'i',
  epoch: 1,
  status: 'running',
  mode: 'agentic',
  ask: false,
  cwd: null,
  model: null,
  spawnedBy: null,
  startedAt: at,
  endedAt: null,
  reason: null,
};

const approval: Approval = {
  approvalId: 'a1',
  agentId: 'a',
  sessionId: 's',
  kind: 'execute',
  title: 'Bash: ls',
  requestedAt: at,
  status: 'pending',
  resolvedAt: null,
  by: null,
  message: null,
};

const entry = (seq: number) => ({ seq, at, event: { type: 'context.compacted' as const } });

const typesOf = async (store: Store): Promise<string[]> =>
  (await store.log.read(0, 1_000)).entries.flatMap((each) => each.events().map(({ type }) => type));
