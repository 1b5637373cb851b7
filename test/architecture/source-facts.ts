import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  /** `static` runs when the file is loaded, `dynamic` when its line is reached, `type` never. */
  readonly kind: 'static' | 'dynamic' | 'type';
}

export interface SourceFacts {
  readonly imports: readonly Import[];
  /** Names with a dot reached from a global, such as `Date.now` or `process.env`, and globals called or created. */
  readonly globals: readonly string[];
  /** Names and whole string literals, without comments. */
  readonly words: ReadonlySet<string>;
  /** Whether it says `export * from`. */
  readonly hasStarExport: boolean;
}

const watchedGlobals = new Set([
  'process',
  'console',
  'Date',
  'Math',
  'crypto',
  'performance',
  'globalThis',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
]);

/** Reads a file by its syntax tree: comments and strings that look like imports are none. */
export function parseSource(path: string, text: string): SourceFacts {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false, path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
  const imports: Import[] = [];
  const globals: string[] = [];
  const words = new Set<string>();
  let hasStarExport = false;

  const visit = (node: ts.Node, parent: ts.Node): void => {
    const found = declaredImport(node) ?? calledImport(node);
    if (found !== undefined) imports.push(found);
    if (ts.isExportDeclaration(node) && node.exportClause === undefined) hasStarExport = true;
    if (ts.isStringLiteralLike(node) || ts.isIdentifier(node)) words.add(node.text);
    const used = ts.isIdentifier(node) ? globalUse(node, parent) : undefined;
    if (used !== undefined) globals.push(used);
    ts.forEachChild(node, (child) => visit(child, node));
  };
  visit(tree, tree);
  return { imports, globals, words, hasStarExport };
}

function declaredImport(node: ts.Node): Import | undefined {
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, kind: 'type' };
  }
  if (!(ts.isImportDeclaration(node) || ts.isExportDeclaration(node))) return undefined;
  if (node.moduleSpecifier === undefined || !ts.isStringLiteral(node.moduleSpecifier)) return undefined;
  const isType = ts.isExportDeclaration(node) ? node.isTypeOnly : node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return { specifier: node.moduleSpecifier.text, kind: isType ? 'type' : 'static' };
}

function calledImport(node: ts.Node): Import | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const [argument] = node.arguments;
  if (argument === undefined || !ts.isStringLiteralLike(argument)) return undefined;
  if (node.expression.kind === ts.SyntaxKind.ImportKeyword) return { specifier: argument.text, kind: 'dynamic' };
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
  return isRequire ? { specifier: argument.text, kind: 'static' } : undefined;
}

/** How a watched global is used here, as `Date.now`, `new Date`, `fetch()` or `process`; undefined when it is another's name. */
function globalUse(name: ts.Identifier, parent: ts.Node): string | undefined {
  if (!watchedGlobals.has(name.text)) return undefined;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === name ? `${name.text}.${parent.name.text}` : undefined;
  if (ts.isElementAccessExpression(parent)) return parent.expression === name ? `${name.text}[]` : undefined;
  if (ts.isNewExpression(parent)) return (parent.arguments ?? []).length === 0 ? `new ${name.text}` : undefined;
  if (ts.isCallExpression(parent)) return parent.expression === name ? `${name.text}()` : name.text;
  const isPlainValue =
    ts.isVariableDeclaration(parent) || ts.isBinaryExpression(parent) || ts.isReturnStatement(parent) || ts.isSpreadAssignment(parent);
  return isPlainValue && !(ts.isVariableDeclaration(parent) && parent.name === name) ? name.text : undefined;
}
