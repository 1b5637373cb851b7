import type { ComponentProps } from 'react';
import { useIsLive } from '../live/use-connection.ts';

interface ActButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  /** What it asked for is on its way, or cannot be asked for now. */
  readonly isBusy?: boolean;
}

/** A button that asks something of the relay: it waits while the last answer is on its way, and while the relay cannot be reached. */
export function ActButton({ isBusy = false, type = 'button', title, ...button }: ActButtonProps) {
  const isLive = useIsLive();
  return <button {...button} type={type} disabled={isBusy || !isLive} title={isLive ? title : 'The relay cannot be reached now'} />;
}
