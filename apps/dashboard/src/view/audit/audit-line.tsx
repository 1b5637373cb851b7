import { Link } from '@tanstack/react-router';
import type { AuditEntry } from 'agent-relay-protocol';
import { Ago } from '../ago.tsx';
import { Fold } from '../fold.tsx';
import { formatDate } from '../format.ts';
import { actWords, detailWords, subjectPage } from './audit-words.ts';

interface AuditLineProps {
  readonly entry: AuditEntry;
  /** What a token is called; null where it is gone. */
  readonly tokenName: (tokenId: string) => string | null;
}

/** Who did what, in a line; unfolded, all that is kept of it. */
export function AuditLine({ entry, tokenName }: AuditLineProps) {
  const { id, at, by, action, subject } = entry;
  const rest = detailWords(entry);
  return (
    <div className="border-line border-b" data-audit={action}>
      <Fold
        name={String(id)}
        summaryLook="flex cursor-pointer flex-wrap items-baseline gap-x-2 px-4 py-1.5"
        summary={
          <>
            <span className="shrink-0 text-soft sm:w-12 sm:text-right text-xs tabular-nums">{id}</span>
            <span className="font-medium [overflow-wrap:anywhere]">{by}</span>
            <span title={action}>{actWords(action)}</span>
            {subject === null ? null : <span className="font-medium [overflow-wrap:anywhere]">{subject}</span>}
            {rest === '' ? null : (
              <span className="order-last min-w-0 basis-full truncate text-soft text-xs sm:order-none sm:grow sm:basis-40" title={rest}>
                {rest}
              </span>
            )}
            <span className="ml-auto text-soft text-xs">
              <Ago at={at} />
            </span>
          </>
        }
      >
        <Whole entry={entry} tokenName={tokenName} />
      </Fold>
    </div>
  );
}

function Whole({ entry, tokenName }: AuditLineProps) {
  const { at, action, tokenId, details, hash } = entry;
  const place = subjectPage(entry);
  const facts = [
    ['When', formatDate(at)],
    ['Operation', action],
    ['Token', tokenId === null ? 'none: the credential itself' : `${tokenName(tokenId) ?? 'one that is gone'} (${tokenId})`],
    ...Object.entries(details).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ['Hash', hash],
  ] as const;
  return (
    <div className="grid gap-2 px-4 pb-3 text-xs sm:pl-18">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5">
        {facts.map(([name, value]) => (
          <div key={name} className="col-span-2 grid grid-cols-subgrid">
            <dt className="text-soft">{name}</dt>
            <dd className="font-mono [overflow-wrap:anywhere]">{value}</dd>
          </div>
        ))}
      </dl>
      {place === null ? null : (
        <Link to={place} className="w-fit text-accent hover:underline">
          What it was about
        </Link>
      )}
    </div>
  );
}
