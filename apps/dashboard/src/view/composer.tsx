import { useMutation } from '@tanstack/react-query';
import { routes } from 'agent-relay-protocol';
import { type FormEvent, type KeyboardEvent, useRef, useState } from 'react';
import type { SendRequest } from '../relay/requests.ts';
import { useMayCall, useMe, useRelay } from '../relay/use-relay.ts';
import { AddressOptions } from './address-options.tsx';
import { errorText } from './format.ts';

const modes = [
  { id: 'next', title: 'at the next turn' },
  { id: 'now', title: 'now, steering the turn' },
  { id: 'urgent', title: 'at once, interrupting' },
  { id: 'fyi', title: 'as context only' },
] as const;

/** A box to send, for whoever may; who may not is told why there is none. */
export function Composer({ agentId }: { readonly agentId: string | null }) {
  const { isSuccess } = useMe();
  if (useMayCall('messages/send')) return <ComposerForm agentId={agentId} />;
  if (!isSuccess) return <div />;
  return (
    <p className="border-line border-t bg-panel p-3 text-soft text-xs">
      You can read here, not write: this token lacks {routes['messages/send'].scope}.
    </p>
  );
}

function ComposerForm({ agentId }: { readonly agentId: string | null }) {
  const relay = useRelay();
  const [to, setTo] = useState('');
  const [mode, setMode] = useState<(typeof modes)[number]['id']>('next');
  const body = useRef<HTMLTextAreaElement>(null);
  const send = useMutation({
    mutationFn: (request: SendRequest) => relay.messages.send(request),
    onSuccess: () => {
      if (body.current) body.current.value = '';
    },
  });
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    const text = body.current?.value.trim() ?? '';
    const target = agentId === null ? to.trim() : `id:${agentId}`;
    if (text !== '' && target !== '' && !send.isPending) send.mutate({ to: target, body: text, mode, idempotencyKey: crypto.randomUUID() });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  return (
    <form onSubmit={submit} className="border-line border-t bg-panel p-3">
      <div className="mb-2 flex flex-wrap items-center gap-2 text-xs">
        <label className="flex items-center gap-1.5 text-soft">
          To
          <input
            aria-label="To"
            className="field w-56 text-sm"
            list="addresses"
            placeholder="Worker, tag:backend, #deploy, broadcast"
            value={agentId ?? to}
            readOnly={agentId !== null}
            onChange={(event) => setTo(event.target.value)}
          />
        </label>
        <AddressOptions id="addresses" />
        <select
          aria-label="When"
          className="field text-soft"
          value={mode}
          onChange={(event) => setMode(modes.find(({ id }) => id === event.target.value)?.id ?? 'next')}
        >
          {modes.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
        {send.isError ? (
          <span role="alert" className="text-bad">
            {errorText(send.error)}
          </span>
        ) : null}
        {send.data?.matched === 0 ? <span className="text-warn">Stored, but it reached nobody</span> : null}
      </div>
      <div className="flex items-end gap-2">
        <textarea
          ref={body}
          aria-label="Message"
          rows={2}
          className="field grow resize-y text-sm"
          placeholder="Message (Enter sends, Shift+Enter breaks the line)"
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="button button-main" disabled={send.isPending}>
          Send
        </button>
      </div>
    </form>
  );
}
