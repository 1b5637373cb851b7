import { Link } from '@tanstack/react-router';
import type { CallbackStatus } from 'agent-relay-protocol';
import { useCommand } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { useLive, useMayCall } from '../../live/use-live.ts';
import { callbacksView, redeliverAll } from '../../relay/callbacks.ts';
import { callbackCount } from '../../relay/open-counts.ts';
import { ActButton } from '../act-button.tsx';
import { formatCount } from '../format.ts';
import { ListPane } from '../list-pane.tsx';
import { OlderRows } from '../older-rows.tsx';
import { Problem } from '../problem.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { CallbackRow } from './callback-row.tsx';

const tabs = [
  { status: 'dead', word: 'Gave up' },
  { status: 'pending', word: 'Waiting' },
  { status: 'delivered', word: 'Delivered' },
] as const satisfies readonly { status: CallbackStatus; word: string }[];

/** What integrations are told, and what could not be told. */
export function CallbacksPage({ status }: { readonly status: CallbackStatus }) {
  const callbacks = useList(callbacksView(status));
  const list = (
    <ListPane
      list={callbacks}
      label="Callbacks"
      keyOf={({ id }) => id}
      rowHeight={64}
      row={(callback) => (
        <div className="border-line border-b">
          <CallbackRow callback={callback} />
        </div>
      )}
      refused="Callbacks are for the owner and for the integration they go to."
      empty={<NoCallbacks status={status} />}
      footer={<OlderRows list={callbacks} />}
    />
  );
  return (
    <SplitPage
      title="Callbacks"
      hint="What integrations are told of their tasks"
      tools={<CallbackTools chosen={status} />}
      list={list}
      detail={null}
    />
  );
}

function CallbackTools({ chosen }: { readonly chosen: CallbackStatus }) {
  return (
    <>
      <div className="flex gap-1">
        {tabs.map(({ status, word }) => (
          <Link
            key={status}
            to="/callbacks"
            search={status === 'dead' ? {} : { status }}
            aria-current={status === chosen ? 'page' : undefined}
            className={`rounded-lg px-2 py-1 text-xs ${status === chosen ? 'bg-raised' : 'text-soft hover:text-ink'}`}
          >
            {word} {status === 'delivered' ? null : <TabCount status={status} />}
          </Link>
        ))}
      </div>
      <span className="grow" />
      {chosen === 'dead' ? <RedeliverAll /> : null}
    </>
  );
}

function TabCount({ status }: { readonly status: CallbackStatus }) {
  const { data: count = 0 } = useLive(callbackCount(status));
  return count > 0 ? (
    <span className="ml-0.5 text-soft" title={String(count)}>
      {formatCount(count)}
    </span>
  ) : null;
}

function RedeliverAll() {
  const { data: count = 0 } = useLive(callbackCount('dead'));
  const mayWrite = useMayCall('callbacks/redeliver');
  const again = useCommand(redeliverAll);
  const refused = again.output?.refused ?? [];
  return (
    <>
      <Problem error={again.error ?? (refused.length > 0 ? `${refused.length} were not taken: ${refused[0]}` : null)} />
      {again.output && refused.length === 0 ? <span className="text-good text-xs">{again.output.sent} on their way again</span> : null}
      {mayWrite && count > 0 ? (
        <ActButton className="button text-xs" isBusy={again.isPending} onClick={() => again.run()}>
          {again.isPending ? 'Sending…' : `Redeliver all ${count.toLocaleString('en')}`}
        </ActButton>
      ) : null}
    </>
  );
}

function NoCallbacks({ status }: { readonly status: CallbackStatus }) {
  switch (status) {
    case 'dead':
      return (
        <Empty title="Nothing was given up.">
          <p>A callback that could not be delivered for a day is kept here, with what the other side last said, until you send it again.</p>
        </Empty>
      );
    case 'pending':
      return <Empty title="Nothing is waiting." />;
    case 'delivered':
      return (
        <Empty title="No callback was delivered yet.">
          <p>
            An integration with a <code className="font-mono text-xs">callbackUrl</code> is told of every step of its tasks.
          </p>
        </Empty>
      );
  }
}
