import type { Token } from 'agent-relay-protocol';
import { useState } from 'react';
import { useMayCall, useMe } from '../../relay/use-relay.ts';
import { useRevokeToken, useTokens } from '../../relay/use-tokens.ts';
import { Ago } from '../ago.tsx';
import { known } from '../known.ts';
import { Problem } from '../problem.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { VirtualList } from '../virtual-list.tsx';
import { CreateTokenDialog } from './create-token-dialog.tsx';

/** Who may come in, and the means to let somebody in or out. */
export function TokensPage() {
  const { isSuccess } = useMe();
  const mayManage = useMayCall('tokens/list');
  const tokens = useTokens();
  const list = (
    <>
      <div className="px-4 empty:hidden">
        <Problem error={tokens.error} onRetry={() => void tokens.refetch()} />
      </div>
      {isSuccess && !mayManage ? <Empty title="Only the owner makes and revokes tokens." /> : null}
      <VirtualList
        label="Tokens"
        items={tokens.data ?? []}
        keyOf={({ tokenId }) => tokenId}
        rowHeight={64}
        row={(token) => <TokenRow token={token} />}
        empty={tokens.isSuccess ? <Empty title="No tokens.">A program, an agent or an observer that is to come in needs one.</Empty> : null}
      />
    </>
  );
  return (
    <SplitPage
      title="Tokens"
      hint="Who may come in"
      tools={
        <>
          <span className="grow" />
          {mayManage ? <CreateTokenDialog /> : null}
        </>
      }
      list={list}
      detail={null}
    />
  );
}

const kinds: Readonly<Record<Token['kind'], string>> = {
  scoped: 'program',
  agent: 'agent',
  channel: 'channel to people',
  observer: 'observer, reads only',
  browser: 'browser that signed in',
  node: 'machine',
  session: 'session of an agent',
};

function TokenRow({ token }: { readonly token: Token }) {
  const { name, kind, agentId, nodeId, scopes, targets, channels, createdAt, createdBy, expiresAt } = token;
  const narrowed = [...(targets ?? []), ...(channels ?? []).map((channel) => `#${channel}`)];
  return (
    <article className="flex items-start gap-3 border-line border-b px-4 py-2" data-token={name ?? kind}>
      <div className="grid min-w-0 grow gap-0.5">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{name ?? agentId ?? nodeId ?? 'unnamed'}</span>
          <span className="text-soft text-xs">
            {known(kinds, kind, (word) => word)}
            {agentId === null || agentId === name ? '' : ` · acts as ${agentId}`}
          </span>
        </p>
        {scopes === null || kind === 'observer' ? null : <p className="break-words font-mono text-soft text-xs">{scopes.join(' ')}</p>}
        {narrowed.length === 0 ? null : <p className="break-words text-soft text-xs">only to {narrowed.join(', ')}</p>}
        <p className="text-soft text-xs">
          made <Ago at={createdAt} />
          {createdBy === null ? null : ` by ${createdBy}`}
          {expiresAt === null ? ' · does not expire' : ' · ends '}
          {expiresAt === null ? null : <Ago at={expiresAt} />}
        </p>
      </div>
      <Revoke token={token} />
    </article>
  );
}

function Revoke({ token: { tokenId, name, kind } }: { readonly token: Token }) {
  const [isAsking, setAsking] = useState(false);
  const revoke = useRevokeToken();
  if (revoke.error) return <Problem error={revoke.error} onRetry={() => revoke.reset()} />;
  if (!isAsking) {
    return (
      <button type="button" aria-label={`Revoke ${name ?? kind}`} className="button px-2 py-0.5 text-xs" onClick={() => setAsking(true)}>
        Revoke
      </button>
    );
  }
  return (
    <span className="flex flex-wrap justify-end gap-2">
      <button
        type="button"
        className="button border-bad/50 px-2 py-0.5 text-bad text-xs"
        disabled={revoke.isPending}
        onClick={() => revoke.mutate(tokenId)}
      >
        Ends at once: revoke
      </button>
      <button type="button" className="button px-2 py-0.5 text-xs" onClick={() => setAsking(false)}>
        Keep
      </button>
    </span>
  );
}
