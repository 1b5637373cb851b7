import { managedMarker } from './managed-file.ts';
import { launchdLabel, type ServiceDefinition, stopTimeoutSeconds } from './service.ts';

/** The relay as an agent of a user's launchd. */
export function launchdPlist({ command, environment, workingFolder, logFile }: ServiceDefinition): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- ${managedMarker} daemon: the next agent-relay daemon install writes it anew. -->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${launchdLabel}</string>
  <key>ProgramArguments</key>
  <array>
${[...command, '--clean-exit-on-misuse'].map((word) => `    <string>${escaped(word)}</string>\n`).join('')}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${Object.entries(environment)
  .map(([name, value]) => `    <key>${escaped(name)}</key>\n    <string>${escaped(value)}</string>\n`)
  .join('')}  </dict>
  <key>WorkingDirectory</key>
  <string>${escaped(workingFolder)}</string>
  <key>RunAtLoad</key>
  <true/>
  <!-- launchd tries again whatever ends with another code than 0: a wrong configuration, which trying does not put right, ends with 0. -->
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <!-- A clean stop ends the machine's node and its agents; after a crash they must go on. -->
  <key>AbandonProcessGroup</key>
  <true/>
  <key>ExitTimeOut</key>
  <integer>${stopTimeoutSeconds}</integer>
  <key>StandardOutPath</key>
  <string>${escaped(logFile)}</string>
  <key>StandardErrorPath</key>
  <string>${escaped(logFile)}</string>
</dict>
</plist>
`;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
