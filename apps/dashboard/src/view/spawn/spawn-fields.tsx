import { useList } from '../../live/use-list.ts';
import { nodesView } from '../../relay/sessions.ts';
import { Choices } from '../form/choices.tsx';
import { Labelled } from '../form/labelled.tsx';

const field = 'field w-full min-w-0 px-2 text-xs sm:text-sm';

const modes = [
  { id: 'safe', word: 'use no tools' },
  { id: 'agentic', word: 'work in its folder' },
  { id: 'unrestricted', word: 'do everything' },
] as const;

const approvals = [
  { id: 'open', word: 'it may do the same' },
  { id: 'guarded', word: 'it asks you first' },
  { id: 'read-only', word: 'it only reads' },
] as const;

/** What is asked of who starts an agent; `read-spawn-form.ts` reads them. */
export const SpawnFields = () => (
  <>
    <div className="grid grid-cols-2 gap-2 sm:gap-3">
      <Labelled text="Name">
        <input name="name" required className={field} placeholder="Lead" />
      </Labelled>
      <Labelled text="Kind">
        <ProviderChoice />
      </Labelled>
    </div>
    <Labelled text="Task">
      <textarea name="task" rows={3} className={field} placeholder="What should it do first?" />
    </Labelled>
    <Labelled text="Folder">
      <input name="cwd" className={field} placeholder="a fresh one" />
    </Labelled>
    <div className="grid grid-cols-2 gap-2 sm:gap-3">
      <Labelled text="May">
        <Choices name="mode" defaultValue="agentic" className={field} choices={modes} />
      </Labelled>
      <Labelled text="When a message comes">
        <Choices name="approval" defaultValue="open" className={field} choices={approvals} />
      </Labelled>
    </div>
    <label className="flex items-center gap-2 text-xs">
      <input type="checkbox" name="ask" defaultChecked />
      Ask me for what goes beyond its folder, instead of refusing it
    </label>
  </>
);

/** The kinds of agents that some machine offers now. */
function ProviderChoice() {
  const providers = useList(nodesView)
    .all.filter(({ status }) => status === 'online')
    .flatMap(({ providers: offered }) => offered);
  const unique = [...new Map(providers.map((provider) => [provider.id, provider])).values()];
  const choices = unique.map(({ id, available, reason }) => ({
    id,
    word: available ? id : `${id} (not installed)`,
    isDisabled: !available,
    hint: reason ?? undefined,
  }));
  return <Choices name="provider" className={field} choices={choices} />;
}
