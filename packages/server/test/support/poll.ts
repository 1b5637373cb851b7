/** Until a condition holds, asked for after each tenth of the time waited so far; fails by name after a minute, for a busy machine. */
export async function poll(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const startedAt = Date.now();
  while (!(await condition())) {
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > timeoutMs) throw new Error(`Waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(5, waitedMs / 10), 100)));
  }
}
