import { Link } from '@tanstack/react-router';
import type { CreatedToken } from 'agent-relay-protocol';
import type { ReactNode } from 'react';
import { type Command, useCommand } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { useLive, useMayCall } from '../../live/use-live.ts';
import { agentsView } from '../../relay/agents.ts';
import { messagesView } from '../../relay/messages.ts';
import { nodesView } from '../../relay/sessions.ts';
import { ActButton } from '../act-button.tsx';
import { CommandLine } from '../command-line.tsx';
import { Problem } from '../problem.tsx';
import { terminalAddress } from '../terminal-address.ts';
import { commandsFor } from './first-commands.ts';

/** So long the commands work that are shown here. */
const DAY_MS = 86_400_000;
const everyMessage = messagesView({});

/** The way from nothing to agents that talk: commands that work with this relay as they stand, each ticked off once it was seen to work. */
export function FirstRun() {
  const create = useCommand((relay) => relay.tokens.create({ name: 'first steps', scopes: ['*'], expiresInMs: DAY_MS }));
  const token = create.output?.token ?? null;
  const nodes = useList(nodesView).all;
  const agents = useList(agentsView).all;
  const isThere = (provider: string) => agents.some((agent) => agent.provider === provider);
  const isSaid = (useLive(everyMessage).data ?? []).length > 0;
  const run = commandsFor(terminalAddress(window.location), token);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <FreshToken create={create} />
      <p className="text-soft text-xs">
        The <code>npx</code> commands are of published packages. With a checkout of Agent Relay run them in its folder; or{' '}
        <code>npm run link</code> there once, and type <code>agent-relay</code> for <code>npx agent-relay-server</code> and{' '}
        <code>relay-connect</code> for <code>npx agent-relay-connect</code>, anywhere.
      </p>
      <ol className="grid grid-cols-[minmax(0,1fr)] gap-4">
        <Step isDone={nodes.some(({ status }) => status === 'online')} words="Lend a machine to the relay, so that agents can run on it">
          <p className="text-soft text-xs">
            The relay lends its own machine by itself, unless it was started with <code>--no-local-node</code>.{' '}
            {token === null ? 'Another shows a code, which you enter under Fleet:' : 'On another:'}
          </p>
          <CommandLine text={run.connect} />
        </Step>
        <Step isDone={isThere('claude')} words="Start Claude Code, here or in a terminal">
          <CommandLine text={run.claude} />
        </Step>
        <Step isDone={isThere('codex')} words="Start Codex">
          <CommandLine text={run.codex} />
        </Step>
        <Step isDone={isSaid} words="Say something, from any program">
          <CommandLine text={run.curl} />
        </Step>
      </ol>
    </div>
  );
}

/** On the relay's own machine the commands need none. */
function FreshToken({ create }: { readonly create: Command<void, CreatedToken> }) {
  const mayCreate = useMayCall('tokens/create');
  if (!mayCreate) return null;
  if (create.output) {
    return (
      <p className="text-soft text-xs">
        The commands carry a fresh token, which may do everything for a day and is shown only now.{' '}
        <Link to="/tokens" className="text-accent hover:underline">
          Revoke it
        </Link>{' '}
        when you are done.
      </p>
    );
  }
  return (
    <p className="flex flex-wrap items-center gap-2 text-soft text-xs">
      On another machine, or where the relay asks for a token, the commands need one; only pairing a machine does not.
      <ActButton className="button px-2 py-0.5 text-ink text-xs" isBusy={create.isPending} onClick={() => create.run()}>
        Put in a fresh token
      </ActButton>
      <Problem error={create.error} />
    </p>
  );
}

const Step = ({ isDone, words, children }: { readonly isDone: boolean; readonly words: string; readonly children: ReactNode }) => (
  <li className="grid grid-cols-[1.5rem_minmax(0,1fr)] gap-y-1.5">
    <span className={isDone ? 'text-good' : 'text-soft'}>{isDone ? '✔' : '○'}</span>
    <p className={isDone ? 'text-soft' : ''}>
      {words}
      <span className="sr-only">{isDone ? ' (done)' : ' (to do)'}</span>
    </p>
    <div className="col-start-2 grid grid-cols-[minmax(0,1fr)] gap-1.5">{children}</div>
  </li>
);
