import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const isNotice = /^(?:licen[cs]e|notice|copying)/iu;

/** The folder of the package that a file was bundled from; null for one of our own. */
function packageOf(file: string): string | null {
  const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//u.exec(file.replaceAll('\\', '/')) ?? [];
  return folder ?? null;
}

function noticeOf(folder: string): readonly [string, string] {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isNotice.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), 'utf8').trim());
  if (texts.length === 0 && typeof license !== 'string') throw new Error(`${name} is bundled and says no licence`);
  const title = `${name} ${version} (${license ?? 'see below'})`;
  return [title, [title, '='.repeat(title.length), '', ...texts, ''].join('\n')];
}

/** What the licences of bundled libraries ask to be said beside them. @throws Error for a library that has none. */
export function thirdPartyNotices(files: Iterable<string>): string {
  const folders = new Set([...files].flatMap((file) => packageOf(file) ?? []));
  const notices = new Map([...folders].map(noticeOf));
  const sorted = [...notices].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, text]) => text);
  return ['This program contains the following libraries.', '', ...sorted].join('\n');
}
