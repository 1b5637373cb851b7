import { useEffect } from 'react';
import { useConnection, useConnectionState } from '../relay/use-relay.ts';
import { AgentList } from './agent-list.tsx';
import { AgentPanel } from './agent-panel.tsx';
import { Composer } from './composer.tsx';
import { ConnectionBadge } from './connection-badge.tsx';
import { MessageFeed } from './message-feed.tsx';

/** Agents on the left, the messages in the middle, one agent's activity on the right. */
export function RelayPage({ agentId }: { readonly agentId: string | null }) {
  const connection = useConnection();
  const state = useConnectionState();
  useEffect(() => connection.follow(), [connection]);
  if (state === 'signed-out') return <SignedOut />;
  return (
    <div className="grid h-full grid-rows-[auto_1fr]">
      <header className="flex items-center gap-3 border-line border-b bg-panel px-4 py-2">
        <img src="/icon.svg" alt="" className="size-6" />
        <h1 className="font-semibold">Agent Relay</h1>
        <span className="grow" />
        <ConnectionBadge />
      </header>
      <div
        className={`grid min-h-0 grid-cols-1 ${agentId === null ? 'md:grid-cols-[18rem_1fr]' : 'md:grid-cols-[18rem_1fr_minmax(24rem,34rem)]'}`}
      >
        <AgentList selectedId={agentId} />
        <main className="grid min-h-0 grid-rows-[1fr_auto] border-line border-x">
          <MessageFeed agentId={agentId} />
          <Composer agentId={agentId} />
        </main>
        {agentId === null ? null : <AgentPanel key={agentId} agentId={agentId} />}
      </div>
    </div>
  );
}

function SignedOut() {
  return (
    <main className="grid h-full place-items-center p-6">
      <section className="max-w-md rounded-xl border border-line bg-panel p-6">
        <h1 className="mb-2 font-semibold text-lg">Agent Relay</h1>
        <p>This browser is not signed in.</p>
        <p className="mt-2 text-soft">
          On the relay’s machine, <code className="font-mono">agent-relay login</code> prints a link that signs it in.
        </p>
      </section>
    </main>
  );
}
