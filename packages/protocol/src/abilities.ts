import { z } from 'zod';

/**
 * What a spawned agent may do on its machine, the same for every vendor: `safe` uses no tools but the relay's; `agentic` reads anywhere it may,
 * edits inside its folder and runs commands where a sandbox holds them there, and asks a person for what goes beyond where it may (`ask`);
 * `unrestricted` does everything its user may.
 */
export const SpawnModeSchema = z.enum(['safe', 'agentic', 'unrestricted']);
export type SpawnMode = z.infer<typeof SpawnModeSchema>;

/** What keeps a session's processes inside their folder: bubblewrap on Linux, Seatbelt on macOS. */
export const SandboxKindSchema = z.enum(['bwrap', 'seatbelt']);
export type SandboxKind = z.infer<typeof SandboxKindSchema>;

/** What a session runs in. */
export const SandboxStateSchema = z.enum(['none', ...SandboxKindSchema.options]);

/**
 * What is asked for: one of them by name, whichever the machine has (`os`), that where it can be had and else none with a warning (`auto`), or none.
 * What the machine asks for besides counts where it is stricter.
 */
export const SandboxRequestSchema = z.enum(['none', 'auto', 'os', ...SandboxKindSchema.options]);
export type SandboxRequest = z.infer<typeof SandboxRequestSchema>;

/** What agents of a kind can do on a machine, so that nobody asks for what they cannot. */
export const AbilitiesSchema = z.object({
  steer: z.enum(['joins', 'waits']).describe('A `now` message joins the running turn, or waits for its end'),
  approvals: z.boolean().describe('Asks a person before it does what goes beyond its mode'),
  diffs: z.boolean().describe('Tells which files it changed, and how'),
  resume: z.boolean().describe('Goes on with an earlier conversation'),
  reserves: z.boolean().optional().describe('Asks before each change whether another agent has reserved the file'),
  fork: z.boolean().optional().describe('Goes on with a copy of an earlier conversation'),
  background: z.boolean().optional().describe('Runs in the background, where a person may open it at a terminal'),
  modes: z.array(SpawnModeSchema).max(16),
  sandbox: z.array(SandboxKindSchema).max(16).describe('The sandboxes that it can be put in there'),
});
export type Abilities = z.infer<typeof AbilitiesSchema>;
