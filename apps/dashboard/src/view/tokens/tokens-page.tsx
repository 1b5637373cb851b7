import type { Token } from 'agent-relay-protocol';
import { ownTokenId } from '../../live/permissions.ts';
import { sessionTokenId } from '../../live/sign-in.ts';
import { useCommand } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { useMayCall, useMe } from '../../live/use-live.ts';
import { tokensView } from '../../relay/tokens.ts';
import { Ago } from '../ago.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { known } from '../known.ts';
import { ListPane } from '../list-pane.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { CreateTokenDialog } from './create-token-dialog.tsx';

/** Who may come in, and the means to let somebody in or out. */
export function TokensPage() {
  const mayCreate = useMayCall('tokens/create');
  const ownId = ownTokenId(useMe(), sessionTokenId());
  const list = (
    <ListPane
      list={useList(tokensView)}
      label="Tokens"
      keyOf={({ tokenId }) => tokenId}
      rowHeight={64}
      row={(token) => <TokenRow token={token} isOwn={token.tokenId === ownId} />}
      refused="Only the owner makes and revokes tokens."
      empty={<Empty title="No tokens.">A program, an agent or an observer that is to come in needs one.</Empty>}
    />
  );
  return (
    <SplitPage
      title="Tokens"
      hint="Who may come in"
      tools={
        <>
          <span className="grow" />
          {mayCreate ? <CreateTokenDialog /> : null}
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
  share: 'link to a session’s log',
};

interface TokenRowProps {
  readonly token: Token;
  /** It is what whoever reads this is signed in with. */
  readonly isOwn: boolean;
}

function TokenRow({ token, isOwn }: TokenRowProps) {
  const { name, kind, agentId, nodeId, scopes, targets, channels, createdAt, createdBy, expiresAt } = token;
  const narrowed = [...(targets ?? []), ...(channels ?? []).map((channel) => `#${channel}`)];
  return (
    <article className="flex items-start gap-3 border-line border-b px-4 py-2" data-token={name ?? kind}>
      <div className="grid min-w-0 grow gap-0.5">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{name ?? agentId ?? nodeId ?? 'unnamed'}</span>
          {isOwn ? <span className="rounded bg-accent/15 px-1.5 text-accent text-xs">this browser</span> : null}
          <span className="text-soft text-xs">
            {known(kinds, kind, (word) => word)}
            {agentId === null || agentId === name ? '' : kind === 'share' ? ` of ${agentId}, reads only` : ` · acts as ${agentId}`}
          </span>
        </p>
        {scopes === null || kind === 'observer' ? null : (
          <p className="[overflow-wrap:anywhere] font-mono text-soft text-xs">{scopes.join(' ')}</p>
        )}
        {narrowed.length === 0 ? null : <p className="[overflow-wrap:anywhere] text-soft text-xs">only to {narrowed.join(', ')}</p>}
        <p className="text-soft text-xs">
          made <Ago at={createdAt} />
          {createdBy === null ? null : ` by ${createdBy}`}
          {expiresAt === null ? ' · does not expire' : ' · ends '}
          {expiresAt === null ? null : <Ago at={expiresAt} />}
        </p>
      </div>
      <Revoke token={token} isOwn={isOwn} />
    </article>
  );
}

function Revoke({ token: { tokenId, name, kind }, isOwn }: TokenRowProps) {
  const revoke = useCommand((relay) => relay.tokens.revoke({ id: tokenId }));
  const confirmWord = isOwn ? 'Signs you out here: revoke' : 'Ends at once: revoke';
  return <ConfirmButton word="Revoke" label={`Revoke ${name ?? kind}`} confirmWord={confirmWord} command={revoke} />;
}
