import { pathToFileURL } from 'node:url';

/** The modules that export what can be said in JSON of schemas and routes, and nothing else. */
export const dataModules = /[\\/]packages[\\/](?:protocol|claude-plugin)[\\/]src[\\/]data[\\/][\w-]+\.ts$/;

/** Such a module with its values in the place of what computes them: who loads it needs neither the schemas nor zod. */
export async function computedData(file: string): Promise<string> {
  const data: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
  return Object.entries(data)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
    .join('\n');
}
