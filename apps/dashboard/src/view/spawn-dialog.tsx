import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Dialog } from 'radix-ui';
import { type FormEvent, useState } from 'react';
import type { StartSessionRequest } from '../relay/requests.ts';
import { useNodes, useRelay } from '../relay/use-relay.ts';
import { errorText } from './format.ts';

export function SpawnDialog() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger className="button px-2 py-0.5 text-xs">New agent</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 bg-black/50" />
        <Dialog.Content className="fixed top-24 left-1/2 w-[28rem] max-w-[92vw] -translate-x-1/2 rounded-xl border border-line bg-panel p-5 shadow-xl">
          <Dialog.Title className="mb-3 font-semibold">Start an agent</Dialog.Title>
          <Dialog.Description className="sr-only">Starts a coding agent on one of your machines.</Dialog.Description>
          <SpawnForm onDone={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function SpawnForm({ onDone }: { readonly onDone: () => void }) {
  const relay = useRelay();
  const navigate = useNavigate();
  const { data: nodes = [] } = useNodes();
  const providers = nodes.filter(({ status }) => status === 'online').flatMap(({ providers: offered }) => offered);
  const unique = [...new Map(providers.map((provider) => [provider.id, provider])).values()];
  const spawn = useMutation({
    mutationFn: (request: StartSessionRequest) => relay.sessions.start(request),
    onSuccess: async ({ agentId }) => {
      onDone();
      await navigate({ to: '/agents/$agentId', params: { agentId } });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const optional = (name: 'task' | 'cwd') => (text(name) === '' ? {} : { [name]: text(name) });
    const mode = text('mode');
    const approval = text('approval');
    spawn.mutate({
      name: text('name'),
      provider: text('provider'),
      mode: mode === 'safe' || mode === 'unrestricted' ? mode : 'agentic',
      approval: approval === 'guarded' || approval === 'read-only' ? approval : 'open',
      ask: form.get('ask') === 'on',
      ...optional('task'),
      ...optional('cwd'),
    });
  };
  return (
    <form onSubmit={submit} className="space-y-3">
      <div className="grid grid-cols-2 gap-3">
        <label className="grid min-w-0 gap-1 text-soft text-xs">
          Name
          <input name="name" required className="field w-full min-w-0 text-sm" placeholder="Lead" />
        </label>
        <label className="grid min-w-0 gap-1 text-soft text-xs">
          Kind
          <select name="provider" className="field w-full min-w-0 text-sm">
            {unique.map(({ id, available, reason }) => (
              <option key={id} value={id} disabled={!available} title={reason ?? undefined}>
                {available ? id : `${id} (not installed)`}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label className="grid min-w-0 gap-1 text-soft text-xs">
        Task
        <textarea name="task" rows={3} className="field w-full min-w-0 text-sm" placeholder="What should it do first?" />
      </label>
      <label className="grid min-w-0 gap-1 text-soft text-xs">
        Folder
        <input name="cwd" className="field w-full min-w-0 text-sm" placeholder="a fresh one" />
      </label>
      <div className="grid grid-cols-2 gap-3">
        <label className="grid min-w-0 gap-1 text-soft text-xs">
          May
          <select name="mode" defaultValue="agentic" className="field w-full min-w-0 text-sm">
            <option value="safe">use no tools</option>
            <option value="agentic">work in its folder</option>
            <option value="unrestricted">do everything</option>
          </select>
        </label>
        <label className="grid min-w-0 gap-1 text-soft text-xs">
          When a message comes
          <select name="approval" defaultValue="open" className="field w-full min-w-0 text-sm">
            <option value="open">it may the same</option>
            <option value="guarded">it asks you first</option>
            <option value="read-only">it only reads</option>
          </select>
        </label>
      </div>
      <label className="flex items-center gap-2 text-xs">
        <input type="checkbox" name="ask" defaultChecked />
        Ask me for what goes beyond its folder, instead of refusing it
      </label>
      {spawn.isError ? (
        <p role="alert" className="text-bad">
          {errorText(spawn.error)}
        </p>
      ) : null}
      <div className="flex justify-end gap-2">
        <Dialog.Close className="button">Cancel</Dialog.Close>
        <button type="submit" className="button button-main" disabled={spawn.isPending}>
          {spawn.isPending ? 'Starting…' : 'Start'}
        </button>
      </div>
    </form>
  );
}
