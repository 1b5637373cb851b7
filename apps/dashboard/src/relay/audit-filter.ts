/** Which of it, as the address of the page has it. */
export interface AuditFilter {
  /** An operation, as the API names it. */
  readonly action?: string;
  readonly by?: string;
}

/** Reads what somebody may have typed into the address. */
export function readAuditFilter({ action, by }: Readonly<Record<string, unknown>>): AuditFilter {
  const said = Object.entries({ action, by }).flatMap(([name, value]) =>
    typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()] as const] : [],
  );
  return Object.fromEntries(said);
}
