import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AnswerLimit, OwnerLimits } from 'agent-relay-host';
import { type ApprovalMode, type NodeProvider, type NodeTerms, RelayError, type SpawnerKind, type SpawnMode } from 'agent-relay-protocol';
import { Serial, sleep } from 'agent-relay-wire';
import { assertOwnFile } from 'agent-relay-wire/node';
import { type KeptAgent, type NodeFile, type NodeFileKey, parseNodeFile } from './node-file.ts';

/** A start as the owner of the machine looks at it. */
export interface AskedStart {
  readonly provider: string;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly cwd: string | null;
  /** Where there is no `cwd`, the folder itself. */
  readonly within: string | null;
  /** It runs in a service of its vendor's. */
  readonly isBackground: boolean;
  /** Its program runs elsewhere: the folder is none of this machine's. */
  readonly isDialled: boolean;
  /** This machine itself asks for what its owner has it keep. */
  readonly spawner: SpawnerKind | 'machine';
  /** How many agents run here, or are being started. */
  readonly running: number;
}

/** What the owner of this machine allows. The relay has no say in it. */
export interface Owner {
  /** @throws RelayError `validation_failed` naming file, line and key when the file cannot be read as it is. */
  terms(): Promise<OwnersTerms>;
}

export interface OwnersTerms {
  /** What the relay is told. */
  readonly announced: NodeTerms | undefined;
  /** How far a yes of the relay's goes; undefined where nothing is said. */
  readonly answers: AnswerLimit | undefined;
  /** The agents that live as long as this machine lends itself. */
  readonly kept: readonly KeptAgent[];
  /** What this machine offers of what it has. */
  offered(providers: readonly NodeProvider[]): readonly NodeProvider[];
  /** What the host is to keep a start to. @throws RelayError `forbidden`, or `busy` for a machine that is full, naming the line that says so. */
  admit(start: AskedStart): OwnerLimits;
}

/** `AGENT_RELAY_NODE_FILE`, else `~/.agent-relay/node.yaml`. */
export const nodeFilePath = (env: Readonly<Record<string, string | undefined>>): string =>
  env['AGENT_RELAY_NODE_FILE'] || join(homedir(), '.agent-relay', 'node.yaml');

/** So long a change must lie there before it counts, and so often it is looked at: whoever saves a file empties it first, and may write it in pieces. */
const SETTLES_MS = 100;
const LOOKS = 50;

export interface FileOwnerOptions {
  readonly mustBeThere?: boolean;
  /** What else of the owner's decides what runs here, or lets somebody in. */
  readonly beside?: readonly string[];
}

/**
 * Reads the file again where it has changed, once two looks at it agree; who asks meanwhile waits. One that was there and is gone, or has nothing in it any
 * more, is not taken for leave to do anything: it may be about to be written. One that is another user's, or that others may write, is not followed.
 */
export class FileOwner implements Owner {
  readonly #path: string;
  readonly #mustBeThere: boolean;
  readonly #files: readonly string[];
  #read: { readonly text: string; readonly file: NodeFile } | null = null;
  /** What two looks agreed on last, good or not. */
  #settled: string | null = null;
  readonly #settling = new Serial();

  constructor(path: string, { mustBeThere = false, beside = [] }: FileOwnerOptions = {}) {
    this.#path = path;
    this.#mustBeThere = mustBeThere;
    this.#files = [path, ...beside];
  }

