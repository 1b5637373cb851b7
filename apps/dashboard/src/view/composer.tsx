import { callTable } from 'agent-relay-protocol';
import { type ChangeEvent, type KeyboardEvent, useState } from 'react';
import { useCommand } from '../live/use-command.ts';
import { useList } from '../live/use-list.ts';
import { useMayCall, useMe } from '../live/use-live.ts';
import { agentsView } from '../relay/agents.ts';
import { reachOf, saysReach } from '../relay/reach.ts';
import { ActButton } from './act-button.tsx';
import { AddressOptions } from './address-options.tsx';
import { Choices } from './form/choices.tsx';
import { Form } from './form/form.tsx';
import { errorText } from './format.ts';
import type { AnsweredMessage } from './messages/answering.ts';
import { readMessageForm, type SendRequest } from './read-message-form.ts';

const modes = [
  { id: 'next', word: 'at the next turn' },
  { id: 'now', word: 'now, steering the turn' },
  { id: 'urgent', word: 'at once, interrupting' },
  { id: 'fyi', word: 'as context only' },
] as const;

interface ComposerProps {
  /** Whose page this is; null where somebody is to be named. */
  readonly agentId: string | null;
  /** What is answered. */
  readonly answering: AnsweredMessage | null;
  /** It was answered, or is not to be. */
  readonly onAnswered: () => void;
}

/** A box to send, for whoever may; who may not is told why there is none. */
export function Composer({ agentId, answering, onAnswered }: ComposerProps) {
  const isKnown = useMe() !== undefined;
  const maySend = useMayCall('messages/send');
  if (!isKnown) return <div />;
  return (
    <div className="border-line border-t bg-panel">
      {maySend ? (
        <MessageForm key={answering?.id} agentId={agentId} answering={answering} onAnswered={onAnswered} />
      ) : (
        <p className="measure px-4 py-3 text-soft text-xs">
          You can read here, not write: this token lacks {callTable['messages/send'].scope}.
        </p>
      )}
    </div>
  );
}

function MessageForm({ agentId, answering, onAnswered }: ComposerProps) {
  const send = useCommand(async (relay, { request, emptyBody }: { readonly request: SendRequest; readonly emptyBody: () => void }) => {
    const sent = await relay.messages.send(request);
    emptyBody();
    onAnswered();
    return sent;
  });
  return (
    <Form
      className="measure px-4 py-3"
      onSubmit={(fields, { clear }) => {
        const request = readMessageForm(fields, answering?.id ?? null);
        if (request !== null && !send.isPending) send.run({ request, emptyBody: () => clear('body') });
      }}
    >
      <div className="mb-2 flex flex-wrap items-center gap-2 text-xs">
        {answering === null ? <Recipient agentId={agentId} /> : <Answering message={answering} onCancel={onAnswered} />}
        <Choices name="mode" aria-label="When" className="field grow text-soft sm:grow-0" choices={modes} />
        {send.error === null ? null : (
          <span role="alert" className="text-bad">
            {errorText(send.error)}
          </span>
        )}
        {send.output?.matched === 0 ? <span className="text-warn">Stored, but it reached nobody</span> : null}
      </div>
      <div className="flex items-end gap-2">
        <textarea
          name="body"
          aria-label="Message"
          rows={2}
          // biome-ignore lint/a11y/noAutofocus: whoever pressed Answer is about to write here
          autoFocus={answering !== null}
          className="field min-w-0 grow resize-y text-sm"
          placeholder="Message (Enter sends, Shift+Enter breaks the line)"
          onKeyDown={sendOnEnter}
        />
        <ActButton type="submit" className="button button-main" isBusy={send.isPending}>
          Send
        </ActButton>
      </div>
    </Form>
  );
}

const Answering = ({ message: { id, from }, onCancel }: { readonly message: AnsweredMessage; readonly onCancel: () => void }) => (
  <span className="flex items-center gap-2 rounded-lg bg-raised px-2 py-1">
    Answers {from}’s message {id}
    <input type="hidden" name="to" value={`id:${from}`} />
    <button type="button" aria-label="Answer nothing" className="text-soft hover:text-ink" onClick={onCancel}>
      ✕
    </button>
  </span>
);

/** Somebody to be named, and whom that reaches; or the agent whose page this is. */
function Recipient({ agentId }: { readonly agentId: string | null }) {
  const [to, setTo] = useState('');
  const agents = useList(agentsView);
  const reach = agentId === null && agents.status === 'ready' ? reachOf(to, agents.all) : null;
  return (
    <>
      <label className="flex max-w-md grow basis-80 items-center gap-1.5 text-soft">
        To
        <input
          name={agentId === null ? 'to' : undefined}
          aria-label="To"
          className="field min-w-0 grow text-sm"
          list="addresses"
          placeholder="Worker, tag:backend, #deploy, broadcast"
          {...(agentId === null
            ? { value: to, onChange: (event: ChangeEvent<HTMLInputElement>) => setTo(event.target.value) }
            : { value: agentId, readOnly: true })}
        />
      </label>
      {agentId === null ? null : <input type="hidden" name="to" value={`id:${agentId}`} />}
      {reach === null ? null : (
        <span role="status" className={reach.type === 'agents' && reach.ids.length > 0 ? 'text-soft' : 'text-warn'}>
          {saysReach(reach)}
        </span>
      )}
      <AddressOptions id="addresses" />
    </>
  );
}

function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
  event.preventDefault();
  // A button that waits does not press.
  event.currentTarget.form?.querySelector<HTMLButtonElement>('[type=submit]')?.click();
}
