import type { SourceFile, Workspace } from './workspace.ts';

export interface Rule {
  /** What is true of the code, as a test's title. */
  readonly claim: string;
  /** Where it is not true, a line each. */
  violations(workspace: Workspace): string[];
}

/** A rule about single files: the complaints about each, with its path in front. */
export function fileRule(claim: string, complaintsOf: (file: SourceFile, workspace: Workspace) => readonly string[]): Rule {
  return {
    claim,
    violations: (workspace) =>
      workspace.files.flatMap((file) => complaintsOf(file, workspace).map((complaint) => `${file.path} ${complaint}`)),
  };
}

/** Whether a path is one of the places: a file, or anything in a folder. */
export function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place}/`));
}
