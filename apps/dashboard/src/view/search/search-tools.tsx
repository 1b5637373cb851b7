import { useNavigate } from '@tanstack/react-router';
import { useList } from '../../live/use-list.ts';
import { agentsView } from '../../relay/agents.ts';
import { readSearchFilter, type SearchFilter } from '../../relay/search-filter.ts';
import { Choices } from '../form/choices.tsx';
import { Form } from '../form/form.tsx';

const field = 'field min-w-0 text-xs';

const days = [
  { id: '', word: 'any time' },
  { id: '1', word: 'the last day' },
  { id: '7', word: 'the last week' },
  { id: '30', word: 'the last 30 days' },
] as const;

/** What is looked for, and where; the address of the page keeps it. */
export function SearchTools({ filter }: { readonly filter: SearchFilter }) {
  const navigate = useNavigate();
  const agents = useList(agentsView).all;
  return (
    <Form
      className="border-line border-b bg-panel"
      onSubmit={(fields) => {
        const said = Object.fromEntries(['text', 'in', 'agent', 'type', 'tool', 'file'].map((name) => [name, fields.text(name)]));
        void navigate({ to: '/search', search: readSearchFilter({ ...said, days: Number(fields.text('days')) }) });
      }}
    >
      <div className="measure grid gap-2 px-4 py-3">
        <div className="flex gap-2">
          <input
            type="search"
            name="text"
            aria-label="Words"
            // biome-ignore lint/a11y/noAutofocus: whoever comes here is about to write
            autoFocus
            className="field min-w-0 grow"
            placeholder={'Words that all occur; "words together"; -not'}
            defaultValue={filter.text ?? ''}
          />
          <button type="submit" className="button button-main">
            Search
          </button>
        </div>
        <div className="grid grid-cols-2 gap-2 sm:grid-cols-3 lg:grid-cols-6">
          <Choices
            name="in"
            aria-label="Where"
            className={field}
            defaultValue={filter.in ?? ''}
            choices={[
              { id: '', word: 'said and done' },
              { id: 'messages', word: 'messages' },
              { id: 'activity', word: 'what agents did' },
            ]}
          />
          <Choices name="days" aria-label="When" className={field} defaultValue={String(filter.days ?? '')} choices={days} />
          <input name="agent" aria-label="Agent" list="searched" className={field} placeholder="every agent" defaultValue={filter.agent} />
          <input name="tool" aria-label="Tool" className={field} placeholder="every tool" defaultValue={filter.tool} />
          <input name="file" aria-label="File" className={field} placeholder="every file" defaultValue={filter.file} />
          <input name="type" aria-label="Kind" list="kinds" className={field} placeholder="every kind" defaultValue={filter.type} />
        </div>
        <datalist id="searched">
          {agents.map(({ id }) => (
            <option key={id} value={id} />
          ))}
        </datalist>
        <datalist id="kinds">
          {kinds.map((kind) => (
            <option key={kind} value={kind} />
          ))}
        </datalist>
      </div>
    </Form>
  );
}

const kinds = [
  'chat',
  'task',
  'user.message',
  'text.completed',
  'reasoning.completed',
  'tool.started',
  'tool.completed',
  'file.changed',
  'plan.updated',
  'turn.failed',
];
