import type { ReactNode } from 'react';
import { useList } from '../../live/use-list.ts';
import { useLive } from '../../live/use-live.ts';
import { agentsView, isWorker } from '../../relay/agents.ts';
import { messagesView } from '../../relay/messages.ts';
import { nodesView } from '../../relay/sessions.ts';
import { CommandLine } from '../command-line.tsx';
import { terminalAddress } from '../terminal-address.ts';

const everyMessage = messagesView({});

/** The way from nothing to agents that talk: commands that work with this relay as they stand, each ticked off once it was seen to work. */
export function FirstRun() {
  const url = terminalAddress(window.location);
  const isMachineThere = useList(nodesView).all.some(({ status }) => status === 'online');
  const isAgentThere = useList(agentsView).all.some(isWorker);
  const isSaid = (useLive(everyMessage).data ?? []).length > 0;
  const hello = `curl -X POST ${url}/api/messages -H 'content-type: application/json' -d '{"to":"broadcast","body":"Hello"}'`;
  return (
    <ol className="grid gap-4">
      <Step isDone={isMachineThere} words="Lend this machine to the relay, so that agents can run on it">
        <CommandLine text={`npx agent-relay-connect --url ${url}`} />
      </Step>
      <Step isDone={isAgentThere} words="Start an agent, here or in a terminal">
        <CommandLine text={`npx agent-relay-server spawn claude --name Lead --url ${url}`} />
        <CommandLine text={`npx agent-relay-server spawn codex --name Worker --url ${url}`} />
      </Step>
      <Step isDone={isSaid} words="Say something, from any program">
        <CommandLine text={hello} />
      </Step>
    </ol>
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
