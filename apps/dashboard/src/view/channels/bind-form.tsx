import { EVERY_CONVERSATION } from 'agent-relay-protocol';
import { useCommand } from '../../live/use-command.ts';
import { ActButton } from '../act-button.tsx';
import { AddressOptions } from '../address-options.tsx';
import { Choices } from '../form/choices.tsx';
import { type FilledForm, Form } from '../form/form.tsx';
import { Labelled } from '../form/labelled.tsx';
import { Problem } from '../problem.tsx';
import { type BindRequest, readBindForm } from './read-bind-form.ts';

interface BindFormProps {
  readonly channelId: string;
  /** Those that are bound, to be bound to another target as well. */
  readonly conversations: readonly string[];
}

/** Says who is meant by what people write in one conversation. */
export function BindForm({ channelId, conversations }: BindFormProps) {
  const bind = useCommand(async (relay, { request, form }: { readonly request: BindRequest; readonly form: FilledForm }) => {
    const bound = await relay.channels.bind(request);
    form.reset();
    return bound;
  });
  return (
    <Form
      className="grid grid-cols-[minmax(0,1fr)] gap-2"
      onSubmit={(fields, form) => bind.run({ request: readBindForm(channelId, fields), form })}
    >
      <ConversationAndTarget conversations={conversations} />
      <div className="flex flex-wrap items-end gap-2">
        <Labelled text="How" place="grow basis-80">
          <Choices name="mode" aria-label="How" className="field min-w-0 text-ink text-sm" choices={modes} />
        </Labelled>
        <ActButton type="submit" className="button button-main" isBusy={bind.isPending}>
          {bind.isPending ? 'Binding…' : 'Bind'}
        </ActButton>
      </div>
      <Problem error={bind.error} />
      {bind.output?.created === false ? <p className="text-soft text-xs">It was bound like that already.</p> : null}
    </Form>
  );
}

const modes = [
  { id: 'exclusive', word: 'to it alone (in a group, one takes each)' },
  { id: 'fanout', word: 'a copy, as its other targets get' },
] as const;

const ConversationAndTarget = ({ conversations }: Pick<BindFormProps, 'conversations'>) => (
  <div className="grid gap-2 sm:grid-cols-2">
    <Labelled text="Conversation">
      <input
        name="conversation"
        required
        maxLength={256}
        list="conversations"
        className="field text-ink text-sm"
        placeholder="its id outside, or * for every other"
      />
    </Labelled>
    <datalist id="conversations">
      <option value={EVERY_CONVERSATION} />
      {conversations.map((id) => (
        <option key={id} value={id} />
      ))}
    </datalist>
    <Labelled text="Goes to">
      <input name="target" required list="targets" className="field text-ink text-sm" placeholder="Worker, tag:backend" />
    </Labelled>
    <AddressOptions id="targets" />
  </div>
);
