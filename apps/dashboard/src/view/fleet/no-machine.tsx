import { CommandLine } from '../command-line.tsx';
import { terminalAddress } from '../terminal-address.ts';

/** Why no agent can be started now, and what to do about it. */
export const NoMachine = ({ away }: { readonly away: readonly string[] }) => (
  <div className="grid gap-2 text-sm">
    <p>
      {away.length === 0
        ? 'No machine is connected, so there is nowhere to run an agent.'
        : `${away.join(', ')} ${away.length === 1 ? 'is' : 'are'} not connected now, so there is nowhere to run an agent.`}
    </p>
    <p className="text-soft">On the relay’s own machine, this lends it to the relay until you stop it:</p>
    <CommandLine text={`npx agent-relay-connect --url ${terminalAddress(window.location)}`} />
    <p className="text-soft">Another machine shows a code, which you enter under Fleet:</p>
    <CommandLine text={`npx agent-relay-connect pair --url ${terminalAddress(window.location)}`} />
  </div>
);
