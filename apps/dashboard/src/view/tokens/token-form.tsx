import type { CreatedToken } from 'agent-relay-protocol';
import { useState } from 'react';
import type { Command } from '../../live/use-command.ts';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { type CreateTokenRequest, readTokenForm, type TokenKindChoice } from './read-token-form.ts';
import { TokenFields } from './token-fields.tsx';

export function TokenForm({ create }: { readonly create: Command<CreateTokenRequest, CreatedToken> }) {
  const [kind, setKind] = useState<TokenKindChoice>('scoped');
  return (
    <Form className="grid gap-3" onSubmit={(fields) => create.run(readTokenForm(kind, fields))}>
      <TokenFields kind={kind} onKind={setKind} />
      <DialogEnd command={create} word="Make it" pendingWord="Making…" />
    </Form>
  );
}
