import { signIn } from '../live/sign-in.ts';
import { useCommand } from '../live/use-command.ts';
import { Form } from './form/form.tsx';
import { Problem } from './problem.tsx';

/** The way in: a link from the relay's machine, or a token. */
export function SignInPage({ problem }: { readonly problem: string | null }) {
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
        <TokenSignIn />
      </section>
    </main>
  );
}

function TokenSignIn() {
  // A fresh page, so that every connection begins with the cookie.
  const enter = useCommand(
    (_relay, token: string) => signIn({ token }),
    () => window.location.reload(),
  );
  return (
    <>
      <Form className="flex gap-2" onSubmit={(fields) => fields.text('token') !== '' && enter.run(fields.text('token'))}>
        <input
          name="token"
          type="password"
          aria-label="Token"
          autoComplete="current-password"
          className="field min-w-0 grow"
          placeholder="Token"
          required
        />
        <button type="submit" className="button button-main" disabled={enter.isPending}>
          Sign in
        </button>
      </Form>
      <Problem error={enter.error} />
    </>
  );
}
