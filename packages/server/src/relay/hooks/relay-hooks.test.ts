import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Approval, RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { RelayHooksDeps } from './relay-hooks.ts';
import { RelayHooks } from './relay-hooks.ts';

const approval = { agentId: 'Ann', approvalId: 'q', title: 'rm -rf', kind: 'execute', status: 'pending' } as Approval;
const asked = { type: 'approval.requested', seq: 1, at: 1, approval } as RelayEvent;

/** The relay's hooks, of which one posts when somebody is asked; `find` is how the store looks a question up. */
function hooksWith(find: () => Promise<Approval | null>) {
  const [told, posted]: [string[], string[]] = [[], []];
  const action = { type: 'webhook', webhook: 'https://hook.test', secret: 'a-secret' } as const;
  const deps = {
    workspace: 'default',
    clock: { now: () => 1 },
    log: { warn: (text: string) => void told.push(text), error: (text: string) => void told.push(text) },
    store: { approvals: { find }, records: { begin: async () => null } },
    file: { current: [{ name: 'tell', agents: 'relay', trigger: 'approval_needed', action }], state: { file: null, fault: null } },
    sender: {
      send: async ({ url }: { readonly url: string }) => {
        posted.push(url);
        return { status: 200, error: null };
      },
    },
    follow: (_principal: unknown, signal: AbortSignal) => ({
      batches: (async function* () {
        yield { events: [asked] };
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      })(),
    }),
  } as unknown as RelayHooksDeps; // what of the relay one hook comes upon
  return { hooks: new RelayHooks(deps), told, posted };
}

test('a store that cannot say whether somebody has answered costs this run of the hook, and not the relay', async () => {
  const { hooks, told, posted } = hooksWith(() => Promise.reject(new Error('disk I/O error')));
  hooks.start();
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(['a hook could not run']);
  await hooks.close();
  expect(posted).toEqual([]);
});

test('a relay that closes tells of no question that somebody may still answer at once', async () => {
  const { hooks, told, posted } = hooksWith(async () => approval);
  hooks.start();
  await nextTurn();
  await hooks.close();
  expect([told, posted]).toEqual([[], []]);
});
