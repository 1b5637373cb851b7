import type { Agent, Approval } from 'agent-relay-protocol';
import { expect } from 'vitest';
import { ownSession } from '../domain/approval-changes.ts';
import type { FollowActivity } from './activity-store.ts';
import type { Store } from './store.ts';
import { at, type InFolder, someSession, writes } from './store-contract-parts.ts';

/** The part of the store contract about what sessions ask. */
export function approvalStoreContract(inFolder: InFolder): void {
  inFolder('what a session asks is stored and told with the activity that says so, or not at all', async (store, reopen) => {
    await store.sessions.begin('default', 'a', () => writes({ sessions: [someSession] }));
    const asked = (approvalId: string): Approval => ({ ...approval, approvalId });
    const append = (seq: number, follow: FollowActivity) =>
      store.activity.append(
        { now: 0, workspace: 'default', agentId: 'a', sessionId: 's', late: false, entries: [entry(seq), entry(seq + 1)] },
        follow,
      );
    const broken = append(1, () => {
      throw new TypeError('a bug');
    });
    await expect(broken).rejects.toThrow('a bug');
    expect([await store.activity.lastSeq('default', 's'), store.log.head]).toEqual([0, 0]);

    const seen: unknown[] = [];
    await append(1, ({ seq }, { session: its, findApproval, nextId }) => {
      seen.push([seq, its.vendorSessionId, findApproval('a1')?.approvalId ?? null, nextId]);
      const asking = asked(`a${seq}`);
      return [
        { at, events: [{ type: 'approval.requested', at, approval: asking }], approvals: [asking] },
        { at, sessions: [{ ...someSession, vendorSessionId: `v${seq}` }] },
      ];
    });
    expect(seen).toEqual([
      [1, null, null, 1],
      [2, 'v1', 'a1', 2],
    ]);
    await append(1, () => {
      throw new TypeError('asked about an entry that was there');
    });
    const other = await reopen();
    expect((await other.approvals.list({ workspace: 'default', limit: 10 })).items).toEqual([asked('a2'), asked('a1')]);
    expect(await other.approvals.find('default', 'a', 'a1')).toEqual(asked('a1'));
    expect(await typesOf(other)).toEqual(['approval.requested', 'approval.requested']);
    expect((await other.sessions.get('default', 's'))?.vendorSessionId).toBe('v2');
  });

  inFolder('what an agent asks itself is seen by what it asks next, in the process that it is now', async (store) => {
    await store.sessions.begin('default', 'a', () => writes({ agents: [{ id: 'a', agent: card(1) }] }));
    const ask = (approvalId: string) =>
      store.approvals.ask('default', { agentId: 'a', approvalId }, ({ agent, found, pending }) => {
        const asking: Approval = { ...approval, approvalId, sessionId: agent ? ownSession(agent) : 'nobody' };
        const seen = `${found?.approvalId ?? 'new'} ${pending.map((each) => each.approvalId).join(',')}`;
        return { answer: { ...asking, title: seen }, change: found ? null : { at, approvals: [asking] } };
      });
    expect([(await ask('a1')).title, (await ask('a2')).title, (await ask('a1')).title]).toEqual(['new ', 'new a1', 'a1 a1,a2']);
    await store.sessions.begin('default', 'a', () => writes({ agents: [{ id: 'a', agent: card(2) }] }));
    expect(await ask('a1')).toMatchObject({ title: 'new ', sessionId: 'own/2/a' });
  });

  inFolder('the end of a session sees what it still asks, and nothing that waits is pruned', async (store) => {
    await store.sessions.begin('default', 'a', () =>
      writes({ approvals: [approval, { ...approval, approvalId: 'a2' }], sessions: [someSession] }),
    );
    const allowed: Approval = { ...approval, status: 'allowed', resolvedAt: at, by: 'owner', message: null };
    const key = { sessionId: 's', approvalId: 'a1' };
    expect(await store.approvals.change('default', key, () => ({ answer: allowed, change: { at, approvals: [allowed] } }))).toEqual(
      allowed,
    );
    expect(await store.approvals.change('default', { ...key, approvalId: 'none' }, () => ({ answer: approval, change: null }))).toBeNull();
    const seen = await store.sessions.change('default', 's', (_session, { pending }) => ({
      answer: pending.map(({ approvalId }) => approvalId),
      change: null,
    }));
    expect(seen).toEqual(['a2']);
    expect(await store.approvals.prune(at + 1, 10)).toBe(1);
    expect((await store.approvals.list({ workspace: 'default', agentId: 'a', limit: 10 })).items).toMatchObject([{ approvalId: 'a2' }]);
  });
}

const card = (epoch: number): Agent => ({
  id: 'a',
  name: 'a',
  kind: 'provider',
  label: null,
  tags: [],
  capabilities: [],
  channels: null,
  machine: null,
  rig: null,
  provider: null,
  transport: null,
  direction: null,
  status: 'online',
  ready: true,
  approval: 'open',
  instanceId: `i${epoch}`,
  epoch,
  protected: false,
  nodeId: null,
  sessionId: null,
  meta: {},
  registeredAt: at,
  lastSeenAt: at,
});

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
