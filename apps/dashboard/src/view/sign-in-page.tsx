import { type FormEvent, useState } from 'react';
import { signIn } from '../relay/sign-in.ts';
import { Problem } from './problem.tsx';

/** The way in: a link from the relay's machine, or a token. */
export function SignInPage({ problem }: { readonly problem: string | null }) {
  const [error, setError] = useState<unknown>(null);
  const [isPending, setPending] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim();
    if (token === '') return;
    setPending(true);
    // A fresh page, so that every connection begins with the cookie.
    signIn({ token }).then(
      () => window.location.reload(),
      (reason: unknown) => {
        setError(reason);
        setPending(false);
      },
    );
  };
  return (
    <main className="grid h-full place-items-center p-6">
      <section className="grid w-full max-w-md gap-3 rounded-xl border border-line bg-panel p-6">
        <h1 className="font-semibold text-lg">Agent Relay</h1>
        {problem === null ? (
          <p>This browser is not signed in.</p>
        ) : (
          <p role="alert" className="text-bad">
            {problem}
          </p>
        )}
        <p className="text-soft">
          On the relay’s machine, <code className="font-mono">agent-relay login</code> prints a link that signs it in. With a token, also
          one that only reads, sign in here:
        </p>
        <form onSubmit={submit} className="flex gap-2">
          <input
            name="token"
            type="password"
            aria-label="Token"
            autoComplete="current-password"
            className="field min-w-0 grow"
            placeholder="Token"
            required
          />
          <button type="submit" className="button button-main" disabled={isPending}>
            Sign in
          </button>
        </form>
        <Problem error={error} />
      </section>
    </main>
  );
}
