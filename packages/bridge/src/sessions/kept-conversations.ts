import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Serial } from 'agent-relay-wire';
import { z } from 'zod';

const Kept = z.record(z.string(), z.string().min(1).max(512));

/** Which conversation of its vendor a project goes on with, beside the projects' folders and not in them: no agent writes there. */
export class KeptConversations {
  readonly #folder: string;
  readonly #writing = new Serial();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async find(projectId: string, provider: string): Promise<string | undefined> {
    return (await this.#read(projectId))[provider];
  }

  /** One after the other: agents of several kinds that end their turns together keep each its own. */
  keep(projectId: string, provider: string, vendorSessionId: string): Promise<void> {
    return this.#writing.run(() => this.#keep(projectId, provider, vendorSessionId));
  }

  async #keep(projectId: string, provider: string, vendorSessionId: string): Promise<void> {
    const kept = await this.#read(projectId);
    if (kept[provider] === vendorSessionId) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#path(projectId);
    await writeFile(`${path}.${provider}.new`, JSON.stringify({ ...kept, [provider]: vendorSessionId }), { mode: 0o600 });
    await rename(`${path}.${provider}.new`, path);
  }

  async #read(projectId: string): Promise<Readonly<Record<string, string>>> {
    try {
      return Kept.parse(JSON.parse(await readFile(this.#path(projectId), 'utf8')));
    } catch {
      return {}; // none yet, or not ours any more: the project begins anew
    }
  }

  #path(projectId: string): string {
    return join(this.#folder, `${projectId}.json`);
  }
}
