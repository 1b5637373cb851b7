import type { CommandPlace, CommandResult } from './run-command.ts';
import { runHookCommand } from './run-command.ts';

const NOTIFY_LIMIT_MS = 15_000;
const LONGEST = 500;

/** A notification on the desktop of this machine; its text reaches the program as an argument or a variable, never as code. */
export async function notifyDesktop(
  text: string,
  title: string,
  place: CommandPlace,
  platform: NodeJS.Platform = process.platform,
): Promise<CommandResult> {
  const notice = shownText(text);
  const command = notifierOf(platform, title, notice);
  const env = { ...place.env, HOOK_TITLE: title, HOOK_NOTICE: notice };
  return runHookCommand({ command: [...command], timeout: NOTIFY_LIMIT_MS }, {}, { ...place, env });
}

export function notifierOf(platform: NodeJS.Platform, title: string, text: string): readonly string[] {
  if (platform === 'darwin') {
    const script = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run'];
    return ['osascript', ...script.flatMap((line) => ['-e', line]), '--', title, text];
  }
  if (platform === 'win32') return ['powershell.exe', '-NoProfile', '-NonInteractive', '-Command', balloon];
  return ['notify-send', '--app-name=Agent Relay', '--', title, asNoticeBody(text)];
}

/** No argument of a program has a NUL in it, and half a character is none. */
const shownText = (text: string): string => text.replaceAll('\0', ' ').slice(0, LONGEST).toWellFormed();

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** `notify-send` reads escapes in the body, and the desktop reads markup there; the title is plain text to both. */
const asNoticeBody = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll(/[&<>]/gu, (character) => entities[character] ?? character);

const balloon = [
  "Add-Type -AssemblyName @('System.Windows.Forms', 'System.Drawing')",
  '$icon = New-Object System.Windows.Forms.NotifyIcon',
  '$icon.Icon = [System.Drawing.SystemIcons]::Information',
  '$icon.Visible = $true',
  "$icon.ShowBalloonTip(5000, $env:HOOK_TITLE, $env:HOOK_NOTICE, 'Info')",
  'Start-Sleep -Seconds 6',
  '$icon.Dispose()',
].join('; ');
