import type { Agent, Node, Session } from 'agent-relay-client';
import { useCommand } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { useMayCall } from '../../live/use-live.ts';
import { conversationIn, sessionsOfView, startAgain } from '../../relay/sessions.ts';
import { ActButton } from '../act-button.tsx';
import { formatDate } from '../format.ts';
import { Problem } from '../problem.tsx';

interface StartAgainProps {
  readonly last: Session;
  /** Which of its sessions is looked at; null for all. */
  readonly shownId: string | null;
  readonly agent: Agent;
  readonly nodes: readonly Node[];
}

interface Start {
  readonly session: Session;
  readonly resume: boolean;
}

const look = 'button px-2 py-0.5 text-xs';

/** Starts an agent that is away: afresh, or in the conversation that it had, which need not be that of its last session. */
export function StartAgain({ last, shownId, agent, nodes }: StartAgainProps) {
  const start = useCommand((relay, { session, resume }: Start) => relay.sessions.start(startAgain(session, agent, { resume })));
  const sessions = useList(sessionsOfView(agent.id)).all;
  const { provider } = sessions.find(({ sessionId }) => sessionId === shownId) ?? last;
  const earlier = conversationIn([last, ...sessions], provider);
  if (!useMayCall('sessions/start')) return null;
  return (
    <div className="flex flex-wrap items-center gap-2">
      {earlier === null || !goesOn(earlier, nodes) ? null : (
        <ActButton
          className={look}
          title={`In its conversation with ${provider}, which began ${formatDate(earlier.startedAt)}`}
          isBusy={start.isPending}
          onClick={() => start.run({ session: earlier, resume: true })}
        >
          {earlier.sessionId === last.sessionId ? 'Go on where it was' : `Go on where it was on ${formatDate(earlier.startedAt)}`}
        </ActButton>
      )}
      <ActButton className={look} isBusy={start.isPending} onClick={() => start.run({ session: last, resume: false })}>
        {start.isPending ? 'Starting…' : earlier === null ? 'Start it again' : 'Start it afresh'}
      </ActButton>
      <Problem error={start.error} />
    </div>
  );
}

/** Not where its machine says that this kind of agent cannot. */
const goesOn = ({ nodeId, provider }: Session, nodes: readonly Node[]): boolean =>
  nodes.find((node) => node.nodeId === nodeId)?.providers.find(({ id }) => id === provider)?.abilities?.resume !== false;
