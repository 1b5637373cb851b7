import { acpAgents } from '../catalogue.ts';
import { AcpProvider } from './acp-provider.ts';

/** A provider for each agent of the catalogue, installed or not. */
export const acpProviders = (): readonly AcpProvider[] => Object.values(acpAgents).map((agent) => new AcpProvider(agent));
