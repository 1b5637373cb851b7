import { RelayError, type SharedSession } from 'agent-relay-protocol';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { openSharedConnection } from '../../live/shared-connection.ts';
import { ConnectionContext, useConnection, useRelay } from '../../live/use-connection.ts';
import { ActivityLog } from '../activity-log.tsx';
import { Ago } from '../ago.tsx';
import { errorText } from '../format.ts';
import { LeadsNowhere } from '../leads-nowhere.ts';

/** The log of one session, for whoever has a link to it: its code is in the address's fragment, which no browser sends. */
export function SharedPage() {
  const code = useSyncExternalStore(onAnotherLink, () => window.location.hash.slice(1));
  const { now } = useConnection();
  const connection = useMemo(() => openSharedConnection(window.location.origin, code, now), [code, now]);
  if (code === '') return <Instead why="This address has no code: the link was cut off." />;
  return (
    <ConnectionContext value={connection}>
      <LeadsNowhere value={true}>
        <Shared key={code} />
      </LeadsNowhere>
    </ConnectionContext>
  );
}

function onAnotherLink(tell: () => void): () => void {
  window.addEventListener('hashchange', tell);
  return () => window.removeEventListener('hashchange', tell);
}

function Shared() {
  const relay = useRelay();
  const [shown, setShown] = useState<SharedSession | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    relay.shared.get({}, { signal: stop.signal }).then(
      (session) => {
        document.title = `${session.agentId} – Agent Relay`;
        setShown(session);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setProblem(whyClosed(error));
      },
    );
    return () => stop.abort();
  }, [relay]);
  if (problem !== null) return <Instead why={problem} />;
  if (shown === null) return <Instead />;
  const { agentId, label, provider, sessionId, startedAt, endedAt, expiresAt } = shown;
  return (
    <main className="grid h-full min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <header className="border-line border-b bg-panel">
        <div className="measure grid grid-cols-[minmax(0,1fr)] gap-0.5 px-4 py-2">
          <WhatItIs />
          <h1 className="truncate font-semibold text-lg">{label ?? agentId}</h1>
          <p className="flex flex-wrap gap-x-3 text-soft text-xs">
            <span>
              {label === null ? '' : `${agentId} · `}
              {provider}
            </span>
            <span>
              began <Ago at={startedAt} />
            </span>
            {endedAt === null ? null : (
              <span>
                ended <Ago at={endedAt} />
              </span>
            )}
            <span>
              this link ends <Ago at={expiresAt} />
            </span>
          </p>
        </div>
      </header>
      <ActivityLog agentId={agentId} session={sessionId} moment={null} place="flex" />
    </main>
  );
}

const whyClosed = (error: unknown): string =>
  error instanceof RelayError && error.code === 'unauthorized'
    ? 'This link does not open anything any more: it has run out or was revoked, or is not whole.'
    : errorText(error);

/** Said to somebody who may never have heard of it. */
const WhatItIs = () => (
  <p className="flex items-center gap-1.5 text-soft text-xs">
    <img src="/icon.svg" alt="" className="size-4" />
    Agent Relay · a shared log of an agent’s session
  </p>
);

/** What stands in the place of a log: why there is none, or that it comes. */
const Instead = ({ why }: { readonly why?: string }) => (
  <main className="grid h-full place-items-center p-6">
    <section className="grid w-full max-w-md gap-3 rounded-xl border border-line bg-panel p-6">
      <WhatItIs />
      {why === undefined ? (
        <p role="status">Reading…</p>
      ) : (
        <>
          <p role="alert">{why}</p>
          <p className="text-soft">Whoever gave it to you can make another.</p>
        </>
      )}
    </section>
  </main>
);
