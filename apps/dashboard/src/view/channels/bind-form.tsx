import { EVERY_CONVERSATION } from 'agent-relay-protocol';
import { type FormEvent, useRef } from 'react';
import { useBind } from '../../relay/use-channels.ts';
import { AddressOptions } from '../address-options.tsx';
import { Problem } from '../problem.tsx';

interface BindFormProps {
  readonly channelId: string;
  /** Those that are bound, to be bound to another target as well. */
  readonly conversations: readonly string[];
}

/** Says who is meant by what people write in one conversation. */
export function BindForm({ channelId, conversations }: BindFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const bind = useBind();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const mode = text('mode') === 'fanout' ? 'fanout' : 'exclusive';
    bind.mutate(
      { id: channelId, conversationId: text('conversation'), target: text('target'), mode },
      { onSuccess: () => form.current?.reset() },
    );
  };
  return (
    <form ref={form} onSubmit={submit} className="grid grid-cols-[minmax(0,1fr)] gap-2">
      <div className="grid gap-2 sm:grid-cols-2">
        <label className="grid gap-1 text-soft text-xs">
          Conversation
          <input
            name="conversation"
            required
            maxLength={256}
            list="conversations"
            className="field text-ink text-sm"
            placeholder="its id outside, or * for every other"
          />
        </label>
        <datalist id="conversations">
          <option value={EVERY_CONVERSATION} />
          {conversations.map((id) => (
            <option key={id} value={id} />
          ))}
        </datalist>
        <label className="grid gap-1 text-soft text-xs">
          Goes to
          <input name="target" required list="targets" className="field text-ink text-sm" placeholder="Worker, tag:backend" />
        </label>
        <AddressOptions id="targets" />
      </div>
      <div className="flex flex-wrap items-end gap-2">
        <label className="grid min-w-0 grow basis-60 gap-1 text-soft text-xs">
          How
          <select name="mode" aria-label="How" className="field min-w-0 text-ink text-sm">
            <option value="exclusive">to it alone (in a group, one takes each)</option>
            <option value="fanout">a copy, as to the conversation’s other targets</option>
          </select>
        </label>
        <button type="submit" className="button button-main" disabled={bind.isPending}>
          {bind.isPending ? 'Binding…' : 'Bind'}
        </button>
      </div>
      <Problem error={bind.error} />
      {bind.data?.created === false ? <p className="text-soft text-xs">It was bound like that already.</p> : null}
    </form>
  );
}
