import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A registry on loopback that has one package, packed as it would be published, and nothing else. */
export interface NpmRegistry extends AsyncDisposable {
  /** npm's, for whoever is to know no other registry. */
  readonly env: Readonly<Record<string, string>>;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

export async function startNpmRegistry(packageFolder: string, scratch: string): Promise<NpmRegistry> {
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', scratch], { cwd: packageFolder });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]; // as npm says it of one package
  const tarball = await readFile(join(scratch, filename));
  const { devDependencies: _, ...manifest } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const asked: string[] = [];
  const server = createServer(({ url = '/' }, response) => {
    asked.push(url);
    if (url === `/${filename}`) return void response.end(tarball);
    if (url !== `/${manifest.name}`) return void response.writeHead(404).end('{}');
    const dist = { tarball: `${address}/${filename}`, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` };
    const { name, version } = manifest;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    env: { npm_config_registry: `${address}/`, npm_config_update_notifier: 'false', npm_config_audit: 'false', npm_config_fund: 'false' },
    asked,
    [Symbol.asyncDispose]: close,
  };
}
