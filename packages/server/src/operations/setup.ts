import { managedMarker } from './managed-file.ts';

export interface SetupWishes {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly databasePath?: string | undefined;
}

export interface SetupSituation {
  readonly wishes: SetupWishes;
  /** The file as it is; `null` when there is none, or it is to be written anew. */
  readonly existing: string | null;
  readonly defaultDatabasePath: string;
  /** Used only where no token is set yet. */
  readonly newToken: string;
}

export interface SetupPlan {
  readonly text: string;
  /** The names of the settings that are written for the first time or differ. */
  readonly changed: readonly string[];
  /** Every setting with what a person may see of it. */
  readonly settings: readonly (readonly [name: string, shown: string])[];
}

const defaults = { HOST: '127.0.0.1', PORT: '4850' } as const;
const heading = [
  `# ${managedMarker} setup: running that again changes what it is told to and keeps the rest.`,
  '# agent-relay serve reads this file; a flag or a variable of its environment wins over a line here.',
];
const assignment = /^\s*([A-Za-z_]\w*)\s*=(.*)$/u;

/** What the env file is to say. Lines that are there, comments among them, stay; a token that is there is kept. */
export function planSetup({ wishes, existing, defaultDatabasePath, newToken }: SetupSituation): SetupPlan {
  const lines = existing === null ? [...heading] : existing.replace(/\n+$/u, '').split(/\r?\n/u);
  const present = new Map(lines.flatMap((line) => namedValue(line)));
  const target = new Map([
    ['HOST', wishes.host ?? present.get('HOST') ?? defaults.HOST],
    ['PORT', wishes.port ?? present.get('PORT') ?? defaults.PORT],
    ['DB_PATH', wishes.databasePath ?? present.get('DB_PATH') ?? defaultDatabasePath],
    ['AGENT_RELAY_TOKEN', present.get('AGENT_RELAY_TOKEN') || newToken],
  ]);
  const changed = [...target].filter(([name, value]) => present.get(name) !== value).map(([name]) => name);
  for (const name of changed) {
    const line = `${name}=${target.get(name) ?? ''}`;
    const index = lines.findIndex((each) => assignment.exec(each)?.[1] === name);
    if (index === -1) lines.push(line);
    else lines[index] = line;
  }
  const secret = present.get('AGENT_RELAY_TOKEN') ? '(kept)' : '(a new one, not shown)';
  const settings = [...target].map(([name, value]) => [name, name === 'AGENT_RELAY_TOKEN' ? secret : value] as const);
  return { text: `${lines.join('\n')}\n`, changed, settings };
}

function namedValue(line: string): (readonly [string, string])[] {
  const [, name, value = ''] = assignment.exec(line) ?? [];
  return name === undefined ? [] : [[name, value.trim().replace(/^(["'])(.*)\1$/u, '$2')]];
}
