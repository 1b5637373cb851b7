import { Link } from '@tanstack/react-router';
import { useMayCall } from '../../live/use-live.ts';

const tab = (isChosen: boolean) => `rounded-lg px-2 py-1 text-xs ${isChosen ? 'bg-raised' : 'text-soft hover:text-ink'}`;

/** From what agents ask to what they need not ask any more, and back. */
export function ApprovalTabs({ chosen }: { readonly chosen: 'questions' | 'rules' }) {
  if (!useMayCall('rules/list')) return null;
  return (
    <span className="flex gap-1">
      <Link to="/approvals" aria-current={chosen === 'questions' ? 'page' : undefined} className={tab(chosen === 'questions')}>
        Questions
      </Link>
      <Link to="/rules" aria-current={chosen === 'rules' ? 'page' : undefined} className={tab(chosen === 'rules')}>
        Standing rules
      </Link>
    </span>
  );
}
