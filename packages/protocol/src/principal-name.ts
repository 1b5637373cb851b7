import { z } from 'zod';

/** What the name of a person beside the owner begins with. */
export const PERSON = 'person:';

/** `person:<id>`, with an id as agents have them. No id of an agent has a colon, so that none is ever taken for a person. */
export const PersonNameSchema = z
  .string()
  .regex(/^person:(?!find$)[\p{L}\p{N}][\p{L}\p{N}._@+~-]{0,127}$/u, 'A person is person: and an id as agents have them');

/**
 * Who did something, as it is written in `sender.principal`, `by`, `createdBy` and `decidedBy`. A reader takes any text: what it has no rule for it
 * shows as it is.
 */
export const PrincipalNameSchema = z
  .string()
  .describe(
    '`owner`, `anonymous`, `relay`, `agent:<id>`, `node:<id>`, `token:<name>`, `integration:<name>`, `rule:<number>`, `reservation:<number>`, `hook:<name>`, `share:<id>`, or `person:<id>`: a person beside the owner; `person:<id>@<channel>` is one whom a channel speaks for',
  );

/** Whether it is the name of a person, the owner or another, and not of an agent or a program. What only begins like one is none. */
export const isPersonName = (name: string): boolean => name === 'owner' || PersonNameSchema.safeParse(name).success;
