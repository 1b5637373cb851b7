import { Link } from '@tanstack/react-router';
import type { ApprovalRule } from 'agent-relay-protocol';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall } from '../../live/use-live.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { visible } from '../approvals/approval-words.ts';
import { ConfirmButton } from '../confirm-button.tsx';
import { known } from '../known.ts';

/** One rule: whom it allows what, how often it did, until when, and the means to end it. */
export function RuleRow({ rule }: { readonly rule: ApprovalRule }) {
  const { id, name, agentId: agent, tag, kind, command, folder, createdAt, createdBy } = rule;
  return (
    <article className="flex items-start gap-3 border-line border-b px-4 py-3" data-rule={id} data-rule-ended={rule.ended ?? ''}>
      <div className="grid min-w-0 grow gap-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium [overflow-wrap:anywhere]">{visible(name)}</span>
          <span className="text-soft text-xs">
            for {agent === null ? <span className="font-mono">tag:{tag}</span> : <AgentLink id={agent} />}
          </span>
        </p>
        <p className="text-xs [overflow-wrap:anywhere]">
          {kind === 'edit' ? 'writes files in ' : 'runs '}
          {command === null ? null : <code className="rounded bg-raised px-1 font-mono">{visible(command.map(quoted).join(' '))} …</code>}
          {command === null ? null : ' in '}
          <code className="font-mono">{visible(folder)}</code>
        </p>
        <p className="text-soft text-xs">
          <Uses rule={rule} /> · made <Ago at={createdAt} /> by {createdBy}
          <End rule={rule} />
        </p>
      </div>
      {rule.ended === null ? <Revoke rule={rule} /> : null}
    </article>
  );
}

const quoted = (word: string): string => (/^[^\s"']+$/u.test(word) ? word : JSON.stringify(word));

function Uses({ rule: { id, uses, maxUses } }: { readonly rule: ApprovalRule }) {
  const words = maxUses === null ? (uses === 1 ? 'used once' : `used ${uses} times`) : `used ${uses} of ${maxUses} times`;
  if (uses === 0) return maxUses === null ? 'not used yet' : words;
  return (
    <Link to="/approvals" search={{ by: `rule:${id}` }} className="text-accent hover:underline">
      {words}
    </Link>
  );
}

const ends: Readonly<Record<NonNullable<ApprovalRule['ended']>, string>> = { revoked: 'revoked', used_up: 'used up', expired: 'expired' };

function End({ rule: { ended, endedAt, endedBy, expiresAt } }: { readonly rule: ApprovalRule }) {
  if (ended === null) {
    return expiresAt === null ? null : (
      <>
        {' '}
        · ends <Ago at={expiresAt} />
      </>
    );
  }
  return (
    <>
      {' '}
      · {known(ends, ended, (word) => word)} {endedAt === null ? null : <Ago at={endedAt} />}
      {ended === 'revoked' ? ` by ${endedBy}` : ''}
    </>
  );
}

function Revoke({ rule: { id, name } }: { readonly rule: ApprovalRule }) {
  const revoke = useCommand((relay) => relay.rules.revoke({ id }));
  if (!useMayCall('rules/revoke')) return null;
  return <ConfirmButton word="Revoke" label={`Revoke ${name}`} confirmWord="It is asked about again: revoke" command={revoke} />;
}
