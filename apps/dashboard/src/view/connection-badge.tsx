import { Link } from '@tanstack/react-router';
import { nameOfPrincipal } from '../live/permissions.ts';
import { signOut } from '../live/sign-in.ts';
import { useCommand } from '../live/use-command.ts';
import { useConnectionState } from '../live/use-connection.ts';
import { useList } from '../live/use-list.ts';
import { useMe } from '../live/use-live.ts';
import { nodesView } from '../relay/sessions.ts';
import { Palette } from './palette/palette.tsx';
import { Problem } from './problem.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

const words = {
  connecting: { text: 'connecting', tone: 'bg-warn' },
  live: { text: 'live', tone: 'bg-good' },
  quiet: { text: 'no answer from the relay', tone: 'bg-warn' },
  lost: { text: 'connection lost, trying again', tone: 'bg-bad' },
  'signed-out': { text: 'signed out', tone: 'bg-bad' },
  refused: { text: 'refused', tone: 'bg-bad' },
} as const;

export function ConnectionBadge() {
  const { text, tone } = words[useConnectionState().status];
  const me = useMe();
  const nodes = useList(nodesView);
  const online = nodes.all.filter(({ status }) => status === 'online');
  return (
    <div className="flex flex-wrap items-center justify-end gap-x-3 text-soft text-xs sm:gap-x-4 xl:shrink-0">
      {nodes.status === 'ready' ? (
        <span className="hidden whitespace-nowrap sm:inline" title={online.map(({ name }) => name).join(', ')}>
          {online.length} {online.length === 1 ? 'machine' : 'machines'}
        </span>
      ) : null}
      {me === undefined || me.type === 'owner' ? null : (
        <span title="What this token may not do is not offered">signed in as {nameOfPrincipal(me)}</span>
      )}
      <span className="flex items-center gap-1.5 whitespace-nowrap" role="status">
        <span className={`size-2 rounded-full ${tone}`} />
        {text}
      </span>
      <Palette />
      <Link to="/settings" aria-label="Settings" title="Settings" className="hidden px-1 text-base leading-none hover:text-ink sm:inline">
        ⚙
      </Link>
      <ThemeSwitch />
      {me === undefined || me.type === 'anonymous' ? null : <SignOut />}
    </div>
  );
}

function SignOut() {
  // A fresh page, which has nothing left of what was read here.
  const leave = useCommand(
    async (relay) => {
      // Whoever comes next is not told what was this one's; a session ends what it told in any case.
      const { unsubscribeDevice } = await import('./notices/push-device.ts');
      await unsubscribeDevice(relay).catch(() => {});
      await signOut();
    },
    () => window.location.replace('/'),
  );
  return (
    <>
      <Problem error={leave.error} />
      <button type="button" className="hover:text-ink hover:underline" disabled={leave.isPending} onClick={() => leave.run()}>
        Sign out
      </button>
    </>
  );
}
