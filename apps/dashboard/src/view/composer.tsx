import { routes } from 'agent-relay-protocol';
import type { KeyboardEvent } from 'react';
import { useCommand } from '../live/use-command.ts';
import { useMayCall, useMe } from '../live/use-live.ts';
import { ActButton } from './act-button.tsx';
import { AddressOptions } from './address-options.tsx';
import { Choices } from './form/choices.tsx';
import { Form } from './form/form.tsx';
import { errorText } from './format.ts';
import { readMessageForm, type SendRequest } from './read-message-form.ts';

const modes = [
  { id: 'next', word: 'at the next turn' },
  { id: 'now', word: 'now, steering the turn' },
  { id: 'urgent', word: 'at once, interrupting' },
  { id: 'fyi', word: 'as context only' },
] as const;

/** A box to send, for whoever may; who may not is told why there is none. */
export function Composer({ agentId }: { readonly agentId: string | null }) {
  const isKnown = useMe() !== undefined;
  const maySend = useMayCall('messages/send');
  if (!isKnown) return <div />;
  return (
    <div className="border-line border-t bg-panel">
      {maySend ? (
        <MessageForm agentId={agentId} />
      ) : (
        <p className="measure px-4 py-3 text-soft text-xs">
          You can read here, not write: this token lacks {routes['messages/send'].scope}.
        </p>
      )}
    </div>
  );
}

function MessageForm({ agentId }: { readonly agentId: string | null }) {
  const send = useCommand(async (relay, { request, emptyBody }: { readonly request: SendRequest; readonly emptyBody: () => void }) => {
    const sent = await relay.messages.send(request);
    emptyBody();
    return sent;
  });
  return (
    <Form
      className="measure px-4 py-3"
      onSubmit={(fields, { clear }) => {
        const request = readMessageForm(fields);
        if (request !== null && !send.isPending) send.run({ request, emptyBody: () => clear('body') });
      }}
    >
      <div className="mb-2 flex flex-wrap items-center gap-2 text-xs">
        <Recipient agentId={agentId} />
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

/** Somebody to be named, or the agent whose page this is. */
function Recipient({ agentId }: { readonly agentId: string | null }) {
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
          {...(agentId === null ? {} : { value: agentId, readOnly: true })}
        />
      </label>
      {agentId === null ? null : <input type="hidden" name="to" value={`id:${agentId}`} />}
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
