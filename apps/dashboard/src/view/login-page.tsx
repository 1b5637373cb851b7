import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { signIn } from '../live/sign-in.ts';
import { errorText } from './format.ts';

/** Exchanges the one-time code in the address's fragment for a session cookie. The code never reaches a log: fragments are not sent. */
export function LoginPage() {
  const navigate = useNavigate();
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const code = window.location.hash.slice(1);
    window.history.replaceState(null, '', window.location.pathname);
    if (code === '') {
      setProblem('This address has no login code: agent-relay login prints a link that has one.');
      return;
    }
    signIn({ code }).then(
      // A fresh page, so that every connection begins with the cookie.
      () => window.location.replace('/'),
      (error: unknown) => setProblem(errorText(error)),
    );
  }, []);
  return (
    <main className="grid h-full place-items-center p-6">
      <section className="max-w-md rounded-xl border border-line bg-panel p-6">
        <h1 className="mb-2 font-semibold text-lg">Agent Relay</h1>
        {problem === null ? (
          <p className="text-soft">Signing in…</p>
        ) : (
          <>
            <p role="alert">{problem}</p>
            <button type="button" className="button mt-4" onClick={() => void navigate({ to: '/' })}>
              Go on
            </button>
          </>
        )}
      </section>
    </main>
  );
}
