import { providerContract } from 'agent-relay-provider/testing';
import { parrotAbilities, parrotHarness } from './parrot-harness.ts';

providerContract('Parrot', parrotAbilities, parrotHarness);
