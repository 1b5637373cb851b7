import { managedMarker } from './managed-file.ts';
import { type ServiceDefinition, stopTimeoutSeconds } from './service.ts';

/** The relay as a service of a user's systemd. */
export function systemdUnit({ command, environment, workingFolder }: ServiceDefinition): string {
  return `# ${managedMarker} daemon: the next agent-relay daemon install writes it anew.
[Unit]
Description=Agent Relay
StartLimitIntervalSec=60
StartLimitBurst=10

[Service]
Type=exec
ExecStart=${commandLineOf(command)}
${Object.entries(environment)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
  .join('')}WorkingDirectory=${workingFolder.replaceAll('%', '%%')}
Restart=on-failure
RestartSec=2
# A wrong configuration is not put right by trying again.
RestartPreventExitStatus=2
# A clean stop ends the machine's node and its agents; after a crash they must go on.
KillMode=process
TimeoutStopSec=${stopTimeoutSeconds}

[Install]
WantedBy=default.target
`;
}

/** Variables are looked for in the arguments, and in the program's own path never: there a `$` stands for itself. */
const commandLineOf = ([program = '', ...args]: readonly string[]): string =>
  [quoted(program), ...args.map((word) => quoted(word).replaceAll('$', '$$$$'))].join(' ');

/** systemd reads backslashes and quotes as a C string's, and % as the beginning of a specifier. */
const quoted = (word: string): string =>
  `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('%', '%%')}"`;
