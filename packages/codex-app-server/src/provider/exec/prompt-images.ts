import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PromptImage } from 'agent-relay-provider';

export interface WrittenImages {
  readonly paths: readonly string[];
  /** Never rejects: what stays goes with the folder. */
  readonly remove: () => Promise<void>;
}

/** The pictures of a prompt as files of the folder, which `codex exec` takes them from. */
export async function writeImages(folder: string, images: readonly PromptImage[]): Promise<WrittenImages> {
  const files = images.map(({ mediaType, data }) => ({ path: join(folder, `${randomUUID()}.${extensionOf(mediaType)}`), data }));
  await Promise.all(files.map(({ path, data }) => writeFile(path, data, { encoding: 'base64', mode: 0o600 })));
  const paths = files.map(({ path }) => path);
  return {
    paths,
    remove: async () => {
      await Promise.allSettled(paths.map((path) => rm(path, { force: true })));
    },
  };
}

const extensionOf = (mediaType: string): string => /^image\/(\w+)$/u.exec(mediaType)?.[1] ?? 'png';