  async terms(): Promise<OwnersTerms> {
    // One after the other: a look that began before the file was saved is no answer to whoever asks after it.
    const text = await this.#settling.run(() => this.#settle());
    if (text === null) return termsOf(null, []);
    if (this.#read?.text !== text) this.#read = { text, file: this.#parse(text) };
    return termsOf(this.#read.file, this.#files);
  }

  #parse(text: string): NodeFile {
    const file = parseNodeFile(this.#path, text);
    if (file.isBlank && this.#read?.file.isBlank === false)
      throw new RelayError(
        'validation_failed',
        `${this.#path}: it limited what runs here and is empty now: write {} where anything may run`,
      );
    return file;
  }

  async #settle(): Promise<string | null> {
    let text = await this.#text();
    for (let looks = 0; text !== this.#settled; looks += 1) {
      if (looks === LOOKS)
        throw new RelayError('validation_failed', `${this.#path}: it changes again and again: nothing is started until it stays`);
      await sleep(SETTLES_MS);
      const before = text;
      text = await this.#text();
      if (text === before) this.#settled = text;
    }
    return text;
  }

  async #text(): Promise<string | null> {
    try {
      const file = await open(this.#path, 'r');
      try {
        assertOwnFile(this.#path, await file.stat());
        return await file.readFile('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof RelayError) throw error;
      const isMissing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
      if (isMissing && !this.#mustBeThere && this.#read === null) return null;
      throw this.#fault(error, isMissing && this.#read !== null);
    }
  }

  #fault(cause: unknown, wasThere: boolean): RelayError {
    const what = wasThere
      ? 'it was there when relay-connect started and is gone: put it back, or start relay-connect anew without it'
      : 'it cannot be read';
    return new RelayError('validation_failed', `${this.#path}: ${what}`, { cause });
  }
}

/** Nobody limits anything. */
export const anyOwner: Owner = { terms: async () => termsOf(null, []) };

function termsOf(file: NodeFile | null, files: readonly string[]): OwnersTerms {
  if (file === null) return { announced: undefined, answers: undefined, kept: [], offered: (providers) => providers, admit: () => ({}) };
  const { content, where } = file;
  const { labels, capacity, modes, approvals, spawners, elsewhere } = content;
  return {
    announced: { labels, capacity, modes, approvals, spawners, elsewhere },
    answers: answerLimit(file),
    kept: content.keep ?? [],
    offered: (providers) => providers.map((provider) => asOffered(file, provider)),
    admit: (start) => {
      assertListed(file, 'providers', start.provider, `this machine runs no ${start.provider}`);
      assertListed(file, 'modes', start.mode, `this machine runs no agent in mode ${start.mode}`);
      assertListed(file, 'approvals', start.approval, `this machine runs no agent with approval ${start.approval}`);
      if (start.spawner !== 'machine')
        assertListed(file, 'spawners', start.spawner, `this machine starts nothing for ${askers[start.spawner]}`);
      assertFolder(file, start);
      if (start.isBackground) assertBackground(file);
      if (capacity !== undefined && start.running >= capacity)
        throw new RelayError('busy', `${where('capacity')}: this machine runs ${capacity} agents at once, and they are there`);
      return { ...limitsOf(file), files };
    },
  };
}

const askers: Readonly<Record<SpawnerKind, string>> = {
  owner: 'the owner of the relay',
  'own-agents': 'its own agents',
  'other-agents': 'agents that run elsewhere',
};

function assertListed({ content, where }: NodeFile, key: 'providers' | 'modes' | 'approvals' | 'spawners', word: string, what: string) {
  const allowed: readonly string[] | undefined = content[key];
  if (allowed === undefined || allowed.includes(word)) return;
  throw new RelayError('forbidden', `${where(key)}: ${what}${allowed.length === 0 ? '' : `; it allows ${allowed.join(', ')}`}`);
}

/** Whoever is on another machine knows no folder of this one but those that its owner lists. */
function assertFolder({ content }: NodeFile, { cwd, within, spawner, isDialled }: AskedStart): void {
  if ((cwd ?? within) === null || isDialled || spawner !== 'other-agents' || content.folders !== undefined) return;
  throw new RelayError('forbidden', 'An agent that runs elsewhere may name a folder only where the owner of this machine lists folders');
}

function answerLimit({ content: { answers = 'always' }, where }: NodeFile): AnswerLimit | undefined {
  return answers === 'always' ? undefined : { upTo: answers, because: where('answers') };
}

/** What runs in a service of its vendor's is asked for approval at its terminal, or asks the relay by itself, and has that service's environment. */
function assertBackground({ content: { approvals, environment, answers = 'always' }, where }: NodeFile): void {
  const limited = environment ? 'environment' : answers !== 'always' && 'answers';
  const key = approvals?.includes('open') === false ? 'approvals' : limited;
  if (key) throw new RelayError('forbidden', `${where(key)}: an agent in the background is not held to it, and none is started`);
}

function limitsOf({ content, where }: NodeFile): OwnerLimits {
  const { folders, sandbox, environment } = content;
  return {
    ...(folders && { folders: { allowed: folders, where: where('folders') } }),
    ...(sandbox && { sandbox }),
    ...(environment && { environment }),
  };
}

function asOffered({ content, where }: NodeFile, provider: NodeProvider): NodeProvider {
  const { providers } = content;
  if (providers === undefined || providers.includes(provider.id)) return provider;
  const key: NodeFileKey = 'providers';
  const reason = `The owner of this machine does not allow ${provider.id}: ${where(key)}; allowed: ${providers.join(', ') || 'none'}`;
  return { ...provider, available: false, reason };
}
