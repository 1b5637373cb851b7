export { brokenAbilities } from './testing/ability-rules.ts';
export { costlyFields, type FieldSamples } from './testing/costly-fields.ts';
export type { EventOf } from './testing/event-log.ts';
export { EventLog } from './testing/event-log.ts';
export { brokenEventRules } from './testing/event-rules.ts';
export { providerContract } from './testing/provider-contract.ts';
export type { HarnessPrompts, ProviderAbilities, ProviderHarness } from './testing/provider-harness.ts';
