import { useNavigate } from '@tanstack/react-router';
import { useList } from '../../live/use-list.ts';
import { readAgentsShown } from '../../relay/agents-shown.ts';
import { sessionsOfView } from '../../relay/sessions.ts';
import { Choices } from '../form/choices.tsx';
import { formatDate } from '../format.ts';

/** Which of an agent's sessions is looked at; nothing where there is no choice. */
export function ShownSession({ agentId, shown }: { readonly agentId: string; readonly shown: string | null }) {
  const navigate = useNavigate();
  const sessions = useList(sessionsOfView(agentId)).all;
  if (sessions.length < 2 && shown === null) return null;
  const choices = sessions.map(({ sessionId, startedAt, status, model }) => ({
    id: sessionId,
    word: [formatDate(startedAt), status, model].filter(Boolean).join(' · '),
  }));
  const known = shown === null || choices.some(({ id }) => id === shown) ? choices : [...choices, { id: shown, word: shown }];
  return (
    <Choices
      aria-label="Session"
      className="field min-w-0 max-w-56 py-0.5 text-xs"
      value={shown ?? ''}
      onChange={({ target: { value } }) =>
        void navigate({
          to: '/agents/$agentId',
          params: { agentId },
          search: (before) => ({ ...readAgentsShown({ ...before }), ...(value === '' ? {} : { session: value }) }),
        })
      }
      choices={[{ id: '', word: 'Every session' }, ...known]}
    />
  );
}
