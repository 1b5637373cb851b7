import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  /** `static` runs when the file is loaded, `dynamic` when its line is reached, `type` never. */
  readonly kind: 'static' | 'dynamic' | 'type';
}

export interface DecisionFacts {
  readonly names: ReadonlySet<string>;
  /** What it assigns to that is not its own: the name, that of the object, or `this`. */
  readonly assignsOutside: readonly string[];
}

export interface SourceFacts {
  readonly imports: readonly Import[];
  /** Uses of the clock, the process, the console and the like, such as `Date.now`, `process.env`, `new Date`. */
  readonly globals: readonly string[];
  /** Names and whole string literals, without comments. */
  readonly words: ReadonlySet<string>;
  /** Each function that an operation of the store is given to decide. */
  readonly decisions: readonly DecisionFacts[];
  /** What is declared here and exported where it is declared. */
  readonly exports: ReadonlySet<string>;
  /** Whether it says `export * from`. */
  readonly hasStarExport: boolean;
  /** Functions, those within others included. */
  readonly functions: readonly FunctionFacts[];
}

export interface FunctionFacts {
  /** As it is called where it stands; `function` where it has no name. */
  readonly name: string;
  /** Lines from its head to its end that are neither blank nor a comment. */
  readonly lines: number;
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
  const declared = new Set<string>();
  const decisions: DecisionFacts[] = [];
  const functions: FunctionFacts[] = [];
  let hasStarExport = false;

  const visit = (node: ts.Node, parent: ts.Node, grandparent: ts.Node): void => {
    const found = declaredImport(node) ?? calledImport(node);
    if (found !== undefined) imports.push(found);
    if (ts.isExportDeclaration(node) && node.exportClause === undefined) hasStarExport = true;
    if (ts.isStringLiteralLike(node) || ts.isIdentifier(node)) words.add(node.text);
    if ((ts.isParameter(node) || ts.isVariableDeclaration(node)) && ts.isIdentifier(node.name)) declared.add(node.name.text);
    const decision = decisionIn(node);
    if (decision !== undefined) decisions.push({ names: namesIn(decision), assignsOutside: assignedOutside(decision) });
    if (ts.isFunctionLike(node) && 'body' in node && node.body) functions.push({ name: nameOf(node, parent), lines: linesOf(node, tree) });
    const used = ts.isIdentifier(node) ? globalUse(node, parent, grandparent) : undefined;
    if (used !== undefined) globals.push(used);
    ts.forEachChild(node, (child) => visit(child, node, parent));
  };
  visit(tree, tree, tree);
  return {
    imports,
    globals: globals.filter((name) => !declared.has(name)),
    words,
    decisions,
    exports: exportsOf(tree),
    hasStarExport,
    functions,
  };
}

function nameOf(node: ts.SignatureDeclaration, parent: ts.Node): string {
  const named = [node, parent].flatMap((each) => ('name' in each && each.name ? [each.name as ts.Node] : []))[0]; // what the compiler calls a name is a node
  if (named && (ts.isIdentifier(named) || ts.isPrivateIdentifier(named) || ts.isStringLiteralLike(named))) return named.text;
  return ts.isConstructorDeclaration(node) ? 'constructor' : 'function';
}

/** By its lines of text, whatever is in them: JSX and long lists are read as other code is. */
function linesOf(node: ts.Node, tree: ts.SourceFile): number {
  const lines = tree.text.slice(node.getStart(tree), node.getEnd()).split('\n');
  return lines.filter((line) => !/^\s*(?:$|\/\/|\/\*|\*)/.test(line)).length;
}

/** What answers a promise or tells of an event decides nothing. */
const noDecision = /^(?:then|catch|finally|during|on[A-Z]\w*)$/;

