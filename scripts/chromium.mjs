// Where the machine's browsers are. For tests: importing this installs nothing.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @param {readonly string[]} wanted */
function candidates(wanted) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/snap/bin'];
  return wanted.flatMap((name) => folders.map((folder) => join(folder, name)));
}

export function findChromium() {
  const onMac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  return [...candidates(names), onMac].find((path) => existsSync(path));
}

export function findHeadlessShell() {
  return candidates(['chromium-headless-shell']).find((path) => existsSync(path));
}
