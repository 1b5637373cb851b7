import { createRequire } from 'node:module';
import type { Node } from 'web-tree-sitter';

export interface PowerShellCommand {
  /** As it is written: a name, or what `&` is given. */
  readonly name: string;
  /** Run by `&`. */
  readonly isCalled: boolean;
  readonly arguments: readonly string[];
  /** The statement that comes behind the one that it is in, in the same block. */
  readonly next: string | null;
}

/** A PowerShell script as its grammar reads it. It is not run. */
export interface PowerShellScript {
  /** What the grammar does not know, with its line. */
  readonly faults: readonly string[];
  /** Also within blocks, in their order. */
  readonly commands: readonly PowerShellCommand[];
  /** Those of the outermost block. */
  readonly statements: readonly string[];
  /** Statements of the block that the first command runs, if it runs one. */
  readonly inBlock: readonly string[];
  readonly functions: readonly string[];
}

export async function readPowerShell(source: string): Promise<PowerShellScript> {
  const { Language, Parser } = await import('web-tree-sitter');
  await Parser.init();
  const parser = new Parser();
  try {
    const grammar = createRequire(import.meta.url).resolve('tree-sitter-powershell/tree-sitter-powershell.wasm');
    parser.setLanguage(await Language.load(grammar));
    const tree = parser.parse(source);
    if (tree === null) throw new Error('the grammar gave up');
    return scriptOf(tree.rootNode);
  } finally {
    parser.delete();
  }
}

function scriptOf(root: Node): PowerShellScript {
  const all = [...within(root)];
  const ofType = (type: string) => all.filter((node) => node.type === type);
  const [block] = ofType('script_block_body');
  return {
    faults: all.filter((node) => node.isError || node.isMissing).map((node) => `line ${node.startPosition.row + 1}: ${node.text}`),
    commands: ofType('command').map(commandOf),
    statements: statementsOf(root),
    inBlock: block ? statementsOf(block) : [],
    functions: ofType('function_name').map(({ text }) => text),
  };
}

function* within(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) if (child) yield* within(child);
}

function statementsOf(node: Node): readonly string[] {
  const list = node.children.find((child) => child?.type === 'statement_list');
  return (list?.children ?? []).flatMap((child) => (child?.isNamed && child.type !== 'comment' ? [child.text] : []));
}

function commandOf(node: Node): PowerShellCommand {
  const parts = node.children.filter((child) => child !== null);
  const name = parts.find(({ type }) => type === 'command_name' || type === 'command_name_expr');
  const elements = parts.find(({ type }) => type === 'command_elements')?.children ?? [];
  return {
    name: name?.text ?? '',
    isCalled: parts.some(({ type }) => type === 'command_invokation_operator'),
    arguments: elements.flatMap((element) => (element?.isNamed && element.type !== 'command_argument_sep' ? [element.text] : [])),
    next: nextStatement(node),
  };
}

function nextStatement(node: Node): string | null {
  let statement: Node | null = node;
  while (statement?.parent && statement.parent.type !== 'statement_list') statement = statement.parent;
  let next = statement?.nextNamedSibling ?? null;
  while (next?.type === 'comment') next = next.nextNamedSibling;
  return next?.text ?? null;
}
