import { CommandLine } from '../command-line.tsx';
import { pairLine } from '../overview/first-commands.ts';
import { terminalAddress } from '../terminal-address.ts';

/** Why no agent can be started now, and what to do about it. */
export const NoMachine = ({ away }: { readonly away: readonly string[] }) => (
  <div className="grid gap-2 text-sm">
    <p>
      {away.length === 0
        ? 'No machine is connected, so there is nowhere to run an agent.'
        : `${away.join(', ')} ${away.length === 1 ? 'is' : 'are'} not connected now, so there is nowhere to run an agent.`}
    </p>
    <p className="text-soft">
      The relay lends its own machine, unless it was started with <code>--no-local-node</code>. Any other machine shows a code, which you
      enter under Fleet:
    </p>
    <CommandLine text={pairLine(terminalAddress(window.location))} />
  </div>
);