/** The function that a call of an operation of the store ends with: `store.agents.change(workspace, id, (facts) => …)`. */
function decisionIn(node: ts.Node): ts.Node | undefined {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { name, expression: port } = node.expression;
  const last = node.arguments.at(-1);
  if (last === undefined || !(ts.isArrowFunction(last) || ts.isFunctionExpression(last)) || noDecision.test(name.text)) return undefined;
  if (!ts.isPropertyAccessExpression(port)) return undefined;
  const { expression: store } = port;
  const isStore = ts.isIdentifier(store) ? store.text === 'store' : ts.isPropertyAccessExpression(store) && store.name.text === 'store';
  return isStore ? last : undefined;
}

function namesIn(decision: ts.Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(decision);
  return names;
}

function assignedOutside(decision: ts.Node): readonly string[] {
  const own = new Set<string>();
  const assigned: string[] = [];
  const visit = (node: ts.Node): void => {
    const isDeclaration = ts.isParameter(node) || ts.isVariableDeclaration(node) || ts.isBindingElement(node);
    if (isDeclaration && ts.isIdentifier(node.name)) own.add(node.name.text);
    assigned.push(...assignedBy(node).flatMap(rootsOf));
    ts.forEachChild(node, visit);
  };
  visit(decision);
  return assigned.filter((name) => !own.has(name));
}

function assignedBy(node: ts.Node): readonly ts.Node[] {
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment ? [node.left] : [];
  }
  if (!ts.isPrefixUnaryExpression(node) && !ts.isPostfixUnaryExpression(node)) return [];
  return node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken ? [node.operand] : [];
}

/** Whose what is assigned to is: `one`, `one.more`, `this.#more`, `[one, { more }]`. */
function rootsOf(target: ts.Node): readonly string[] {
  if (ts.isIdentifier(target)) return [target.text];
  if (target.kind === ts.SyntaxKind.ThisKeyword) return ['this'];
  if (ts.isPropertyAccessExpression(target) || ts.isElementAccessExpression(target)) return rootsOf(target.expression);
  if (ts.isShorthandPropertyAssignment(target)) return [target.name.text];
  if (ts.isPropertyAssignment(target)) return rootsOf(target.initializer);
  if (ts.isBinaryExpression(target)) return rootsOf(target.left);
  const parts: ts.Node[] = [];
  ts.forEachChild(target, (part) => void parts.push(part));
  return parts.flatMap(rootsOf);
}

function exportsOf(tree: ts.SourceFile): ReadonlySet<string> {
  const exported = tree.statements.filter(
    (statement) => ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
  );
  const names = exported.flatMap((statement) => {
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name);
    const isNamed =
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement);
    return isNamed && statement.name !== undefined ? [statement.name] : [];
  });
  return new Set(names.flatMap((name) => (ts.isIdentifier(name) ? [name.text] : [])));
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

/**
 * How a watched global is used here: `Date.now`, `new Date`, `fetch()`, `process`, or `Date.now as default` where a
 * function only offers it to callers who give none of their own. Undefined when the name is another's.
 */
function globalUse(name: ts.Identifier, parent: ts.Node, grandparent: ts.Node): string | undefined {
  if (!watchedGlobals.has(name.text)) return undefined;
  if (ts.isPropertyAccessExpression(parent)) {
    if (parent.expression !== name) return undefined;
    const isDefault = (ts.isParameter(grandparent) || ts.isBindingElement(grandparent)) && grandparent.initializer === parent;
    return `${name.text}.${parent.name.text}${isDefault ? ' as default' : ''}`;
  }
  if (ts.isElementAccessExpression(parent)) return parent.expression === name ? `${name.text}[]` : undefined;
  if (ts.isNewExpression(parent)) return (parent.arguments ?? []).length === 0 ? `new ${name.text}` : undefined;
  if (ts.isCallExpression(parent)) return parent.expression === name ? `${name.text}()` : name.text;
  const isPlainValue =
    ts.isVariableDeclaration(parent) || ts.isBinaryExpression(parent) || ts.isReturnStatement(parent) || ts.isSpreadAssignment(parent);
  return isPlainValue && !(ts.isVariableDeclaration(parent) && parent.name === name) ? name.text : undefined;
}
