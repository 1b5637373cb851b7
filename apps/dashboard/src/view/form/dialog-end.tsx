import { Dialog } from 'radix-ui';
import type { Command } from '../../live/use-command.ts';
import { ActButton } from '../act-button.tsx';
import { Problem } from '../problem.tsx';

interface DialogEndProps {
  readonly command: Pick<Command<never, unknown>, 'isPending' | 'error'>;
  readonly word: string;
  readonly pendingWord: string;
}

/** How a form in a dialog ends: what went wrong, the way out, and the way on. */
export const DialogEnd = ({ command: { isPending, error }, word, pendingWord }: DialogEndProps) => (
  <>
    <Problem error={error} />
    <div className="flex justify-end gap-2">
      <Dialog.Close className="button">Cancel</Dialog.Close>
      <ActButton type="submit" className="button button-main" isBusy={isPending}>
        {isPending ? pendingWord : word}
      </ActButton>
    </div>
  </>
);
