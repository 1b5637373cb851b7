import { Outlet } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { useConnection, useConnectionState } from '../live/use-connection.ts';
import { ConnectionBadge } from './connection-badge.tsx';
import { MainNav } from './main-nav.tsx';
import { SignInPage } from './sign-in-page.tsx';

/** The first stop of Tab: past the navigation, to what the page is about. */
function SkipLink() {
  const toMain = () => {
    const shown = [...document.querySelectorAll<HTMLElement>('[data-content], main')].filter((one) => one.checkVisibility());
    const content = shown.find((one) => 'content' in one.dataset) ?? shown[0];
    content?.setAttribute('tabindex', '-1');
    content?.focus();
  };
  return (
    <button type="button" onClick={toMain} className="button sr-only z-10 focus:not-sr-only focus:absolute focus:top-2 focus:left-2">
      Skip to the page
    </button>
  );
}

/** What every page has: where one can go, how the connection is, and the way in when there is none. */
export function Shell({ children = <Outlet /> }: { readonly children?: ReactNode }) {
  const connection = useConnection();
  const state = useConnectionState();
  useEffect(() => connection.follow(), [connection]);
  if (state.status === 'signed-out') return <SignInPage problem={null} />;
  if (state.status === 'refused') return <SignInPage problem={state.problem} />;
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <SkipLink />
      <header className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-b bg-panel px-4 py-2 2xl:flex-nowrap">
        <img src="/icon.svg" alt="" className="size-6" />
        <h1 className="whitespace-nowrap font-semibold">Agent Relay</h1>
        <span className="grow 2xl:hidden" />
        <MainNav />
        <span className="hidden grow 2xl:block" />
        <ConnectionBadge />
      </header>
      {children}
    </div>
  );
}
