import type { ModelRequest, OfferedTool } from './model-request.ts';
import type { ModelStep } from './steps.ts';

/** A call of a tool that the request offers. */
export interface ToolCall {
  readonly tool: OfferedTool;
  readonly input: unknown;
}

type CallingKind = 'callTool' | 'editFile' | 'runCommand' | 'searchWeb';

/** What is left of a step once the tools are known. */
export type PlannedStep = Exclude<ModelStep, { kind: CallingKind }> | ({ readonly kind: 'call' } & ToolCall);

export type Plan =
  | { readonly kind: 'answer'; readonly steps: readonly PlannedStep[] }
  /** Something must be called first, out of the script's sight; afterwards the same steps are planned again. */
  | { readonly kind: 'prepare'; readonly calls: readonly ToolCall[]; readonly prepared: ReadonlySet<string> }
  | { readonly kind: 'violation'; readonly message: string };

/** What a vendor's CLI calls its own tools. */
export interface Dialect {
  editFile(step: { path: string; text: string }, request: ModelRequest): WantedCall;
  runCommand(command: string): WantedCall;
  /** Absent where the endpoint runs no search. */
  searchWeb?(query: string): WantedCall;
  searchInput(toolName: string): unknown;
}

export interface WantedCall {
  readonly name: string;
  readonly input: unknown;
  /** A call that must have been made before, with a key that says which. */
  readonly after?: { readonly key: string; readonly name: string; readonly input: unknown };
}

/** Turns steps into calls of offered tools. `prepared` names the preparations that were made already, so that none is made twice. */
export function planTurn(steps: readonly ModelStep[], request: ModelRequest, dialect: Dialect, prepared: ReadonlySet<string>): Plan {
  const planned: PlannedStep[] = [];
  const preparations = new Map<string, ToolCall>();
  for (const step of steps) {
    if (step.kind === 'searchWeb' && dialect.searchWeb === undefined)
      return { kind: 'violation', message: 'The fake model searched the web, which no endpoint of this dialect does.' };
    const wanted = wantedCall(step, request, dialect);
    if (wanted === undefined) {
      planned.push(step as PlannedStep); // wantedCall answers for exactly the kinds that PlannedStep leaves out
      continue;
    }
    if (wanted.after !== undefined && !prepared.has(wanted.after.key)) {
      const first = findTool(request.tools, wanted.after.name);
      if (typeof first === 'string') return { kind: 'violation', message: first };
      preparations.set(wanted.after.key, { tool: first, input: wanted.after.input });
    }
    const tool = findTool(request.tools, wanted.name);
    if (typeof tool !== 'string') {
      planned.push({ kind: 'call', tool, input: wanted.input });
      continue;
    }
    const search = request.tools.find(({ form }) => form === 'search');
    const key = `search:${wanted.name}`;
    if (search === undefined || prepared.has(key) || isAmbiguous(request.tools, wanted.name)) return { kind: 'violation', message: tool };
    preparations.set(key, { tool: search, input: dialect.searchInput(wanted.name) });
  }
  if (preparations.size === 0) return { kind: 'answer', steps: planned };
  return { kind: 'prepare', calls: [...preparations.values()], prepared: new Set([...prepared, ...preparations.keys()]) };
}

function wantedCall(step: ModelStep, request: ModelRequest, dialect: Dialect): WantedCall | undefined {
  if (step.kind === 'callTool') return step;
  if (step.kind === 'editFile') return dialect.editFile(step, request);
  if (step.kind === 'runCommand') return dialect.runCommand(step.command);
  if (step.kind === 'searchWeb') return dialect.searchWeb?.(step.query);
  return undefined;
}

const matches = (tools: readonly OfferedTool[], name: string): readonly OfferedTool[] => {
  const exact = tools.filter(({ fullName }) => fullName === name);
  return exact.length > 0 ? exact : tools.filter((tool) => tool.name === name);
};

const isAmbiguous = (tools: readonly OfferedTool[], name: string): boolean => matches(tools, name).length > 1;

/** The offered tool of this name, or the sentence that says why there is none. */
function findTool(tools: readonly OfferedTool[], name: string): OfferedTool | string {
  const [tool, ...others] = matches(tools, name);
  if (tool === undefined) {
    return `The fake model called ${name}, which this request does not offer. It offers: ${tools.map(({ fullName }) => fullName).join(', ') || 'nothing'}.`;
  }
  if (others.length > 0) {
    const names = [tool, ...others].map(({ fullName }) => fullName).join(', ');
    return `The fake model called ${name}, which could be any of ${names}; a script must give the full name.`;
  }
  return tool;
}
